// Checkpoints with random weights, as Python's save_pretrained writes them, for measuring speed.
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { folder } from "./peers.mjs";

/** Names and shapes of a LlamaForCausalLM with tied embeddings. */
function llama_tensors({ vocab_size, hidden_size, intermediate_size, num_hidden_layers }) {
  const tensors = [["model.embed_tokens.weight", [vocab_size, hidden_size]]];
  for (let i = 0; i < num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    for (const name of ["q", "k", "v", "o"]) {
      tensors.push([`${layer}.self_attn.${name}_proj.weight`, [hidden_size, hidden_size]]);
    }
    for (const name of ["gate", "up"]) {
      tensors.push([`${layer}.mlp.${name}_proj.weight`, [intermediate_size, hidden_size]]);
    }
    tensors.push([`${layer}.mlp.down_proj.weight`, [hidden_size, intermediate_size]]);
    for (const name of ["input", "post_attention"]) tensors.push([`${layer}.${name}_layernorm.weight`, [hidden_size]]);
  }
  tensors.push(["model.norm.weight", [hidden_size]]);
  return tensors;
}

/** n bfloat16 numbers in ±0.06, from a fixed sequence. */
function random_bfloat16(n, seed) {
  const bits = new Uint16Array(n);
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < n; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    float[0] = (state / 2 ** 31) * 0.06;
    bits[i] = word[0] >>> 16;
  }
  return bits;
}

/** The folder of a Llama checkpoint in bfloat16 of these sizes, written if it is not there yet. */
export function random_llama(name, sizes) {
  const place = join(folder, "models", name);
  const file = join(place, "model.safetensors");
  const tensors = llama_tensors(sizes);
  const header = {};
  let end = 0;
  for (const [tensor, shape] of tensors) {
    const start = end;
    end += 2 * shape.reduce((a, b) => a * b);
    header[tensor] = { dtype: "BF16", shape, data_offsets: [start, end] };
  }
  const text = JSON.stringify({ __metadata__: { format: "pt" }, ...header });
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  if (existsSync(file) && statSync(file).size === 8 + head.length + end) return place;

  mkdirSync(place, { recursive: true });
  const out = openSync(file, "w");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  writeSync(out, length);
  writeSync(out, head);
  for (const [index, [, shape]] of tensors.entries()) {
    const values = random_bfloat16(
      shape.reduce((a, b) => a * b),
      index + 1,
    );
    const bytes = Buffer.from(values.buffer);
    for (let at = 0; at < bytes.length; ) at += writeSync(out, bytes, at, Math.min(bytes.length - at, 1 << 28));
  }
  closeSync(out);
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    num_key_value_heads: sizes.num_attention_heads,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    bos_token_id: 1,
    eos_token_id: null, // so that nothing ends early
    ...sizes,
  };
  writeFileSync(join(place, "config.json"), JSON.stringify(config, null, 2));
  return place;
}

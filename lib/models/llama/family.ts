// What the llama engine must know of a family of checkpoints: its tensors, and its numbers under llama.cpp's names.
import { TransformersError } from "../../errors.js";
import type { GgufValue } from "../../native.js";

/** The fields of a decoder's configuration, under the names of config.json. */
export interface DecoderConfig {
  model_type: string;
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim?: number | null;
  max_position_embeddings: number;
  rms_norm_eps: number;
  hidden_act: string;
  initializer_range: number;
  tie_word_embeddings: boolean;
  rope_theta: number;
  rope_scaling?: Record<string, unknown> | null;
  attention_bias?: boolean;
  mlp_bias?: boolean;
  sliding_window?: number | null;
  use_sliding_window?: boolean;
}

/** One tensor: its name and shape in the checkpoint, its name for llama.cpp, and how `from_config` fills it. */
export interface Parameter {
  name: string;
  shape: number[];
  gguf: string;
  init: "normal" | "ones" | "zeros";
  /** Heads whose rows change from Hugging Face's half-split rotary order to llama.cpp's interleaved one. */
  permute_heads?: number;
}

/** A constant that llama.cpp wants as a tensor and no checkpoint holds. */
export interface Constant {
  gguf: string;
  data: Float32Array;
}

/** A family of decoder checkpoints that the llama engine runs. */
export interface LlamaFamily {
  /** `model_type` of config.json. */
  model_type: string;
  /** Prefix of Python's class names: `Qwen2` for `Qwen2ForCausalLM`. */
  class_prefix: string;
  /** llama.cpp's name of the architecture. */
  architecture: string;
  parameters(config: DecoderConfig): Parameter[];
  constants?(config: DecoderConfig): Constant[];
  metadata(config: DecoderConfig): Record<string, GgufValue>;
  /** Refuses a configuration that the engine would run differently from Python. */
  check?(config: DecoderConfig): void;
}

export const u32 = (value: number): GgufValue => ({ type: "u32", value });
export const f32 = (value: number): GgufValue => ({ type: "f32", value });
export const text = (value: string): GgufValue => ({ type: "string", value });

/** Width of one attention head. */
export function head_dim(config: DecoderConfig): number {
  return config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads);
}

/** An error for a setting that llama.cpp's graph of this architecture cannot express. */
export function unsupported(config: DecoderConfig, what: string): TransformersError {
  return new TransformersError(
    `${config.model_type}: ${what} is not supported by the llama engine`,
    "unsupported_config",
  );
}

/** Which optional tensors an architecture has beside the common ones. */
export interface DecoderShape {
  qkv_bias?: boolean;
  output_bias?: boolean;
  mlp_bias?: boolean;
  /** RMSNorm over each head's query and key. */
  qk_norm?: boolean;
  /** llama.cpp's graph rotates neighbouring pairs, so query and key rows are permuted. */
  interleaved_rope?: boolean;
}

/** The tensors of a pre-norm decoder with gated MLP: Llama and its descendants. */
export function decoder_parameters(config: DecoderConfig, shape: DecoderShape = {}): Parameter[] {
  const {
    hidden_size: width,
    intermediate_size: inner,
    num_attention_heads: heads,
    num_key_value_heads: kv_heads,
  } = config;
  const dim = head_dim(config);
  const rows: Parameter[] = [];
  const add = (name: string, gguf: string, size: number[], init: Parameter["init"], permute_heads?: number) =>
    rows.push({ name, gguf, shape: size, init, ...(permute_heads ? { permute_heads } : {}) });
  const linear = (name: string, gguf: string, out: number, into: number, bias: boolean, permute_heads?: number) => {
    add(`${name}.weight`, `${gguf}.weight`, [out, into], "normal", permute_heads);
    if (bias) add(`${name}.bias`, `${gguf}.bias`, [out], "zeros", permute_heads);
  };

  add("model.embed_tokens.weight", "token_embd.weight", [config.vocab_size, width], "normal");
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const hf = `model.layers.${i}`;
    const blk = `blk.${i}`;
    const pairs = shape.interleaved_rope;
    linear(`${hf}.self_attn.q_proj`, `${blk}.attn_q`, heads * dim, width, !!shape.qkv_bias, pairs ? heads : undefined);
    linear(
      `${hf}.self_attn.k_proj`,
      `${blk}.attn_k`,
      kv_heads * dim,
      width,
      !!shape.qkv_bias,
      pairs ? kv_heads : undefined,
    );
    linear(`${hf}.self_attn.v_proj`, `${blk}.attn_v`, kv_heads * dim, width, !!shape.qkv_bias);
    linear(`${hf}.self_attn.o_proj`, `${blk}.attn_output`, width, heads * dim, !!shape.output_bias);
    if (shape.qk_norm) {
      add(`${hf}.self_attn.q_norm.weight`, `${blk}.attn_q_norm.weight`, [dim], "ones");
      add(`${hf}.self_attn.k_norm.weight`, `${blk}.attn_k_norm.weight`, [dim], "ones");
    }
    linear(`${hf}.mlp.gate_proj`, `${blk}.ffn_gate`, inner, width, !!shape.mlp_bias);
    linear(`${hf}.mlp.up_proj`, `${blk}.ffn_up`, inner, width, !!shape.mlp_bias);
    linear(`${hf}.mlp.down_proj`, `${blk}.ffn_down`, width, inner, !!shape.mlp_bias);
    add(`${hf}.input_layernorm.weight`, `${blk}.attn_norm.weight`, [width], "ones");
    add(`${hf}.post_attention_layernorm.weight`, `${blk}.ffn_norm.weight`, [width], "ones");
  }
  add("model.norm.weight", "output_norm.weight", [width], "ones");
  add("lm_head.weight", "output.weight", [config.vocab_size, width], "normal");
  return rows;
}

/** llama.cpp's metadata that every decoder has. Units: tokens, elements; the epsilon and theta as in config.json. */
export function decoder_metadata(architecture: string, config: DecoderConfig): Record<string, GgufValue> {
  const key = (name: string) => `${architecture}.${name}`;
  return {
    "general.architecture": text(architecture),
    [key("vocab_size")]: u32(config.vocab_size),
    [key("context_length")]: u32(config.max_position_embeddings),
    [key("embedding_length")]: u32(config.hidden_size),
    [key("block_count")]: u32(config.num_hidden_layers),
    [key("feed_forward_length")]: u32(config.intermediate_size),
    [key("attention.head_count")]: u32(config.num_attention_heads),
    [key("attention.head_count_kv")]: u32(config.num_key_value_heads),
    [key("attention.key_length")]: u32(head_dim(config)),
    [key("attention.value_length")]: u32(head_dim(config)),
    [key("attention.layer_norm_rms_epsilon")]: f32(config.rms_norm_eps),
    [key("rope.freq_base")]: f32(config.rope_theta),
    [key("rope.dimension_count")]: u32(head_dim(config)),
    ...rope_scaling_metadata(key, config),
  };
}

/** The kind of rotary scaling, under the old and the new spelling; "default" when there is none. */
export function rope_type(config: DecoderConfig): string {
  return String(config.rope_scaling?.["rope_type"] ?? config.rope_scaling?.["type"] ?? "default");
}

function rope_scaling_metadata(key: (name: string) => string, config: DecoderConfig): Record<string, GgufValue> {
  const scaling = config.rope_scaling ?? {};
  const kind = rope_type(config);
  const number = (name: string, fallback?: number) => (scaling[name] as number | null | undefined) ?? fallback;
  switch (kind) {
    case "default":
    case "llama3": // its factors are a tensor: see llama3_rope_factors
      return { [key("rope.scaling.type")]: text("none") };
    case "linear":
      return {
        [key("rope.scaling.type")]: text("linear"),
        [key("rope.scaling.factor")]: f32(number("factor", 1) as number),
      };
    case "yarn": {
      const attention = number("attention_factor");
      if (attention !== undefined || scaling["mscale"] || scaling["truncate"] === false)
        throw unsupported(config, "rope_scaling yarn with attention_factor, mscale or truncate=false");
      return {
        [key("rope.scaling.type")]: text("yarn"),
        [key("rope.scaling.factor")]: f32(number("factor", 1) as number),
        [key("rope.scaling.original_context_length")]: u32(
          number("original_max_position_embeddings", config.max_position_embeddings) as number,
        ),
        [key("rope.scaling.yarn_beta_fast")]: f32(number("beta_fast", 32) as number),
        [key("rope.scaling.yarn_beta_slow")]: f32(number("beta_slow", 1) as number),
      };
    }
    default:
      throw unsupported(config, `rope_scaling of type "${kind}"`);
  }
}

/**
 * The divisors of the rotary frequencies that Llama 3.1 uses, one for each pair of a head.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_rope_utils.py `_compute_llama3_parameters`
 */
export function llama3_rope_factors(config: DecoderConfig): Constant[] {
  if (rope_type(config) !== "llama3") return [];
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = config.rope_scaling as Record<
    string,
    number
  >;
  const dim = head_dim(config);
  const data = Float32Array.from({ length: dim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * config.rope_theta ** ((2 * i) / dim);
    if (wavelength < original_max_position_embeddings / high_freq_factor) return 1;
    if (wavelength > original_max_position_embeddings / low_freq_factor) return factor;
    const smooth =
      (original_max_position_embeddings / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
  return [{ gguf: "rope_freqs.weight", data }];
}

/** Refuses what no gated decoder graph of llama.cpp can do. */
export function check_decoder(config: DecoderConfig): void {
  if (config.hidden_act !== "silu") throw unsupported(config, `hidden_act "${config.hidden_act}"`);
  const positive = [
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
  ] as const;
  for (const name of positive) {
    const value = config[name];
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 31 - 1)
      throw new TransformersError(
        `Expected a positive integer for config.${name} but received ${value}`,
        "invalid_config",
      );
  }
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    throw new TransformersError(
      `num_attention_heads (${config.num_attention_heads}) must be a multiple of num_key_value_heads (${config.num_key_value_heads})`,
      "invalid_config",
    );
  if (head_dim(config) < 2 || head_dim(config) % 2 !== 0)
    throw new TransformersError(`Expected an even head dimension but received ${head_dim(config)}`, "invalid_config");
}

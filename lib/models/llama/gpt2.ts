// GPT-2 for llama.cpp. Its models run on the graph engine; this is how they are written as GGUF, and their adapters read.
// https://github.com/ggml-org/llama.cpp/blob/master/conversion/gpt2.py
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { is_tanh_gelu } from "../../nn/activations.js";
import { f32, type LlamaArchitecture, type Parameter, text, u32, unsupported } from "./family.js";

const inner_size = (config: PretrainedConfig): number => config.n_inner ?? 4 * config.hidden_size;

/** Conv1D of Python, whose matrices stand transposed: [inputs, outputs]. */
function conv1d(name: string, gguf: string, inputs: number, outputs: number): Parameter[] {
  return [
    {
      name: `${name}.weight`,
      gguf: `${gguf}.weight`,
      shape: [inputs, outputs],
      init: "normal",
      transform: "transpose",
    },
    { name: `${name}.bias`, gguf: `${gguf}.bias`, shape: [outputs], init: "zeros" },
  ];
}

function layer_norm(name: string, gguf: string, size: number): Parameter[] {
  return [
    { name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [size], init: "ones" },
    { name: `${name}.bias`, gguf: `${gguf}.bias`, shape: [size], init: "zeros" },
  ];
}

function layer(config: PretrainedConfig, i: number): Parameter[] {
  const [hf, blk, size, inner] = [`transformer.h.${i}`, `blk.${i}`, config.hidden_size, inner_size(config)];
  return [
    ...layer_norm(`${hf}.ln_1`, `${blk}.attn_norm`, size),
    ...conv1d(`${hf}.attn.c_attn`, `${blk}.attn_qkv`, size, 3 * size),
    ...conv1d(`${hf}.attn.c_proj`, `${blk}.attn_output`, size, size),
    ...layer_norm(`${hf}.ln_2`, `${blk}.ffn_norm`, size),
    ...conv1d(`${hf}.mlp.c_fc`, `${blk}.ffn_up`, size, inner),
    ...conv1d(`${hf}.mlp.c_proj`, `${blk}.ffn_down`, inner, size),
  ];
}

function parameters(config: PretrainedConfig): Parameter[] {
  const { vocab_size, hidden_size, max_position_embeddings, num_hidden_layers } = config;
  const table = (name: string, gguf: string, rows: number): Parameter => ({
    name: `${name}.weight`,
    gguf: `${gguf}.weight`,
    shape: [rows, hidden_size],
    init: "normal",
  });
  return [
    table("transformer.wte", "token_embd", vocab_size),
    table("transformer.wpe", "position_embd", max_position_embeddings),
    ...Array.from({ length: num_hidden_layers }, (_, i) => layer(config, i)).flat(),
    ...layer_norm("transformer.ln_f", "output_norm", hidden_size),
    table("lm_head", "output", vocab_size),
  ];
}

function metadata(config: PretrainedConfig) {
  return {
    "general.architecture": text("gpt2"),
    "gpt2.vocab_size": u32(config.vocab_size),
    "gpt2.context_length": u32(config.max_position_embeddings),
    "gpt2.embedding_length": u32(config.hidden_size),
    "gpt2.feed_forward_length": u32(inner_size(config)),
    "gpt2.block_count": u32(config.num_hidden_layers),
    "gpt2.attention.head_count": u32(config.num_attention_heads),
    "gpt2.attention.layer_norm_epsilon": f32(config.layer_norm_epsilon),
  };
}

/** Refuses what llama.cpp's graph of GPT-2 computes otherwise. */
function check(config: PretrainedConfig): void {
  if (!is_tanh_gelu(config.activation_function))
    throw unsupported(config, `the activation "${config.activation_function}"`);
  if (!config.scale_attn_weights) throw unsupported(config, "scale_attn_weights=false");
  if (config.scale_attn_by_inverse_layer_idx) throw unsupported(config, "scale_attn_by_inverse_layer_idx=true");
}

export const gpt2: LlamaArchitecture<PretrainedConfig> = { architecture: "gpt2", parameters, metadata, check };

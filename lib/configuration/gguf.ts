// The configuration in a GGUF file's metadata.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_gguf_pytorch_utils.py `load_gguf_checkpoint`
import { read_gguf_tensors } from "../checkpoint/gguf.js";
import { TransformersError } from "../errors.js";

/** llama.cpp's names of a decoder's numbers, and config.json's. */
const DECODER = {
  context_length: "max_position_embeddings",
  block_count: "num_hidden_layers",
  feed_forward_length: "intermediate_size",
  embedding_length: "hidden_size",
  "rope.freq_base": "rope_theta",
  "attention.head_count": "num_attention_heads",
  "attention.head_count_kv": "num_key_value_heads",
  "attention.layer_norm_rms_epsilon": "rms_norm_eps",
  vocab_size: "vocab_size",
};
const ROTATED_HEADS = { ...DECODER, "rope.dimension_count": "head_dim" };
const WINDOWED = { ...DECODER, "attention.key_length": "head_dim", "attention.sliding_window": "sliding_window" };
const EXPERTS = { expert_count: "num_experts", expert_used_count: "num_experts_per_tok" };
const { "rope.freq_base": _, "attention.layer_norm_rms_epsilon": __, ...PLAIN } = DECODER;

/**
 * By architecture, as Python's `GGUF_CONFIG_MAPPING`. Python loses the numbers of "qwen2moe" over that name.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/integrations/ggml.py
 */
const FIELDS: Record<string, Record<string, string>> = {
  llama: ROTATED_HEADS,
  mistral: ROTATED_HEADS,
  qwen2: DECODER,
  qwen2moe: { ...DECODER, ...EXPERTS },
  qwen3: DECODER,
  qwen3moe: { ...DECODER, ...EXPERTS, "attention.key_length": "head_dim" },
  phi3: DECODER,
  gemma2: WINDOWED,
  gemma3: WINDOWED,
  falcon: DECODER,
  stablelm: { ...PLAIN, "attention.layer_norm_epsilon": "layer_norm_eps" },
  starcoder2: { ...PLAIN, "attention.layer_norm_epsilon": "norm_epsilon" },
  nemotron: { ...PLAIN, "rope.freq_base": "rope_theta", "attention.layer_norm_rms_epsilon": "norm_eps" },
  gpt2: {
    block_count: "n_layer",
    context_length: "n_ctx",
    embedding_length: "n_embd",
    feed_forward_length: "feed_forward_length",
    "attention.head_count": "n_head",
    "attention.layer_norm_epsilon": "layer_norm_epsilon",
  },
  bloom: {
    block_count: "n_layer",
    embedding_length: "hidden_size",
    "attention.head_count": "n_head",
    vocab_size: "vocab_size",
    "attention.layer_norm_epsilon": "layer_norm_epsilon",
  },
};

const TOKENS = {
  bos_token_id: "bos_token_id",
  eos_token_id: "eos_token_id",
  unknown_token_id: "unk_token_id",
  padding_token_id: "pad_token_id",
};

/** Python's model type for an architecture of llama.cpp's. */
export function gguf_model_type(architecture: string): string {
  return { qwen2moe: "qwen2_moe", qwen3moe: "qwen3_moe", gemma3: "gemma3_text" }[architecture] ?? architecture;
}

/**
 * The fields of config.json that a GGUF file's metadata describe.
 * @throws TransformersError `unsupported` with Python's text for an architecture that it does not read.
 */
export async function read_gguf_config(path: string): Promise<Record<string, unknown>> {
  const { metadata, tensors } = await read_gguf_tensors(path);
  const named = String(metadata.get("general.architecture"));
  const fields = FIELDS[named];
  if (!fields)
    throw new TransformersError(`GGUF model with architecture ${named} is not supported yet.`, "unsupported");
  const name = metadata.get("general.name");
  const config: Record<string, unknown> = {
    model_type: named === "llama" && name === "mistral" ? "mistral" : gguf_model_type(named),
    tie_word_embeddings:
      named === "falcon" || named === "bloom" || !tensors.some((tensor) => tensor.name === "output.weight"),
  };
  if (typeof name === "string") config["_model_name_or_path"] = name;
  const take = (key: string, field: string) => {
    const value = metadata.get(key);
    if (value !== undefined) config[field] = typeof value === "bigint" ? Number(value) : value;
  };
  for (const [key, field] of Object.entries(fields)) take(`${named}.${key}`, field);
  for (const [key, field] of Object.entries(TOKENS)) take(`tokenizer.ggml.${key}`, field);
  const vocabulary = metadata.get("tokenizer.ggml.tokens");
  if (Array.isArray(vocabulary)) config["vocab_size"] ??= vocabulary.length;
  return config;
}

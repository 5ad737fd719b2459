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
  layer_types?: string[];
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
  /**
   * How its values become llama.cpp's: rows of `n_head` heads from Hugging Face's half-split rotary order to the
   * interleaved one; one added; stacked with all that have the same `gguf` (experts); or transposed (Conv1D).
   */
  transform?: "permute_heads" | "add_one" | "stack" | "transpose";
  n_head?: number;
}

/** A constant that llama.cpp wants as a tensor and no checkpoint holds. */
export interface Constant {
  gguf: string;
  data: Float32Array;
}

/** How checkpoints become one of llama.cpp's architectures. */
export interface LlamaArchitecture<Config = DecoderConfig> {
  /** llama.cpp's name. */
  architecture: string;
  parameters(config: Config): Parameter[];
  constants?(config: Config): Constant[];
  metadata(config: Config): Record<string, GgufValue>;
  /** Refuses a configuration that the engine would run differently from Python. */
  check?(config: Config): void;
}

/** A family of decoder checkpoints that the llama engine runs. */
export interface LlamaFamily extends LlamaArchitecture {
  /** `model_type` of config.json. */
  model_type: string;
  /** Prefix of Python's class names: `Qwen2` for `Qwen2ForCausalLM`. */
  class_prefix: string;
  /** Prefix of the classes with other heads, where it is another: `Gemma3Text`. */
  text_prefix?: string;
  /** The heads that Python has, beside those of every family. */
  kinds: readonly ("sequence_classification" | "token_classification" | "question_answering")[];
  /** What the decoder is called in `…ForQuestionAnswering`; default: "model". */
  question_answering_prefix?: "transformer";
  /** llama.cpp has one matrix for embeddings and head, always. */
  always_tied?: boolean;
  /** llama.cpp wants the head's matrix even where it is that of the embeddings, or none. */
  wants_output?: boolean;
  /** The longest row, in tokens, where the engine follows Python up to a length only. */
  max_positions?(config: DecoderConfig): number | undefined;
}

/** The heads of most families. */
export const ALL_KINDS = ["sequence_classification", "token_classification", "question_answering"] as const;

/** llama.cpp's LLAMA_MAX_LAYERS. */
const MAX_LAYERS = 512;

export const u32 = (value: number): GgufValue => ({ type: "u32", value });
export const f32 = (value: number): GgufValue => ({ type: "f32", value });
export const text = (value: string): GgufValue => ({ type: "string", value });

export const bools = (value: boolean[]): GgufValue => ({ type: "bool[]", value });

/** Width of one attention head. */
export function head_dim(config: DecoderConfig): number {
  return config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads);
}

/** An error for a setting that llama.cpp's graph of this architecture cannot express. */
export function unsupported(config: { model_type: string }, what: string): TransformersError {
  return new TransformersError(
    `${config.model_type}: ${what} is not supported by the llama engine`,
    "unsupported_config",
  );
}

/** Refuses what no gated decoder graph of llama.cpp can do. */
export function check_decoder(config: DecoderConfig, activation = config.hidden_act, expected = "silu"): void {
  if (activation !== expected) throw unsupported(config, `the activation "${activation}"`);
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
  if (config.num_hidden_layers > MAX_LAYERS) throw unsupported(config, `num_hidden_layers=${config.num_hidden_layers}`);
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    throw new TransformersError(
      `num_attention_heads (${config.num_attention_heads}) must be a multiple of num_key_value_heads (${config.num_key_value_heads})`,
      "invalid_config",
    );
  if (head_dim(config) < 2 || head_dim(config) % 2 !== 0)
    throw new TransformersError(`Expected an even head dimension but received ${head_dim(config)}`, "invalid_config");
}

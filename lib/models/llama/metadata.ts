// A decoder's numbers under llama.cpp's names.
import type { GgufValue } from "../../native.js";
import { type Constant, type DecoderConfig, f32, head_dim, text, u32, unsupported } from "./family.js";

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
    ...rope_scaling_metadata(architecture, config),
  };
}

/** The kind of rotary scaling, under the old and the new spelling; "default" when there is none. */
export function rope_type(config: DecoderConfig): string {
  return String(config.rope_scaling?.["rope_type"] ?? config.rope_scaling?.["type"] ?? "default");
}

/** The kind of scaling that an architecture's graph does with factors in a tensor, instead of numbers in metadata. */
const KIND_IN_TENSOR: Record<string, string> = { llama: "llama3", granite: "llama3", phi3: "longrope" };

function rope_scaling_metadata(architecture: string, config: DecoderConfig): Record<string, GgufValue> {
  const key = (name: string) => `${architecture}.${name}`;
  const scaling = config.rope_scaling ?? {};
  const kind = rope_type(config);
  const number = (name: string, fallback?: number) => (scaling[name] as number | null | undefined) ?? fallback;
  if (kind === "default" || kind === KIND_IN_TENSOR[architecture]) return { [key("rope.scaling.type")]: text("none") };
  switch (kind) {
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

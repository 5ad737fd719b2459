// Decoder checkpoints in safetensors, of the families in this folder: their tensors go to libllama as they are read.
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { native } from "../../native.js";
import type { ParameterSpec } from "../initialization.js";
import type { LoadingInfo } from "../loading.js";
import { checkpoint_dtype, type ModelOptions, placement } from "../pretrained.js";
import type { TokenTensors } from "../resizing.js";
import { engine_options, LlamaEngineForCausalLM, weights_progress } from "./causal_lm.js";
import type { DecoderConfig, LlamaFamily } from "./family.js";
import { tensor_sources } from "./parameters.js";

/** Rotary positions have no end: Python goes on past max_position_embeddings, too. */
const ROTARY_POSITIONS = 2 ** 20;

/** `LlamaForCausalLM`, `Qwen2ForCausalLM`, …: one subclass for each family, made by `causal_lm_class`. */
export class DecoderForCausalLM extends LlamaEngineForCausalLM {
  static family: LlamaFamily;

  /** Loads a checkpoint: a folder, or a name in the cache or on the Hub. */
  static async from_pretrained(
    name_or_path: string,
    options: ModelOptions & { config: PretrainedConfig },
  ): Promise<DecoderForCausalLM> {
    const model = new this(options.config, name_or_path);
    const info = await model.load_tensors(name_or_path, options);
    model.placement = placement(options, () => checkpoint_dtype(options.config, model.state));
    await model.load_generation_config(name_or_path, options);
    await model.engine(options.signal, weights_progress(name_or_path, options.progress_callback));
    return options.output_loading_info ? with_info(model, info) : model;
  }

  /** A model with fresh weights: normal with `initializer_range`, ones and zeros, drawn from `seed`. */
  static async from_config(
    config: PretrainedConfig,
    options: ModelOptions & { seed?: number } = {},
  ): Promise<DecoderForCausalLM> {
    const model = new this(config);
    model.placement = placement(options, () => checkpoint_dtype(config, undefined));
    model.initialize(new (native().StateDict)(), options.seed);
    return model;
  }

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    this.family.check?.(this.decoder);
  }

  private get family(): LlamaFamily {
    return (this.constructor as typeof DecoderForCausalLM).family;
  }

  private get decoder(): DecoderConfig {
    return this.config as unknown as DecoderConfig;
  }

  override get vocab_size(): number {
    return this.decoder.vocab_size;
  }

  override get max_positions(): number {
    return this.decoder.max_position_embeddings;
  }

  override parameters(): ParameterSpec[] {
    return this.family.parameters(this.decoder);
  }

  override tied_weights(): [string, string][] {
    return this.decoder.tie_word_embeddings ? [["lm_head.weight", "model.embed_tokens.weight"]] : [];
  }

  protected override token_tensors(): TokenTensors {
    return { embeddings: "model.embed_tokens.weight", head: "lm_head.weight" };
  }

  protected override load_engine(on_progress?: (progress: number) => void) {
    const tied = new Set(this.tied_weights().map(([alias]) => alias));
    const tensors = tensor_sources(this.family.parameters(this.decoder).filter(({ name }) => !tied.has(name)));
    const constants = (this.family.constants?.(this.decoder) ?? []).map(({ gguf, data }) => ({
      name: gguf,
      data,
      shape: [data.length],
    }));
    return native().load_llama_engine(
      {
        state_dict: this.require_tensors("the engine"),
        metadata: this.family.metadata(this.decoder),
        tensors: [...tensors, ...constants],
        dtype: this.placement.dtype.llama,
        max_positions: this.family.max_positions?.(this.decoder) ?? ROTARY_POSITIONS,
        ...engine_options(this.placement),
      },
      on_progress,
    );
  }
}

/** Makes `LlamaForCausalLM` of the family `llama`. */
export function causal_lm_class(family: LlamaFamily): typeof DecoderForCausalLM {
  const type = class extends DecoderForCausalLM {
    static override family = family;
  };
  Object.defineProperty(type, "name", { value: `${family.class_prefix}ForCausalLM` });
  return type;
}

/** Python's `output_loading_info=True` returns a pair. */
function with_info(model: DecoderForCausalLM, info: LoadingInfo): DecoderForCausalLM {
  return [model, info] as unknown as DecoderForCausalLM;
}

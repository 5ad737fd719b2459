// Decoder checkpoints in safetensors, of the families in this folder: their tensors go to libllama as they are read.
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { TransformersError } from "../../errors.js";
import { native } from "../../native.js";
import type { ParameterSpec } from "../initialization.js";
import { load_own_adapter, resolve_own_checkpoint } from "../model_options.js";
import { checkpoint_dtype, type ModelOptions, placement } from "../placement.js";
import type { CallableModel } from "../pretrained.js";
import type { TokenTensors } from "../resizing.js";
import { engine_options, LlamaEngineModel, weights_progress } from "./engine_model.js";
import type { DecoderConfig, LlamaFamily, Parameter } from "./family.js";
import { load_gguf } from "./gguf.js";
import { base, type DecoderHead } from "./heads.js";
import { tensor_sources } from "./parameters.js";

/** Rotary positions have no end: Python goes on past max_position_embeddings, too. */
const ROTARY_POSITIONS = 2 ** 20;

/** `LlamaForCausalLM`, `Qwen2Model`, …: one subclass for each family and head, made by `decoder_class`. */
export class DecoderModel extends LlamaEngineModel {
  static family: LlamaFamily;
  /** Models of the first layers of this one, by their number; they go with the engine. */
  private readonly early_exits = new Map<number, DecoderModel>();

  /**
   * Loads a checkpoint: a folder, or a name in the cache or on the Hub; with `gguf_file` a GGUF file of it. Options that
   * are none of ModelOptions override the configuration's fields.
   */
  static async from_pretrained(
    name_or_path: string,
    given: ModelOptions & { gguf_file?: string; [config_field: string]: unknown } = {},
  ): Promise<CallableModel<LlamaEngineModel>> {
    if (given.gguf_file !== undefined)
      return (await load_gguf(name_or_path, given, this.head)) as unknown as CallableModel<LlamaEngineModel>;
    const [name, options] = await resolve_own_checkpoint(this, name_or_path, given);
    const model = new this(options.config, name);
    const info = await model.load_tensors(name, options);
    model.placement = placement(options, () => checkpoint_dtype(options.config, model.state));
    if (model.can_generate()) await model.load_generation_config(name, options);
    await model.engine(options.signal, weights_progress(name, options.progress_callback));
    await load_own_adapter(model, options);
    return (options.output_loading_info ? [model, info] : model) as unknown as CallableModel<LlamaEngineModel>;
  }

  /** A model with fresh weights: normal with `initializer_range`, ones and zeros, drawn from `seed`. */
  static async from_config(
    config: PretrainedConfig,
    options: ModelOptions & { seed?: number } = {},
  ): Promise<DecoderModel> {
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
    return (this.constructor as typeof DecoderModel).family;
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

  protected override get can_untie(): boolean {
    return !this.family.always_tied;
  }

  /** A tensor's name in this model, by that in a model of the head for language. */
  private own_name(name: string): string {
    if (this.head === base) return name.replace(/^model\./, "");
    return name.replace(/^model\./, `${(this.constructor as typeof DecoderModel).base_model_prefix}.`);
  }

  protected override engine_parameters(): Parameter[] {
    const all = this.family.parameters(this.decoder);
    const kept = this.head.logits ? all : all.filter(({ name }) => name.startsWith("model."));
    return kept.map((parameter) => ({ ...parameter, name: this.own_name(parameter.name) }));
  }

  override parameters(): ParameterSpec[] {
    return [...this.engine_parameters(), ...this.head.parameters(this.config)];
  }

  override tied_weights(): [string, string][] {
    return this.head.logits && this.decoder.tie_word_embeddings
      ? [["lm_head.weight", "model.embed_tokens.weight"]]
      : [];
  }

  protected override token_tensors(): TokenTensors {
    const embeddings = this.own_name("model.embed_tokens.weight");
    return this.head.logits ? { embeddings, head: "lm_head.weight" } : { embeddings };
  }

  /** A model with fewer layers, over the same tensors, in an engine of its own. */
  protected override early_exit(layers: number): DecoderModel {
    if (this.chosen_adapters().length > 0)
      throw new TransformersError("assistant_early_exit is not supported together with adapters", "unsupported");
    if (layers >= this.decoder.num_hidden_layers) return this;
    const exit = this.early_exits.get(layers) ?? this.first_layers(layers);
    this.early_exits.set(layers, exit);
    exit.generation_config = this.generation_config;
    return exit;
  }

  private first_layers(layers: number): DecoderModel {
    const config = (this.config.constructor as typeof PretrainedConfig).from_dict(
      this.config.to_dict(),
    ) as PretrainedConfig;
    config["num_hidden_layers"] = layers;
    const type = this.constructor as new (config: PretrainedConfig, name_or_path?: string) => DecoderModel;
    const made = new type(config, this.name_or_path);
    made.state = new (native().StateDict)(this.require_tensors("assistant_early_exit"));
    made.placement = this.placement;
    return made;
  }

  protected override retire_engine(): void {
    for (const model of this.early_exits.values()) void model.dispose();
    this.early_exits.clear();
    super.retire_engine();
  }

  protected override async drop_engine(): Promise<void> {
    const exits = [...this.early_exits.values()];
    this.early_exits.clear();
    await Promise.all([super.drop_engine(), ...exits.map((model) => model.dispose())]);
  }

  protected override load_engine(on_progress?: (progress: number) => void) {
    const tied = new Set(this.adapts_tied_weights ? [] : this.tied_weights().map(([alias]) => alias));
    const tensors = tensor_sources(this.engine_parameters().filter(({ name }) => !tied.has(name)));
    if (this.family.wants_output && !tensors.some(({ name }) => name === "output.weight"))
      tensors.push({ name: "output.weight", sources: [this.token_tensors().embeddings] });
    const constants = (this.family.constants?.(this.decoder) ?? []).map(({ gguf, data }) => ({
      name: gguf,
      data,
      shape: [data.length],
    }));
    const state_dict = this.require_tensors("the engine");
    return this.with_adapted(state_dict, { pairs: false }, () =>
      native().load_llama_engine(
        {
          state_dict,
          metadata: this.family.metadata(this.decoder),
          tensors: [...tensors, ...constants],
          dtype: this.placement.dtype.llama,
          max_positions: this.family.max_positions?.(this.decoder) ?? ROTARY_POSITIONS,
          output_logits: this.head.logits,
          ...engine_options(this.placement),
        },
        on_progress,
      ),
    );
  }
}

/** Makes `LlamaForCausalLM` of the family `llama` and the head `causal_lm`. */
export function decoder_class(
  family: LlamaFamily,
  head: DecoderHead,
  name: string,
  prefix = "model",
): typeof DecoderModel {
  const type = class extends DecoderModel {
    static override family = family;
    static override head = head;
    static override base_model_prefix = prefix;
  };
  Object.defineProperty(type, "name", { value: name });
  return type;
}

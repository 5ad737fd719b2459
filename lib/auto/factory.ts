// The classes behind AutoModel and AutoModelFor*: from a configuration's `model_type` to a model class.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/auto/auto_factory.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError } from "../errors.js";
import {
  type AnyOptions,
  check_name,
  remember_type,
  resolve_checkpoint,
  split_model_options,
} from "../models/model_options.js";
import type { ModelOptions } from "../models/placement.js";
import type { ModelClass, PreTrainedModel } from "../models/pretrained.js";
import { AutoConfig, config_class_for } from "./configuration.js";

/** One Auto class: a name, and the model classes by `model_type`. */
export class AutoModelFactory<Model extends PreTrainedModel> {
  readonly name: string;
  private readonly classes = new Map<string, ModelClass>();
  private readonly gguf: ((path: string, options: AnyOptions) => Promise<Model>) | undefined;

  constructor(
    name: string,
    classes: Record<string, ModelClass>,
    gguf?: (path: string, options: AnyOptions) => Promise<Model>,
  ) {
    this.name = name;
    this.gguf = gguf;
    for (const [type, model] of Object.entries(classes)) this.add(type, model);
  }

  /**
   * Loads a model: from a folder, or from a name in the cache or on the Hub.
   * Options that are none of ModelOptions override the configuration's fields.
   * @throws TypeError for unknown options, TransformersError for files that are missing or malformed.
   */
  async from_pretrained(name_or_path: string, options: AnyOptions = {}): Promise<Model> {
    check_name(name_or_path);
    if (this.gguf && (options.gguf_file !== undefined || name_or_path.endsWith(".gguf")))
      return this.gguf(name_or_path, split_model_options(options)[0]);
    const [base, resolved] = await resolve_checkpoint(this.name, AutoConfig, name_or_path, options);
    return this.class_of(resolved.config).from_pretrained(base, resolved) as Promise<Model>;
  }

  /** A model of this configuration with fresh weights. */
  async from_config(config: PretrainedConfig, options: ModelOptions & { seed?: number } = {}): Promise<Model> {
    return this.class_of(config).from_config(config, options) as Promise<Model>;
  }

  /** Adds a model class for the configurations of `model_type`. */
  register(model_type: string | { model_type: string }, model: ModelClass, { exist_ok = false } = {}): void {
    const type = typeof model_type === "string" ? model_type : model_type.model_type;
    if (typeof type !== "string") throw expected("a model_type or a configuration class", "config_class", model_type);
    if (this.classes.has(type) && !exist_ok)
      throw new TransformersError(`'${type}' is already used by a Transformers model.`, "already_registered");
    this.add(type, model);
  }

  private add(type: string, model: ModelClass): void {
    this.classes.set(type, model);
    remember_type(model, type);
  }

  /** The names of the model classes. */
  class_names(): string[] {
    return [...this.classes.values()].map((model) => model.name);
  }

  /** The names of the configuration classes, in the order of their types. */
  private config_names(): string[] {
    return [...this.classes.keys()].sort().map((type) => config_class_for(type)?.name ?? type);
  }

  /** The class of the models of this configuration. @throws TransformersError `unrecognized_configuration` if there is none. */
  class_of(config: PretrainedConfig): ModelClass {
    const found = this.classes.get(config.model_type);
    if (found) return found;
    throw new TransformersError(
      `Unrecognized configuration class ${config.constructor.name} for this kind of AutoModel: ${this.name}.\n` +
        `Model type should be one of ${this.config_names().join(", ")}.`,
      "unrecognized_configuration",
    );
  }
}

// The classes behind AutoModel and AutoModelFor*: from a configuration's `model_type` to a model class.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/auto/auto_factory.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import { HUB_OPTION_NAMES, split_hub_options } from "../hub/cached_file.js";
import type { ModelClass, ModelOptions, PreTrainedModel } from "../models/pretrained.js";
import { AutoConfig, config_class_for } from "./configuration.js";

/** Options of the weights and files; every other option is a field of the configuration, as in Python. */
const MODEL_OPTIONS = new Set<string>([
  ...HUB_OPTION_NAMES,
  ...["config", "use_safetensors", "variant", "dtype", "torch_dtype", "device", "device_map", "n_threads"],
  ...["n_gpu_layers", "output_loading_info", "ignore_mismatched_sizes", "key_mapping", "state_dict", "gguf_file"],
]);
/** Options that ask Python for things that are always so here, or never. */
const SETTLED: Record<string, (value: unknown) => boolean> = {
  trust_remote_code: (value) => !value,
  low_cpu_mem_usage: () => true,
  weights_only: (value) => value !== false,
  attn_implementation: () => true,
  use_external_data_format: () => true,
  model_file_name: (value) => value === undefined || value === null,
};

type AnyOptions = ModelOptions & { gguf_file?: string; [config_field: string]: unknown };

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
    for (const [type, model] of Object.entries(classes)) this.classes.set(type, model);
  }

  /**
   * Loads a model: from a folder, or from a name in the cache or on the Hub.
   * Options that are none of ModelOptions override the configuration's fields.
   * @throws TypeError for unknown options, TransformersError for files that are missing or malformed.
   */
  async from_pretrained(name_or_path: string, options: AnyOptions = {}): Promise<Model> {
    if (typeof name_or_path !== "string" || name_or_path === "")
      throw expected("a model's name or folder", "pretrained_model_name_or_path", name_or_path);
    const own: Record<string, unknown> = {};
    const overrides: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(options)) {
      if (key === "session_options") Object.assign(own, session_threads(value, options["n_threads"]));
      else if (key in SETTLED) {
        if (!SETTLED[key](value))
          throw new TransformersError(`${key}: ${String(value)} is not supported`, "unsupported");
      } else (MODEL_OPTIONS.has(key) ? own : overrides)[key] = value;
    }
    if (this.gguf && (own["gguf_file"] !== undefined || name_or_path.endsWith(".gguf")))
      return this.gguf(name_or_path, own as AnyOptions);

    const { config, ...rest } = own as AnyOptions;
    const resolved =
      typeof config === "object" ? config : await this.configuration(config ?? name_or_path, overrides, rest);
    return this.class_of(resolved).from_pretrained(name_or_path, { ...rest, config: resolved }) as Promise<Model>;
  }

  private async configuration(
    name: string,
    overrides: Record<string, unknown>,
    files: Record<string, unknown>,
  ): Promise<PretrainedConfig> {
    const [config, unused] = (await AutoConfig.from_pretrained(name, {
      ...split_hub_options(files)[0],
      ...overrides,
      return_unused_kwargs: true,
    })) as [PretrainedConfig, Record<string, unknown>];
    const stranger = Object.keys(unused).find((key) => key in overrides);
    if (stranger)
      throw new TypeError(`${this.name}.from_pretrained() got an unexpected keyword argument '${stranger}'`);
    return config;
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
    this.classes.set(type, model);
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

/** transformers.js's options for ONNX Runtime: of these only the number of threads means something here. */
function session_threads(session_options: unknown, n_threads: unknown): { n_threads?: number } {
  if (session_options === undefined || session_options === null) return {};
  if (typeof session_options !== "object") throw expected("an object", "session_options", session_options);
  const { intraOpNumThreads, ...rest } = session_options as { intraOpNumThreads?: number };
  const others = Object.keys(rest);
  if (others.length > 0) warn_once(`session_options: ${others.join(", ")} of ONNX Runtime have no effect here.`);
  // ONNX Runtime's 0 stands for its default.
  return intraOpNumThreads && n_threads === undefined ? { n_threads: intraOpNumThreads } : {};
}

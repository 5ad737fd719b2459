// What every from_pretrained does before the weights: sorts its options, and finds the configuration.
import { AutoConfig, config_class_for } from "../auto/configuration.js";
import { type ConfigClass, PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import { HUB_OPTION_NAMES, type HubOptions, local_folder, split_hub_options } from "../hub/cached_file.js";
import { find_adapter_config, type LoraConfig, read_adapter_config } from "./peft/config.js";
import type { ModelOptions } from "./placement.js";

/** Options of the weights and files; every other option is a field of the configuration, as in Python. */
const MODEL_OPTIONS = new Set<string>([
  ...HUB_OPTION_NAMES,
  ...["config", "use_safetensors", "variant", "dtype", "torch_dtype", "device", "device_map", "n_threads"],
  ...["n_gpu_layers", "output_loading_info", "ignore_mismatched_sizes", "key_mapping", "state_dict", "gguf_file"],
  ...["adapter_name", "adapter_kwargs"],
]);

/** Python's kernels of attention, which compute one thing: the engines have their own. */
const ATTENTION = ["eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"];
/** Options that ask Python for things that are always so here, or never. */
const SETTLED: Record<string, (value: unknown) => boolean> = {
  trust_remote_code: (value) => !value,
  low_cpu_mem_usage: () => true,
  weights_only: (value) => value !== false,
  attn_implementation: check_attention,
  use_external_data_format: () => true,
  model_file_name: (value) => value === undefined || value === null,
};

function check_attention(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "string" || !ATTENTION.includes(value))
    throw expected(`one of ${ATTENTION.join(", ")}`, "attn_implementation", value);
  if (value !== "eager" && value !== "sdpa")
    warn_once(`attn_implementation "${value}" has no effect: the engines have kernels of their own.`);
  return true;
}

export type AnyOptions = ModelOptions & { gguf_file?: string; [config_field: string]: unknown };
type Resolved = ModelOptions & { config: PretrainedConfig; [config_field: string]: unknown };

interface ConfigReader {
  from_pretrained(name: string, options: object): Promise<unknown>;
}

/** The options of the weights and files, and the fields of the configuration. */
export function split_model_options(options: Record<string, unknown>): [AnyOptions, Record<string, unknown>] {
  const own: Record<string, unknown> = {};
  const overrides: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (key === "session_options") Object.assign(own, session_threads(value, options["n_threads"]));
    else if (key in SETTLED) {
      if (!SETTLED[key](value)) throw new TransformersError(`${key}: ${String(value)} is not supported`, "unsupported");
    } else (MODEL_OPTIONS.has(key) ? own : overrides)[key] = value;
  }
  return [own as AnyOptions, overrides];
}

export function check_name(name_or_path: unknown): void {
  if (typeof name_or_path !== "string" || name_or_path === "")
    throw expected("a model's name or folder", "pretrained_model_name_or_path", name_or_path);
}

/**
 * The options with a configuration: the one given, or the checkpoint's under the fields that stand among the options.
 * `config_class`: what reads it; `caller` is named when an option is unknown.
 */
async function with_config(
  caller: string,
  config_class: ConfigReader,
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<Resolved> {
  const [{ config, ...own }, overrides] = split_model_options(options);
  if (config instanceof PretrainedConfig) {
    refuse(caller, Object.keys(overrides)[0]);
    return { ...own, config };
  }
  if (config !== undefined && typeof config !== "string") throw expected("a configuration", "config", config);
  const [found, unused] = (await config_class.from_pretrained(config ?? name_or_path, {
    ...split_hub_options(own)[0],
    ...overrides,
    return_unused_kwargs: true,
  })) as [PretrainedConfig, Record<string, unknown>];
  refuse(
    caller,
    Object.keys(unused).find((key) => key in overrides),
  );
  return { ...own, config: found };
}

function refuse(caller: string, stranger: string | undefined): void {
  if (stranger !== undefined)
    throw new TypeError(`${caller}.from_pretrained() got an unexpected keyword argument '${stranger}'`);
}

/** What of a call's options is about an adapter. */
interface AdapterOptions {
  /** The name of the adapter that a folder holds instead of a model. Default: "default". */
  adapter_name?: string;
  adapter_kwargs?: HubOptions & { _adapter_model_path?: string };
}

/**
 * The name of the checkpoint to load, and the options with its configuration. A folder or repository with
 * adapter_config.json stands for the model that the adapter was made for: that one's name comes back, and the adapter's
 * path is among the options.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/auto/auto_factory.py `_BaseAutoModelClass.from_pretrained`
 */
export async function resolve_checkpoint(
  caller: string,
  config_class: ConfigReader,
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<[name: string, options: Resolved]> {
  check_name(name_or_path);
  const known = (options as AdapterOptions).adapter_kwargs?._adapter_model_path !== undefined;
  const local = known ? undefined : await local_folder(name_or_path);
  const own = local === undefined ? undefined : await adapted_model(name_or_path, options);
  if (own) return [own[0], await with_config(caller, config_class, ...own)];
  try {
    return [name_or_path, await with_config(caller, config_class, name_or_path, options)];
  } catch (error) {
    // Repositories are asked for an adapter only if they are no models: that is a request to the Hub.
    if (known || local !== undefined || (error as { code?: string }).code !== "entry_not_found") throw error;
    const remote = await adapted_model(name_or_path, options);
    if (!remote) throw error;
    return [remote[0], await with_config(caller, config_class, ...remote)];
  }
}

/** What an adapter's configuration says of its model. */
async function adapted_model(
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<[name: string, options: Record<string, unknown>] | undefined> {
  const { adapter_kwargs } = options as AdapterOptions;
  const path = await find_adapter_config(name_or_path, { ...split_hub_options(options)[0], ...adapter_kwargs });
  if (path === undefined) return undefined;
  const { base_model_name_or_path: base } = (await read_adapter_config(path)) as LoraConfig;
  if (typeof base !== "string" || base === "")
    throw new TransformersError(`${path} does not say the base_model_name_or_path that it is for`, "adapter_invalid");
  return [base, { ...options, adapter_kwargs: { ...adapter_kwargs, _adapter_model_path: name_or_path } }];
}

/** Loads the adapter that `resolve_checkpoint` found. */
export async function load_own_adapter(
  model: { load_adapter(name: string, options: object): Promise<void> },
  options: object,
): Promise<void> {
  const { adapter_name, adapter_kwargs } = options as AdapterOptions;
  const { _adapter_model_path: path, ...files } = adapter_kwargs ?? {};
  if (path === undefined) return;
  await model.load_adapter(path, {
    ...split_hub_options(options as HubOptions)[0],
    ...files,
    ...(adapter_name === undefined ? {} : { adapter_name }),
  });
}

/** The model types that the registries know a class under. */
const types_of = new WeakMap<object, Set<string>>();

/** Says that a model class is for configurations of `model_type`. */
export function remember_type(model: object, model_type: string): void {
  const types = types_of.get(model) ?? new Set();
  types_of.set(model, types.add(model_type));
}

/**
 * `resolve_checkpoint` for `BertModel.from_pretrained(name)`. The configuration is read as one of the class: one of
 * another model type warns, as in Python. A class of one's own says in `static config_class` which that is.
 */
export function resolve_own_checkpoint(
  model: { name: string; config_class?: ConfigClass },
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<[name: string, options: Resolved]> {
  const [type] = types_of.get(model) ?? [];
  const own = model.config_class ?? (type === undefined ? undefined : config_class_for(type));
  return resolve_checkpoint(model.name, own ?? AutoConfig, name_or_path, options);
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

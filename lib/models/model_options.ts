// What every from_pretrained does before the weights: sorts its options, and finds the configuration.
import { AutoConfig, config_class_for } from "../auto/configuration.js";
import { type ConfigClass, PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import { HUB_OPTION_NAMES, split_hub_options } from "../hub/cached_file.js";
import type { ModelOptions } from "./pretrained.js";

/** Options of the weights and files; every other option is a field of the configuration, as in Python. */
const MODEL_OPTIONS = new Set<string>([
  ...HUB_OPTION_NAMES,
  ...["config", "use_safetensors", "variant", "dtype", "torch_dtype", "device", "device_map", "n_threads"],
  ...["n_gpu_layers", "output_loading_info", "ignore_mismatched_sizes", "key_mapping", "state_dict", "gguf_file"],
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
export async function with_config(
  caller: string,
  config_class: { from_pretrained(name: string, options: object): Promise<unknown> },
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<Resolved> {
  check_name(name_or_path);
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

/** The model types that the registries know a class under. */
const types_of = new WeakMap<object, Set<string>>();

/** Says that a model class is for configurations of `model_type`. */
export function remember_type(model: object, model_type: string): void {
  const types = types_of.get(model) ?? new Set();
  types_of.set(model, types.add(model_type));
}

/**
 * The options of `BertModel.from_pretrained(name)`, with the checkpoint's configuration, read as one of the class: one
 * of another model type warns, as in Python. A class of one's own says in `static config_class` which that is.
 */
export function with_own_config(
  model: { name: string; config_class?: ConfigClass },
  name_or_path: string,
  options: Record<string, unknown>,
): Promise<Resolved> {
  const [type] = types_of.get(model) ?? [];
  const own = model.config_class ?? (type === undefined ? undefined : config_class_for(type));
  return with_config(model.name, own ?? AutoConfig, name_or_path, options);
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

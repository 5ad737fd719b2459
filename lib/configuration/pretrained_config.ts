// PretrainedConfig: what a checkpoint's config.json says, as an object. Ported from configuration_utils.py.
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect, isDeepStrictEqual } from "node:util";
import { expected, TransformersError, warn_once } from "../errors.js";
import { make_folder } from "../files.js";
import { floats_of, repr, with_floats } from "../python.js";
import { clone_json, dump_json } from "../python_json.js";
import { COMMON_DEFAULTS, GENERATION_DEFAULTS, TRANSFORMERS_VERSION } from "./defaults.js";
import { type ConfigOptions, get_config_dict } from "./loading.js";

export type ConfigDict = Record<string, unknown>;

/** A class of configurations: `PretrainedConfig` or what extends it. */
export type ConfigClass<T extends PretrainedConfig = PretrainedConfig> = typeof PretrainedConfig & {
  new (kwargs?: ConfigDict): T;
};

const DTYPES = /^(float(16|32|64)|half|double|bfloat16|float8_\w+|(u?int(8|16|32|64))|bool|complex(32|64|128)|auto)$/;
const PROBLEM_TYPES = [null, undefined, "regression", "single_label_classification", "multi_label_classification"];
/** Objects whose keys are integers in Python. */
const NUMERIC_KEYS = new Set(["id2label", "pruned_heads"]);

/** Of each class, what a configuration of it holds that nobody told anything. */
const defaults_of = new WeakMap<ConfigClass, ConfigDict>();

/**
 * The configuration of a model. Fields are ordinary properties: those of every model (`COMMON_DEFAULTS`), the class's
 * own (`static defaults`), and whatever else config.json holds. Names in `attribute_map` read and write the other name.
 *
 * A class of your own: extend this one, give `static model_type` and `static defaults`, and tell
 * `AutoConfig.register(model_type, MyConfig)`.
 */
export class PretrainedConfig {
  static model_type = "";
  /** The class's own arguments with their defaults. */
  static defaults: ConfigDict = {};
  /** Other names of fields: `{ hidden_size: "n_embd" }`. */
  static attribute_map: Record<string, string> = {};
  /** Fields that are configurations themselves, and their model types. */
  static sub_configs: Record<string, string> = {};
  /** Where a larger model's config.json holds this configuration. */
  static base_config_key = "";
  static keys_to_ignore_at_inference: string[] = [];
  /** True when the constructor needs arguments: then everything is saved. */
  static has_no_defaults_at_init = false;

  // biome-ignore lint/suspicious/noExplicitAny: the fields are what the checkpoint says.
  [field: string]: any;

  #model_type = "";
  #name_or_path = "";
  #commit_hash: string | undefined;
  #attn_implementation: string | null = null;
  #output_attentions = false;
  /** Fields whose whole numbers are floats. */
  readonly #floats = new Set<string>();

  constructor(kwargs: ConfigDict = {}) {
    const cls = this.constructor as ConfigClass;
    define_mapped_names(cls);
    const given = { ...kwargs };
    const taken = new Set<string>();
    const take = (name: string, otherwise: unknown = null): unknown => {
      taken.add(name);
      return given[name] === undefined ? otherwise : given[name];
    };

    this.#model_type = String(take("model_type", ""));
    const num_labels = take("num_labels", cls.defaults.num_labels ?? null) as number | null;
    const labels = check_labels(take("id2label"), take("label2id", undefined), num_labels);
    for (const defaults of [COMMON_DEFAULTS, cls.defaults]) {
      for (const name of floats_of(defaults) ?? []) this.#floats.add(name);
    }
    const { num_labels: _, ...own } = cls.defaults;
    for (const [name, value] of Object.entries({ ...COMMON_DEFAULTS, ...own })) {
      this.set(name, take(name, clone_json(value)));
    }
    this.pruned_heads ??= {};
    if (!PROBLEM_TYPES.includes(this.problem_type)) {
      throw new TypeError(
        `The config parameter \`problem_type\` was not understood: received ${this.problem_type} ` +
          "but only 'regression', 'single_label_classification' and 'multi_label_classification' are valid.",
      );
    }
    const torch_dtype = take("torch_dtype");
    this.dtype = check_dtype(take("dtype") ?? torch_dtype);
    if (labels) Object.assign(this, labels);
    else this.create_label_maps(num_labels ?? 2);
    this.#name_or_path = String(take("name_or_path", ""));
    this.#commit_hash = (take("_commit_hash") ?? undefined) as string | undefined;
    this.#attn_implementation = take("attn_implementation") as string | null;
    this.#output_attentions = Boolean(take("output_attentions", false));
    cls.complete(this, given);
    if (given.gradient_checkpointing) {
      warn_once("`gradient_checkpointing` in a config has no effect: this package does not train.");
    }
    for (const [name, value] of Object.entries(given)) {
      if (!taken.has(name) && value !== undefined) this.set(name, value);
    }
    this.remember_floats(kwargs);
  }

  /** What the constructor of a class does beyond storing its arguments; what it deletes from `given` is not stored. */
  protected static complete(_config: PretrainedConfig, _given: ConfigDict): void {}

  /** Sets a field of config.json, whose names are not ours. */
  private set(name: string, value: unknown): void {
    if (name === "__proto__" || METHODS.has(name)) {
      throw new TransformersError(`A config cannot have a field named '${name}'.`, "config_invalid");
    }
    this[name] = value;
  }

  /** Takes over which numbers of a parsed config.json were written as floats. */
  private remember_floats(from: ConfigDict): void {
    const floats = floats_of(from);
    if (!floats) return;
    const map = (this.constructor as ConfigClass).attribute_map;
    for (const name of Object.keys(from)) {
      if (floats.has(name)) this.#floats.add(map[name] ?? name);
      else this.#floats.delete(map[name] ?? name);
    }
  }

  private create_label_maps(num_labels: number): void {
    const labels = Array.from({ length: num_labels }, (_, i) => `LABEL_${i}`);
    this.id2label = { ...labels };
    this.label2id = Object.fromEntries(labels.map((label, i) => [label, i]));
  }

  /** The class's; of `PretrainedConfig` itself, what it was given. */
  get model_type(): string {
    return (this.constructor as ConfigClass).model_type || this.#model_type;
  }

  get name_or_path(): string {
    return this.#name_or_path;
  }
  set name_or_path(value: string) {
    this.#name_or_path = String(value);
  }
  get _name_or_path(): string {
    return this.#name_or_path;
  }
  set _name_or_path(value: string) {
    this.#name_or_path = String(value);
  }

  /** The commit that the configuration was loaded from. */
  get _commit_hash(): string | undefined {
    return this.#commit_hash;
  }
  set _commit_hash(value: string | undefined) {
    this.#commit_hash = value;
  }

  get _attn_implementation(): string | null {
    return this.#attn_implementation;
  }
  /** Goes to the sub-configurations too; an object gives each its own, "" being this one. */
  set _attn_implementation(value: string | null | Record<string, string>) {
    const each = (name: string, current: string | null) =>
      typeof value === "object" && value !== null ? (value[name] ?? current) : value;
    this.#attn_implementation = each("", this.#attn_implementation);
    for (const name of Object.keys((this.constructor as ConfigClass).sub_configs)) {
      const sub = this[name];
      if (sub instanceof PretrainedConfig) sub._attn_implementation = each(name, sub._attn_implementation);
    }
  }

  get output_attentions(): boolean {
    return this.#output_attentions;
  }
  set output_attentions(value: boolean) {
    if (value) this.#attn_implementation ??= "eager";
    if (value && this.#attn_implementation !== "eager") {
      throw new TypeError(
        "The `output_attentions` attribute is not supported when using the `attn_implementation` set to " +
          `${this.#attn_implementation}. Please set it to 'eager' instead.`,
      );
    }
    this.#output_attentions = value;
  }

  get use_return_dict(): boolean {
    return this.return_dict && !this.torchscript;
  }

  /** The number of labels; setting another number makes new ones, `LABEL_0`, `LABEL_1`, … */
  get num_labels(): number {
    return Object.keys(this.id2label).length;
  }
  set num_labels(value: number) {
    if (!Number.isInteger(value) || value < 0) throw expected("a non-negative integer", "num_labels", value);
    if (!this.id2label || this.num_labels !== value) this.create_label_maps(value);
  }

  /** The old name of `dtype`. */
  get torch_dtype(): unknown {
    return this.dtype;
  }
  set torch_dtype(value: unknown) {
    this.dtype = value;
  }

  /**
   * Loads the configuration of a checkpoint. Options whose names are fields override them; the others are ignored, or
   * come second with `return_unused_kwargs`.
   *
   * @param name_or_path a folder, a JSON file, or a repository's id
   */
  static from_pretrained<T extends PretrainedConfig>(
    this: ConfigClass<T>,
    name_or_path: string,
    options: ConfigOptions & { return_unused_kwargs: true },
  ): Promise<[T, ConfigDict]>;
  static from_pretrained<T extends PretrainedConfig>(
    this: ConfigClass<T>,
    name_or_path: string,
    options?: ConfigOptions,
  ): Promise<T>;
  static async from_pretrained(this: ConfigClass, name_or_path: string, options: ConfigOptions = {}): Promise<unknown> {
    let [dict, kwargs] = await get_config_dict(name_or_path, options);
    const inner = this.base_config_key ? dict[this.base_config_key] : undefined;
    if (is_dict(inner)) dict = inner;
    if ("model_type" in dict && dict.model_type !== this.model_type) {
      const match = Object.values(dict).find((value) => is_dict(value) && value["model_type"] === this.model_type);
      if (match) dict = match as ConfigDict;
      else if (this.model_type) {
        warn_once(
          `You are using a model of type ${dict.model_type} to instantiate a model of type ${this.model_type}. ` +
            "This is not supported for all configurations of models and can yield errors.",
        );
      }
    }
    return this.from_dict(dict, kwargs);
  }

  /** A configuration from the object of a config.json; `kwargs` as the options of `from_pretrained`. */
  static from_dict<T extends PretrainedConfig>(
    this: ConfigClass<T>,
    dict: ConfigDict,
    kwargs: ConfigDict & { return_unused_kwargs: true },
  ): [T, ConfigDict];
  static from_dict<T extends PretrainedConfig>(this: ConfigClass<T>, dict: ConfigDict, kwargs?: ConfigDict): T;
  static from_dict(this: ConfigClass, dict: ConfigDict, kwargs: ConfigDict = {}): unknown {
    const { return_unused_kwargs, torch_dtype, attn_implementation = null, ...given } = kwargs;
    if (torch_dtype !== undefined) given.dtype ??= torch_dtype;
    const marked = with_floats({ ...dict, attn_implementation }, floats_of(dict) ?? []);
    const config = new this(floats_of(dict) ? marked : { ...dict, attn_implementation });
    const { num_labels, id2label } = given;
    if (num_labels !== undefined && id2label !== undefined) {
      const count = Object.keys(id2label ?? {}).length;
      if (count !== num_labels) {
        throw new TypeError(
          `You passed along \`num_labels=${num_labels}\` with an incompatible id to label map: ${repr(id2label)}. ` +
            "Since those arguments are inconsistent with each other, you should remove one of them.",
        );
      }
    }
    const unused: ConfigDict = {};
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue;
      const known = name in config;
      if (known) {
        const current = config[name];
        const sub = current instanceof PretrainedConfig && is_dict(value);
        config.set(name, sub ? new (current.constructor as ConfigClass)({ ...current.to_dict(), ...value }) : value);
      }
      if (!known || name === "dtype") unused[name] = value;
    }
    return return_unused_kwargs ? [config, unused] : config;
  }

  static async from_json_file<T extends PretrainedConfig>(this: ConfigClass<T>, path: string): Promise<T> {
    const { read_json } = await import("./loading.js");
    return new this(await read_json(path)) as T;
  }

  /** All fields as a plain object. */
  to_dict(): ConfigDict {
    const dict: ConfigDict = {};
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof PretrainedConfig) {
        const { transformers_version: _, ...inner } = value.to_dict();
        dict[name] = with_floats(inner, value.#floats);
      } else if (value !== undefined) dict[name] = clone_json(value);
    }
    dict.output_attentions = this.#output_attentions;
    dict._name_or_path = this.#name_or_path;
    dict.model_type = this.model_type;
    dict.transformers_version = TRANSFORMERS_VERSION;
    return with_floats(dict, this.#floats);
  }

  /** The fields that differ from the defaults of `PretrainedConfig` or of the class: what config.json gets. */
  to_diff_dict(): ConfigDict {
    const cls = this.constructor as ConfigClass;
    const common = new PretrainedConfig().to_dict();
    const own = cls.has_no_defaults_at_init ? {} : new cls().to_dict();
    const diff: ConfigDict = {};
    for (const [name, value] of Object.entries(this.to_dict())) {
      const inner = this[name];
      if (inner instanceof PretrainedConfig && (is_dict(own[name]) || name in cls.sub_configs)) {
        diff[name] = nested_diff(value as ConfigDict, common, inner);
      } else if (
        !(name in common) ||
        name === "transformers_version" ||
        !isDeepStrictEqual(value, common[name]) ||
        (name in own && !isDeepStrictEqual(value, own[name]))
      ) {
        diff[name] = value;
      }
    }
    delete diff._name_or_path;
    return with_floats(diff, this.#floats);
  }

  /** As Python's: sorted, indented by two, the differences from the defaults alone unless `use_diff` is false. */
  to_json_string(use_diff = true): string {
    const dict = use_diff ? this.to_diff_dict() : this.to_dict();
    return `${dump_json(dict, { indent: 2, sort_keys: true, numeric_keys: NUMERIC_KEYS })}\n`;
  }

  async to_json_file(path: string, use_diff = true): Promise<void> {
    await writeFile(path, this.to_json_string(use_diff));
  }

  /** Writes `config.json` into the folder, which is made if it is missing. */
  async save_pretrained(save_directory: string, options: { push_to_hub?: boolean } = {}): Promise<void> {
    if (options.push_to_hub) throw new TransformersError("push_to_hub is not supported.", "not_supported");
    if (typeof save_directory !== "string") throw expected("a folder", "save_directory", save_directory);
    const found = await stat(save_directory).catch(() => undefined);
    if (found?.isFile()) {
      const message = `Provided path (${save_directory}) should be a directory, not a file`;
      throw new TransformersError(message, "not_a_directory");
    }
    const changed = this._get_non_default_generation_parameters();
    if (Object.keys(changed).length > 0) {
      warn_once(
        "Some non-default generation parameters are set in the model config. These should go into either a) " +
          "`model.generation_config` (as opposed to `model.config`); OR b) a GenerationConfig file " +
          "(https://huggingface.co/docs/transformers/generation_strategies#save-a-custom-decoding-strategy-with-your-model)." +
          `\nNon-default generation parameters: ${repr(changed)}`,
      );
    }
    await make_folder(save_directory);
    await this.to_json_file(join(save_directory, "config.json"));
  }

  /** Sets several fields. */
  update(dict: ConfigDict): void {
    for (const [name, value] of Object.entries(dict)) this.set(name, value);
  }

  /** Generation settings of this object that differ from its class's. */
  _get_non_default_generation_parameters(): ConfigDict {
    const cls = this.constructor as ConfigClass;
    const defaults = cls.has_no_defaults_at_init ? GENERATION_DEFAULTS : (defaults_of.get(cls) ?? new cls());
    if (!cls.has_no_defaults_at_init) defaults_of.set(cls, defaults);
    const changed: ConfigDict = {};
    for (const name of Object.keys(GENERATION_DEFAULTS)) {
      const value = this[name];
      if (value === null || value === undefined || isDeepStrictEqual(value, defaults[name])) continue;
      changed[name] = value;
    }
    return with_floats(changed, this.#floats);
  }

  /** The configuration of the text model inside this one, or this one. */
  get_text_config({ decoder = false, encoder = false } = {}): PretrainedConfig {
    const both = decoder === encoder;
    const names = [...(both || encoder ? ["text_encoder"] : []), ...(both || decoder ? DECODER_NAMES : [])];
    const found = names.filter((name) => this[name] instanceof PretrainedConfig);
    if (found.length > 1) {
      throw new TypeError(
        `Multiple valid text configs were found in the model config: ${repr(found)}. In this case, using ` +
          "`get_text_config()` would be ambiguous. Please specify the desired text config directly, e.g. " +
          "`text_config = config.sub_config_name`",
      );
    }
    if (found.length === 1) return this[found[0]!];
    return both || !this.is_encoder_decoder ? this : half_of(this, decoder ? "decoder" : "encoder");
  }

  toString(): string {
    return `${this.constructor.name} ${this.to_json_string()}`;
  }

  toJSON(): ConfigDict {
    return this.to_dict();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

const METHODS = new Set(
  Object.entries(Object.getOwnPropertyDescriptors(PretrainedConfig.prototype)).flatMap(([name, { value }]) =>
    typeof value === "function" ? name : [],
  ),
);

const DECODER_NAMES = ["decoder", "generator", "text_config"];

export function is_dict(value: unknown): value is ConfigDict {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function check_dtype(value: unknown): unknown {
  if (value === null || typeof value === "object" || (typeof value === "string" && DTYPES.test(value))) return value;
  throw expected('the name of a torch dtype, as "float32"', "dtype", value);
}

function check_labels(id2label: unknown, label2id: unknown, num_labels: number | null): ConfigDict | undefined {
  const is_map = (value: unknown) => typeof value === "object" && !Array.isArray(value);
  if (label2id !== undefined && !is_map(label2id)) throw new TypeError("Argument label2id should be a dictionary.");
  if (!is_map(id2label)) throw new TypeError("Argument id2label should be a dictionary.");
  if (id2label === null) return undefined;
  const labels = id2label as ConfigDict;
  for (const key of Object.keys(labels)) {
    if (!/^-?\d+$/.test(key)) throw expected("integer keys", "id2label", key);
  }
  const count = Object.keys(labels).length;
  if (num_labels !== null && count !== num_labels) {
    warn_once(
      `You passed \`num_labels=${num_labels}\` which is incompatible to the \`id2label\` map of length \`${count}\`.`,
    );
  }
  return { id2label: labels, label2id: label2id ?? null };
}

/** Python's `recursive_diff_dict`. */
function nested_diff(dict: ConfigDict, common: ConfigDict, config: PretrainedConfig): ConfigDict {
  const own = new (config.constructor as ConfigClass)().to_dict();
  const diff: ConfigDict = {};
  for (const [name, value] of Object.entries(dict)) {
    const inner = config[name];
    if (inner instanceof PretrainedConfig && is_dict(common[name])) {
      diff[name] = nested_diff(value as ConfigDict, common[name] as ConfigDict, inner);
    } else if (!(name in common) || !isDeepStrictEqual(value, own[name])) diff[name] = value;
  }
  if ("model_type" in dict) diff.model_type = dict.model_type;
  return with_floats(diff, floats_of(dict) ?? []);
}

/** An old encoder-decoder's configuration as that of one of its halves: `decoder_layers` becomes `num_hidden_layers`. */
function half_of(config: PretrainedConfig, keep: "encoder" | "decoder"): PretrainedConfig {
  const cls = config.constructor as ConfigClass;
  const drop = keep === "encoder" ? "decoder" : "encoder";
  const half = new cls(config.to_dict());
  const mapped = new Set(Object.values(cls.attribute_map));
  for (const name of Object.keys(half)) {
    if (name.startsWith(drop) && !mapped.has(name)) delete half[name];
    if (!name.startsWith(keep)) continue;
    const value = half[name];
    delete half[name];
    const renamed: ConfigDict = {
      [`${keep}_layers`]: "num_hidden_layers",
      [`${keep}_attention_heads`]: "num_attention_heads",
    };
    half[(renamed[name] as string) ?? name.slice(keep.length + 1)] = value;
  }
  return half;
}

const defined = new WeakSet<object>();

/** Defines the names of `attribute_map` on the class, once. */
function define_mapped_names(cls: ConfigClass): void {
  if (defined.has(cls)) return;
  defined.add(cls);
  for (const [name, target] of Object.entries(cls.attribute_map)) {
    if (name === target) continue;
    Object.defineProperty(cls.prototype, name, {
      configurable: true,
      get() {
        return this[target];
      },
      set(value: unknown) {
        this[target] = value;
      },
    });
  }
}

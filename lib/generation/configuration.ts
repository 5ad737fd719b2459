// GenerationConfig: how a model generates. Ported from generation/configuration_utils.py.
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect, isDeepStrictEqual } from "node:util";
import { TRANSFORMERS_VERSION } from "../configuration/defaults.js";
import { read_json } from "../configuration/loading.js";
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, received, TransformersError, warn_once } from "../errors.js";
import { make_folder } from "../files.js";
import { extract_commit_hash } from "../hub/cache.js";
import { cached_file, type HubOptions, split_hub_options } from "../hub/cached_file.js";
import { float_repr, floats_of, repr, with_floats } from "../python.js";
import { clone_json, dump_json } from "../python_json.js";
import {
  CACHE_IMPLEMENTATIONS,
  FLOAT_FIELDS,
  GENERATE_ARGUMENTS,
  GENERATION_FIELDS,
  OUTPUT_FLAGS,
  wrong_kind,
} from "./fields.js";
import { WatermarkingConfig } from "./watermarking.js";

type Dict = Record<string, unknown>;

const METADATA = ["_from_model_config", "_commit_hash", "transformers_version"];
const FILE_NAME = "generation_config.json";

export type GenerationMode =
  | "contrastive_search"
  | "greedy_search"
  | "sample"
  | "assisted_generation"
  | "dola_generation"
  | "beam_search"
  | "beam_sample"
  | "constrained_beam_search"
  | "group_beam_search";

/** Where a generation config comes from. */
export interface GenerationConfigOptions extends HubOptions {
  /** Default: "generation_config.json". */
  config_file_name?: string;
  /** Return `[config, unused]`, with the options that are no fields. Default: false. */
  return_unused_kwargs?: boolean;
  [field: string]: unknown;
}

const shown = (value: unknown): string => (typeof value === "string" ? value : received(value));

/** The settings of `generate()`, with Python's names and defaults; what else generation_config.json holds is kept. */
export class GenerationConfig {
  // biome-ignore lint/suspicious/noExplicitAny: models may add fields of their own.
  [field: string]: any;
  declare max_length: number;
  declare max_new_tokens: number | null;
  declare min_length: number;
  declare min_new_tokens: number | null;
  declare do_sample: boolean;
  declare num_beams: number;
  declare num_return_sequences: number;
  declare pad_token_id: number | null;
  declare bos_token_id: number | null;
  declare eos_token_id: number | number[] | null;
  /** The release of Transformers that wrote the file. */
  declare transformers_version: string;

  /** Fields whose whole numbers are floats. */
  readonly #floats = new Set(FLOAT_FIELDS);
  /** What this object was when it was loaded. */
  #original: string | undefined;

  constructor(kwargs: Dict = {}) {
    const { is_assistant: _, ...fields } = GENERATION_FIELDS;
    const { _from_model_config = false, _commit_hash = null, transformers_version, ...given } = kwargs;
    Object.assign(this, clone_json(fields), { is_assistant: false, _from_model_config, _commit_hash });
    this.transformers_version = String(transformers_version ?? TRANSFORMERS_VERSION);
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined || name === "is_assistant") continue;
      // A model's whole configuration comes here: what is not about generating stays out.
      if (name in fields || !_from_model_config) this.set(name, clone_json(value));
    }
    const floats = floats_of(kwargs);
    for (const name of floats ? Object.keys(given) : []) {
      if (floats!.has(name)) this.#floats.add(name);
      else this.#floats.delete(name);
    }
    this.validate();
  }

  private set(name: string, value: unknown): void {
    if (name === "__proto__" || typeof (GenerationConfig.prototype as Dict)[name] === "function") {
      throw new TypeError(`A generation config cannot have a field named '${name}'.`);
    }
    const is_settings = name === "watermarking_config" && value !== null && !(value instanceof WatermarkingConfig);
    this[name] = is_settings ? new WatermarkingConfig(value as Partial<WatermarkingConfig>) : value;
  }

  /** Sets the fields that exist; returns the others. */
  update(kwargs: Dict): Dict {
    const unused: Dict = {};
    for (const [name, value] of Object.entries(kwargs)) {
      if (value === undefined) continue;
      if (name in this) this.set(name, value);
      else unused[name] = value;
    }
    this.validate();
    return unused;
  }

  /** A copy that shares nothing with this object. */
  clone(): GenerationConfig {
    const copy = new GenerationConfig();
    for (const name of Object.keys(copy)) delete copy[name];
    for (const [name, value] of Object.entries(this)) {
      copy[name] = value instanceof WatermarkingConfig ? new WatermarkingConfig(value.to_dict()) : clone_json(value);
    }
    copy.#floats.clear();
    for (const name of this.#floats) copy.#floats.add(name);
    copy.#original = this.#original;
    return copy;
  }

  /** Is it still what was loaded or made from the model's configuration? */
  is_unmodified(): boolean {
    return this.#original !== undefined && this.#original === this.to_json_string(true, true);
  }

  /** How `generate()` proceeds with these settings. */
  get_generation_mode(assistant_model?: unknown): GenerationMode {
    const mode = this.base_mode();
    const extended =
      assistant_model || this.prompt_lookup_num_tokens !== null || this.assistant_early_exit !== null
        ? "assisted_generation"
        : this.dola_layers !== null
          ? "dola_generation"
          : undefined;
    if (!extended) return mode;
    if (mode === "greedy_search" || mode === "sample") return extended;
    const [flag, what] =
      extended === "dola_generation" ? ["dola_layers", "DoLa generate"] : ["assistant_model", "assisted generate"];
    warn_once(
      `You've set \`${flag}\`, which triggers ${what}. Currently, ${what} is only supported with Greedy Search and ` +
        `Sample. However, the base decoding mode (based on current flags) is ${mode} -- some of the set flags will be ignored.`,
    );
    return mode;
  }

  private base_mode(): GenerationMode {
    if (this.constraints !== null || this.force_words_ids !== null) return "constrained_beam_search";
    if (this.num_beams === 1) {
      if (this.do_sample) return "sample";
      return this.top_k > 1 && this.penalty_alpha > 0 ? "contrastive_search" : "greedy_search";
    }
    if (this.num_beam_groups > 1) return "group_beam_search";
    return this.do_sample ? "beam_sample" : "beam_search";
  }

  /**
   * Throws TypeError or RangeError for what cannot be; warns of settings that have no effect together, or with `strict`
   * throws for them, too.
   */
  validate(strict = false): void {
    for (const [name, value] of Object.entries(this)) {
      const what = wrong_kind(name, value);
      if (what) throw expected(what, name, value);
    }
    if (![true, false, "never", null].includes(this.early_stopping)) {
      throw new TypeError(`\`early_stopping\` must be a boolean or 'never', but is ${shown(this.early_stopping)}.`);
    }
    if (this.max_new_tokens !== null && this.max_new_tokens <= 0) {
      throw new RangeError(`\`max_new_tokens\` must be greater than 0, but is ${this.max_new_tokens}.`);
    }
    const cache = this.cache_implementation;
    if (cache !== null && !CACHE_IMPLEMENTATIONS.includes(cache)) {
      const names = CACHE_IMPLEMENTATIONS.map((name) => repr(name)).join(", ");
      throw new TypeError(`Invalid \`cache_implementation\` (${shown(cache)}). Choose one of: (${names})`);
    }
    this.watermarking_config?.validate();
    this.check_counts();
    for (const name of GENERATE_ARGUMENTS) {
      if (name in this) {
        throw new TypeError(
          `Argument \`${name}\` is not a valid argument of \`GenerationConfig\`. It should be passed to \`generate()\` (or a pipeline) directly.`,
        );
      }
    }
    const issues = this.minor_issues();
    const names = Object.keys(issues);
    if (names.length === 0) return;
    if (strict) {
      const list = names.map((name) => `- \`${name}\`: ${issues[name]}`).join("\n");
      throw new TypeError(
        `GenerationConfig is invalid: \n${list}\nIf you're using a pretrained model, note that some of these attributes ` +
          `may be set through the model's \`${FILE_NAME}\` file.`,
      );
    }
    warn_once(
      `The following generation flags are not valid and may be ignored: ${repr(names)}. ` +
        "`generation_config.validate(true)` says why.",
    );
  }

  private check_counts(): void {
    for (const name of ["num_beams", "num_return_sequences", "num_beam_groups"]) {
      if (this[name] !== null && this[name] < 1) {
        throw new RangeError(`\`${name}\` has to be an integer strictly greater than 0, but is ${this[name]}.`);
      }
    }
    const rows = this.num_return_sequences;
    if (rows === 1) return;
    if (this.num_beams === 1) {
      if (this.do_sample) return;
      throw new RangeError(
        `Greedy methods without beam search do not support \`num_return_sequences\` different than 1 (got ${rows}).`,
      );
    }
    if (rows > this.num_beams) {
      throw new RangeError(
        `\`num_return_sequences\` (${rows}) has to be smaller or equal to \`num_beams\` (${this.num_beams}).`,
      );
    }
  }

  /** What the settings say that will have no effect, by field. */
  private minor_issues(): Record<string, string> {
    const issues: Record<string, string> = {};
    const text = (name: string) =>
      typeof this[name] === "number" && this.#floats.has(name) ? float_repr(this[name]) : strip(repr(this[name]));
    if (this.pad_token_id !== null && this.pad_token_id < 0) {
      issues.pad_token_id =
        `\`pad_token_id\` should be positive but got ${this.pad_token_id}. This will cause errors when batch generating, ` +
        "if there is padding. Please set `pad_token_id` explicitly as `model.generation_config.pad_token_id=PAD_TOKEN_ID` " +
        "to avoid errors in generation";
    }
    const differs = (name: string) => this[name] !== null && this[name] !== GENERATION_FIELDS[name];
    if (this.do_sample === false) {
      for (const name of ["temperature", "top_p", "min_p", "typical_p", "top_k", "epsilon_cutoff", "eta_cutoff"]) {
        if (!differs(name)) continue;
        issues[name] =
          `\`do_sample\` is set to \`False\`. However, \`${name}\` is set to \`${text(name)}\` -- this flag is only used in ` +
          `sample-based generation modes. You should set \`do_sample=True\` or unset \`${name}\`.`;
      }
    }
    if (this.num_beams === 1) {
      for (const name of ["early_stopping", "length_penalty"]) {
        if (!differs(name)) continue;
        issues[name] =
          `\`num_beams\` is set to 1. However, \`${name}\` is set to \`${text(name)}\` -- this flag is only used in ` +
          `beam-based generation modes. You should set \`num_beams>1\` or unset \`${name}\`.`;
      }
    }
    if (this.use_cache === false) {
      for (const name of ["cache_implementation", "cache_config", "return_legacy_cache"]) {
        if (this[name] === null) continue;
        issues[name] =
          `You have set \`use_cache\` to \`False\`, but ${name} is set to ${text(name)}. ${name} will have no effect.`;
      }
    }
    if (!this.return_dict_in_generate) {
      for (const name of OUTPUT_FLAGS) {
        if (!this[name]) continue;
        issues[name] =
          `\`return_dict_in_generate\` is NOT set to \`True\`, but \`${name}\` is. When \`return_dict_in_generate\` is not ` +
          `\`True\`, \`${name}\` is ignored.`;
      }
    }
    return issues;
  }

  /** Loads the settings of a checkpoint. Options whose names are fields override them. */
  static async from_pretrained(
    name_or_path: string,
    options: GenerationConfigOptions & { return_unused_kwargs: true },
  ): Promise<[GenerationConfig, Dict]>;
  static async from_pretrained(name_or_path: string, options?: GenerationConfigOptions): Promise<GenerationConfig>;
  static async from_pretrained(name_or_path: string, options: GenerationConfigOptions = {}): Promise<unknown> {
    const [hub, { config_file_name = FILE_NAME, return_unused_kwargs = false, ...kwargs }] = split_hub_options(options);
    const path = (await cached_file(name_or_path, String(config_file_name), { ...hub, required: true }))!;
    const dict = await read_json(path);
    dict._commit_hash = extract_commit_hash(path) ?? null;
    const [config, unused] = GenerationConfig.from_dict(dict, { ...kwargs, return_unused_kwargs: true });
    config.#original = config.to_json_string(true, true);
    return return_unused_kwargs ? [config, unused] : config;
  }

  /** The settings of a checkpoint; without a generation_config.json, or with a broken one, what config.json says. */
  static async from_pretrained_or_model_config(
    name_or_path: string,
    config: PretrainedConfig,
    options: HubOptions = {},
  ): Promise<GenerationConfig> {
    const [hub] = split_hub_options(options);
    try {
      if (await cached_file(name_or_path, FILE_NAME, hub))
        return await GenerationConfig.from_pretrained(name_or_path, { ...hub });
    } catch (error) {
      const broken = error instanceof TypeError || error instanceof RangeError;
      if (!broken && !(error instanceof TransformersError && error.code === "config_invalid")) throw error;
      warn_once(`The ${FILE_NAME} of ${name_or_path} is not used: ${(error as Error).message}`);
    }
    return GenerationConfig.from_model_config(config);
  }

  static from_dict(dict: Dict, kwargs: Dict & { return_unused_kwargs: true }): [GenerationConfig, Dict];
  static from_dict(dict: Dict, kwargs?: Dict): GenerationConfig;
  static from_dict(dict: Dict, kwargs: Dict = {}): unknown {
    const { return_unused_kwargs, ...given } = kwargs;
    const floats = floats_of(dict);
    const all = { ...dict, ...given };
    const config = new GenerationConfig(
      floats
        ? with_floats(
            all,
            [...floats].filter((name) => !(name in given)),
          )
        : all,
    );
    const unused = config.update(given);
    return return_unused_kwargs ? [config, unused] : config;
  }

  /** The settings that old checkpoints keep in config.json. */
  static from_model_config(model_config: PretrainedConfig): GenerationConfig {
    const set = (dict: Dict) => Object.fromEntries(Object.entries(dict).filter(([, value]) => value !== null));
    const config = GenerationConfig.from_dict(set(model_config.to_dict()), { _from_model_config: true });
    const decoder = model_config.get_text_config({ decoder: true });
    if (decoder !== model_config) {
      const inner = decoder.to_dict();
      for (const [name, value] of Object.entries(GENERATION_FIELDS)) {
        if (name in inner && isDeepStrictEqual(config[name], value)) config[name] = inner[name];
      }
    }
    if (OUTPUT_FLAGS.some((name) => config[name])) config.return_dict_in_generate = true;
    config.#original = config.to_json_string(true, true);
    return config;
  }

  to_dict(): Dict {
    const dict: Dict = {};
    for (const [name, value] of Object.entries(this)) {
      if (name === "_commit_hash" || name === "compile_config" || value === undefined) continue;
      dict[name] = value instanceof WatermarkingConfig ? value.to_dict() : clone_json(value);
    }
    dict.transformers_version = TRANSFORMERS_VERSION;
    return with_floats(dict, this.#floats);
  }

  to_diff_dict(): Dict {
    const defaults = new GenerationConfig().to_dict();
    const kept = Object.entries(this.to_dict()).filter(
      ([name, value]) =>
        !(name in defaults) || name === "transformers_version" || !isDeepStrictEqual(value, defaults[name]),
    );
    return with_floats(Object.fromEntries(kept), this.#floats);
  }

  /** As Python's: sorted, indented by two; only what differs from the defaults unless `use_diff` is false. */
  to_json_string(use_diff = true, ignore_metadata = false): string {
    const dict = use_diff ? this.to_diff_dict() : this.to_dict();
    if (ignore_metadata) for (const name of METADATA) delete dict[name];
    return `${dump_json(dict, { indent: 2, sort_keys: true })}\n`;
  }

  async to_json_file(path: string, use_diff = true): Promise<void> {
    await writeFile(path, this.to_json_string(use_diff));
  }

  /** Writes generation_config.json into the folder. Settings without effect are an error here, as in Python. */
  async save_pretrained(
    save_directory: string,
    options: { config_file_name?: string; push_to_hub?: boolean } = {},
  ): Promise<void> {
    if (options.push_to_hub) throw new TransformersError("push_to_hub is not supported.", "not_supported");
    try {
      this.validate(true);
    } catch (error) {
      throw new TypeError(`${(error as Error).message}\n\nFix these issues to save the configuration.`);
    }
    const found = await stat(save_directory).catch(() => undefined);
    if (found?.isFile()) {
      const message = `Provided path (${save_directory}) should be a directory, not a file`;
      throw new TransformersError(message, "not_a_directory");
    }
    await make_folder(save_directory);
    await this.to_json_file(join(save_directory, options.config_file_name ?? FILE_NAME));
  }

  toString(): string {
    return `GenerationConfig ${this.to_json_string(true, true)}`;
  }

  toJSON(): Dict {
    return this.to_dict();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A string as Python's `str` has it, without `repr`'s quotes. */
function strip(text: string): string {
  return text.replace(/^'(.*)'$/, "$1");
}

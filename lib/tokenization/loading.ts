import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expected, received, TransformersError, warn_once } from "../errors.js";
import { cached_file, type HubOptions, split_hub_options } from "../hub/cached_file.js";
import { AddedToken } from "./added_token.js";
import { compiled_folder, compiled_tokenizer, forget_compiled, read_whole } from "./compiled.js";
import type { PreTrainedTokenizerFast, TokenizerKeywords } from "./fast.js";
import { tokenizer_from_gguf } from "./gguf.js";
import { from_sentencepiece } from "./sentencepiece_converters.js";
import type { SlowTokenizerClass } from "./slow.js";
import { kept_defaults, slow_defaults, slow_special_tokens } from "./slow_files.js";
import { ROLES } from "./special_tokens.js";
import { from_tekken, from_tiktoken, is_tiktoken } from "./tiktoken.js";
import { from_vocab_json } from "./vocab_json.js";
import { from_vocab_txt } from "./vocab_txt.js";

/** Options of `from_pretrained`: the Hub's, `gguf_file`, and keywords of the tokenizer (`padding_side`, `pad_token`, …). */
export interface PretrainedOptions extends HubOptions {
  /** Takes the tokenizer from this GGUF file of the folder or repository. */
  gguf_file?: string;
  /**
   * Keeps large tokenizer.json files ready-made in this folder, with `true` in `ggml-transformers/tokenizers` of `HF_HOME`:
   * they take about as much room again, and load several times as fast. Default: false.
   */
  compiled_cache?: boolean | string;
  [keyword: string]: unknown;
}

type Json = Record<string, unknown>;
interface LoadedClass {
  readonly name: string;
  readonly keywords: Readonly<Record<string, unknown>>;
  /** Keywords that only count where there is no tokenizer.json. */
  readonly slow_keywords?: readonly string[];
}

/** The version of Python Transformers whose behaviour this package has: it chooses among `fast_tokenizer_files`. */
const VERSION = [4, 57, 6];

/** A JSON object; the error names the file. */
export async function read_json(path: string): Promise<Json> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (cause) {
    throw new TransformersError(`${path} is not valid JSON: ${(cause as Error).message}`, "invalid_json", cause);
  }
  throw new TransformersError(`${path} must hold a JSON object`, "invalid_json");
}

/** A checkpoint's files: `find` gives paths, `json` contents; undefined for what is not there. */
export class CheckpointFiles {
  constructor(
    readonly name: string,
    readonly options: HubOptions,
  ) {}

  find(file: string): Promise<string | undefined> {
    return cached_file(this.name, file, this.options);
  }

  async json(file: string): Promise<Json | undefined> {
    const path = await this.find(file);
    return path === undefined ? undefined : read_json(path);
  }
}

/** Python's get_fast_tokenizer_file: `tokenizer.4.0.json` for the newest version that is not newer than ours. */
function versioned_file(files: unknown): string {
  let chosen = "tokenizer.json";
  const versions = (Array.isArray(files) ? files : [])
    .map((file) => ({ file: String(file), version: /^tokenizer\.(\d[\d.]*)\.json$/.exec(String(file))?.[1] }))
    .filter(({ version }) => version !== undefined)
    .map(({ file, version }) => ({ file, numbers: version!.split(".").map(Number) }));
  const compare = (a: number[], b: number[]) =>
    [0, 1, 2].map((i) => (a[i] ?? 0) - (b[i] ?? 0)).find((d) => d !== 0) ?? 0;
  for (const { file, numbers } of versions.sort((a, b) => compare(a.numbers, b.numbers))) {
    if (compare(numbers, VERSION) <= 0) chosen = file;
  }
  return chosen;
}

/** chat_template.jinja is the default template, chat_templates/<name>.jinja are the others. */
async function template_files(
  files: CheckpointFiles,
  near: string | undefined,
): Promise<string | Record<string, string> | undefined> {
  const templates: Record<string, string> = {};
  const single = await files.find("chat_template.jinja");
  if (single) templates["default"] = await readFile(single, "utf8");
  const folder = near && join(dirname(near), "chat_templates");
  for (const file of folder ? await readdir(folder).catch(() => [] as string[]) : []) {
    if (file.endsWith(".jinja")) templates[basename(file, ".jinja")] = await readFile(join(folder!, file), "utf8");
  }
  const names = Object.keys(templates);
  if (names.length === 0) return undefined;
  return names.length === 1 && names[0] === "default" ? templates["default"] : templates;
}

/** `{ "__type": "AddedToken", … }` becomes an AddedToken, at any depth. */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== "object" || value === null || value instanceof AddedToken) return value;
  if ((value as Json)["__type"] === "AddedToken") return as_token(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

function as_token(value: unknown): AddedToken {
  const { content } = (value ?? {}) as Json;
  if (typeof content === "string") return AddedToken.from(value as { content: string });
  throw new TransformersError(
    `An added token of the checkpoint has no content: ${received(value)}`,
    "tokenizer_invalid",
  );
}

/** Before `added_tokens_decoder` existed: special_tokens_map.json and added_tokens.json say it. */
async function legacy_added_tokens(
  files: CheckpointFiles,
  kwargs: Json,
  given: Json,
): Promise<Record<number, AddedToken>> {
  for (const [role, value] of Object.entries((await files.json("special_tokens_map.json")) ?? {})) {
    if (given[role]) continue;
    if (role === "additional_special_tokens" && Array.isArray(value)) {
      const tokens = value.map((token) =>
        typeof token === "object" ? as_token({ ...token, special: true }) : token,
      ) as (string | AddedToken)[];
      const before = (kwargs[role] as (string | AddedToken)[] | undefined) ?? [];
      kwargs[role] = [...before, ...tokens.filter((token) => !before.some((other) => String(other) === String(token)))];
    } else {
      kwargs[role] =
        typeof value === "object" && value !== null ? as_token({ ...(value as Json), special: true }) : value;
    }
  }
  const added = await files.json("added_tokens.json");
  if (!added) return {};
  const special = new Set(ROLES.map((role) => String(kwargs[role] ?? "")));
  for (const token of (kwargs["additional_special_tokens"] as unknown[] | undefined) ?? []) special.add(String(token));
  return Object.fromEntries(
    Object.entries(added).map(([content, id]) => [
      Number(id),
      new AddedToken(content, { special: special.has(content) }),
    ]),
  );
}

/** The keywords that the checkpoint's files and the caller give the constructor (Python's _from_pretrained). */
async function keywords_of(files: CheckpointFiles, config: Json, given: Json, near: string | undefined): Promise<Json> {
  const {
    tokenizer_class: _class,
    tokenizer_file: _file,
    init_inputs: _inputs,
    added_tokens_decoder: decoder,
    ...configured
  } = config;
  const kwargs: Json = { ...configured };
  const template = await template_files(files, near);
  if (template !== undefined) kwargs["chat_template"] = template;
  Object.assign(kwargs, given);
  kwargs["name_or_path"] = files.name;
  let added: Record<number, AddedToken> = {};
  if (decoder) {
    for (const [id, token] of Object.entries(decoder as Json)) added[Number(id)] = as_token(token);
  } else {
    added = await legacy_added_tokens(files, kwargs, given);
  }
  const revived = revive(kwargs) as Json;
  const by_content = new Map(Object.values(added).map((token) => [token.content, token]));
  for (const role of ROLES) {
    const value = revived[role];
    if (value !== undefined && value !== null) revived[role] = by_content.get(String(value)) ?? value;
  }
  return { ...revived, added_tokens_decoder: added };
}

/** Keywords that every tokenizer takes; a class has its own beside them. */
const KEYWORDS = new Set<string>([
  ...ROLES,
  "additional_special_tokens",
  "extra_special_tokens",
  "model_max_length",
  "max_len",
  "padding_side",
  "truncation_side",
  "model_input_names",
  "clean_up_tokenization_spaces",
  "split_special_tokens",
  "chat_template",
  "add_prefix_space",
  "pad_token_type_id",
  "errors",
]);

function check_keywords(given: Json, class_: LoadedClass, config: Json, is_slow = false): void {
  const slow = is_slow ? (class_.slow_keywords ?? []) : [];
  for (const key of Object.keys(given)) {
    if (KEYWORDS.has(key) || key in class_.keywords || key in config || slow.includes(key)) continue;
    warn_once(
      `from_pretrained: ${class_.name} does nothing with the option '${key}'; it is only kept for save_pretrained.`,
    );
  }
}

const NOT_FOUND = (name: string, class_name: string) =>
  `Can't load tokenizer for '${name}'. If you were trying to load it from 'https://huggingface.co/models', make sure you` +
  ` don't have a local directory with the same name. Otherwise, make sure '${name}' is the correct path to a directory` +
  ` containing all relevant files for a ${class_name} tokenizer.`;

/** The tokenizer of a GGUF file; its architecture may decide about the class. */
export async function load_gguf(
  class_of: (architecture: string) => typeof PreTrainedTokenizerFast,
  files: CheckpointFiles,
  gguf_file: string,
  given: Json,
): Promise<PreTrainedTokenizerFast> {
  const path = await files.find(gguf_file);
  if (!path)
    throw new TransformersError(`${files.name} does not appear to have a file named ${gguf_file}.`, "entry_not_found");
  const { architecture, tokenizer, keywords } = await tokenizer_from_gguf(path);
  const class_ = class_of(architecture);
  check_keywords(given, class_, {});
  const all = { ...keywords, ...given, tokenizer_object: tokenizer, name_or_path: files.name };
  return new class_(all as TokenizerKeywords);
}

/** The checkpoint, the GGUF file if one is asked for, and the keywords that the caller gives the tokenizer. */
function read_options(name_or_path: string, options: PretrainedOptions) {
  if (typeof name_or_path !== "string" || !name_or_path)
    throw expected("a folder or a repository's name", "the tokenizer", name_or_path);
  const [hub, rest] = split_hub_options(options);
  const { gguf_file, trust_remote_code, compiled_cache, ...given } = rest as Json & { gguf_file?: string };
  if (!["boolean", "string", "undefined"].includes(typeof compiled_cache))
    throw expected("a folder, or true for the standard one,", "compiled_cache", compiled_cache);
  if (trust_remote_code) warn_once("trust_remote_code does nothing: no code of a checkpoint is ever run.");
  const cache = compiled_cache === true ? compiled_folder() : compiled_cache || undefined;
  return {
    files: new CheckpointFiles(name_or_path, hub),
    gguf_file,
    compiled_cache: cache as string | undefined,
    given,
  };
}

/** Loads a tokenizer without a fast form: the class reads its files, whose paths are keywords. */
export async function load_slow<T>(
  class_: SlowTokenizerClass<T>,
  name_or_path: string,
  options: PretrainedOptions,
): Promise<T> {
  const { files, gguf_file, given } = read_options(name_or_path, options);
  if (gguf_file !== undefined)
    throw new TransformersError(`A ${class_.name} cannot be made from a GGUF file`, "not_supported");
  const config_file = await files.find("tokenizer_config.json");
  const config = config_file ? await read_json(config_file) : {};
  check_keywords(given, class_, config);
  const kwargs = await keywords_of(files, config, given, config_file);
  const paths: Json = {};
  for (const [keyword, file] of Object.entries(class_.vocab_files_names)) {
    const path = await files.find(file);
    if (path !== undefined) paths[keyword] = path;
    else if (!class_.optional_files.includes(keyword))
      throw new TransformersError(NOT_FOUND(files.name, class_.name), "tokenizer_not_found");
  }
  return new class_({ ...kwargs, ...paths });
}

/** Python's from_pretrained of a tokenizer class. */
export async function load_pretrained(
  class_: typeof PreTrainedTokenizerFast,
  name_or_path: string,
  options: PretrainedOptions = {},
): Promise<PreTrainedTokenizerFast> {
  const { files, gguf_file, compiled_cache: folder, given: all } = read_options(name_or_path, options);
  const { from_slow, ...given } = all;
  if (gguf_file !== undefined) return load_gguf(() => class_, files, gguf_file, given);
  const config_file = await files.find("tokenizer_config.json");
  const config = config_file ? await read_json(config_file) : {};
  const tokenizer_file = await files.find(versioned_file(config["fast_tokenizer_files"]));
  check_keywords(given, class_, config, !tokenizer_file || Boolean(from_slow));
  const kwargs = await keywords_of(files, config, given, config_file ?? tokenizer_file);
  const names = class_.vocab_files_names;
  if (names["vocab_file"]?.endsWith(".model")) kwargs["vocab_file"] = await files.find(names["vocab_file"]);
  if (names["normalizer_file"]) kwargs["normalizer_file"] = await files.find(names["normalizer_file"]);
  if (tokenizer_file && !from_slow) {
    const compiled = folder ? await compiled_tokenizer(tokenizer_file, folder) : undefined;
    if (folder && compiled) {
      try {
        return new class_({ ...kwargs, tokenizer_object: compiled });
      } catch (error) {
        if (!(error instanceof TransformersError && error.code === "tokenizer_invalid")) throw error;
        await forget_compiled(tokenizer_file, folder);
      }
    }
    return new class_({ ...kwargs, tokenizer_object: await read_whole(tokenizer_file) });
  }
  const slow = { ...slow_defaults(class_.name), ...kwargs };
  const tokenizer_object = await from_slow_files(class_, files, slow);
  Object.assign(slow, slow_special_tokens(class_.name, { ...class_.keywords, ...slow }));
  for (const [name, value] of Object.entries(kept_defaults(class_.name))) if (!(name in kwargs)) slow[name] = value;
  return new class_({ ...slow, tokenizer_object } as TokenizerKeywords);
}

/** Makes the tokenizer.json of a checkpoint that has none. */
async function from_slow_files(
  class_: typeof PreTrainedTokenizerFast,
  files: CheckpointFiles,
  kwargs: Json,
): Promise<object> {
  const keywords = { ...class_.keywords, ...kwargs };
  const read = async (name: string) => {
    const path = await files.find(name);
    return path === undefined ? undefined : readFile(path, "utf8");
  };
  const kind = class_.vocab_files_names["vocab_file"];
  if (kind === "vocab.json") {
    const [vocab, merges] = [await read("vocab.json"), await read("merges.txt")];
    if (vocab !== undefined && merges !== undefined) return from_vocab_json(class_.name, vocab, merges, keywords);
  }
  const vocab_txt = kind === "vocab.txt" ? await read("vocab.txt") : undefined;
  if (vocab_txt !== undefined) return from_vocab_txt(class_.name, vocab_txt, keywords);
  const tekken = await read("tekken.json");
  if (tekken !== undefined) return from_tekken(tekken);
  const model = (kwargs["vocab_file"] as string | undefined) ?? (await files.find("tokenizer.model"));
  const bytes = model === undefined ? undefined : await readFile(model);
  if (bytes && is_tiktoken(bytes))
    return from_tiktoken(bytes, (keywords["additional_special_tokens"] ?? []) as unknown[]);
  if (bytes) return from_sentencepiece(class_.name, bytes, keywords, kwargs);
  throw new TransformersError(NOT_FOUND(files.name, class_.name), "tokenizer_not_found");
}

import { copyFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expected, TransformersError } from "../errors.js";
import { make_folder } from "../files.js";
import { dump_json } from "../python_json.js";
import { AddedToken } from "./added_token.js";
import type { PreTrainedTokenizerFast } from "./fast.js";
import type { PreTrainedTokenizer } from "./slow.js";
import { slow_files } from "./slow_files.js";

type Tokenizer = PreTrainedTokenizerFast | PreTrainedTokenizer;
const is_fast = (tokenizer: Tokenizer): tokenizer is PreTrainedTokenizerFast => tokenizer.is_fast;

export interface SaveOptions {
  /** null and false write tokenizer.json; true, the slow tokenizer's files alone, is not possible here. */
  legacy_format?: boolean | null;
  /** Put before each file's name, with a dash. */
  filename_prefix?: string | null;
  /** false: chat templates go into tokenizer_config.json, as older versions wrote them. */
  save_jinja_files?: boolean;
}

/** What `json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)` gives; the ids of added tokens are numbers. */
function json_file(value: unknown): string {
  const numeric_keys = new Set(["added_tokens_decoder"]);
  return `${dump_json(value, { indent: 2, sort_keys: true, ensure_ascii: false, numeric_keys })}\n`;
}

/** AddedTokens as Python writes them: with their type into tokenizer_config.json, without `special` into the map. */
function plain(value: unknown, typed: boolean): unknown {
  if (value instanceof AddedToken) {
    const { special, ...flags } = value.to_json();
    return typed ? { ...flags, special, __type: "AddedToken" } : flags;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, typed));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, typed)]));
}

/** The content of tokenizer_config.json, but for the chat template. */
function config_of(tokenizer: Tokenizer): Record<string, unknown> {
  const own = tokenizer as unknown as Record<string, unknown>;
  const config: Record<string, unknown> = { ...tokenizer.init_kwargs };
  for (const key of [...Object.keys(config), "model_max_length", "clean_up_tokenization_spaces"]) {
    if (key in tokenizer && typeof own[key] !== "function") config[key] = own[key];
  }
  Object.assign(config, tokenizer.special_tokens_map);
  config["extra_special_tokens"] ??= tokenizer.extra_special_tokens;
  const names = (tokenizer.constructor as typeof PreTrainedTokenizerFast).vocab_files_names;
  for (const name of [
    ...Object.keys(names),
    "name_or_path",
    "tokenizer_file",
    "special_tokens_map_file",
    "device_map",
    "chat_template",
  ]) {
    delete config[name];
  }
  const saved = plain(config, true) as Record<string, unknown>;
  const added = Object.entries(tokenizer.added_tokens_decoder).map(([id, token]) => [id, token.to_json()]);
  return {
    ...saved,
    added_tokens_decoder: Object.fromEntries(added),
    tokenizer_class: saved_class_name(tokenizer),
  };
}

/** The vocabulary file that Python's slow class needs; undefined where there is no such class, or no such file to copy. */
function slow_vocab_file(tokenizer: PreTrainedTokenizerFast): string | undefined {
  const name = (tokenizer.constructor as typeof PreTrainedTokenizerFast).vocab_files_names["vocab_file"];
  return name?.endsWith(".model") && !tokenizer.init_kwargs["vocab_file"] ? undefined : name;
}

/** Without "Fast" where Python could load the slow class from the same folder, as it writes it. */
function saved_class_name(tokenizer: Tokenizer): string {
  if (!is_fast(tokenizer)) return tokenizer.constructor.name;
  const class_ = tokenizer.constructor as typeof PreTrainedTokenizerFast;
  const needs_model = class_.vocab_files_names["vocab_file"]?.endsWith(".model") && !slow_vocab_file(tokenizer);
  const keeps_name = needs_model || class_.name === "PreTrainedTokenizerFast";
  return keeps_name ? class_.name : class_.name.replace(/Fast$/, "");
}

/** Files by name: one template is chat_template.jinja, the others of several are in chat_templates/. */
function template_files(tokenizer: Tokenizer): Record<string, string> {
  const template = tokenizer.chat_template;
  if (template === null) return {};
  if (typeof template === "string") return { "chat_template.jinja": template };
  const named = Object.entries(template).map(([name, text]) => {
    if (/[/\\]|^\.\.?$/.test(name)) throw expected("a name without slashes", "the name of a chat template", name);
    return [name === "default" ? "chat_template.jinja" : join("chat_templates", `${name}.jinja`), text];
  });
  return Object.fromEntries(named);
}

/** A file's content, or the file that it is a copy of. */
type FileContent = string | { copy: string };

/** Python's slow classes keep what was added beyond the vocabulary in a file of its own. */
function with_added_tokens(tokenizer: Tokenizer, files: Record<string, FileContent>): Record<string, FileContent> {
  const beyond = Object.entries(tokenizer.added_tokens_encoder).filter(([, id]) => id >= tokenizer.vocab_size);
  return { ...(beyond.length && { "added_tokens.json": json_file(Object.fromEntries(beyond)) }), ...files };
}

/** tokenizer.json, and the files of the slow class where there is one. */
function fast_files(tokenizer: PreTrainedTokenizerFast, with_slow: boolean): Record<string, FileContent> {
  const tokenizer_json = tokenizer._tokenizer.to_json(true);
  const vocab_file = with_slow ? slow_vocab_file(tokenizer) : undefined;
  if (!vocab_file) return { "tokenizer.json": tokenizer_json };
  const source = tokenizer.init_kwargs["vocab_file"];
  const copied = vocab_file.endsWith(".model") && typeof source === "string";
  return with_added_tokens(tokenizer, {
    ...slow_files(tokenizer_json, vocab_file),
    "tokenizer.json": tokenizer_json,
    ...(copied && { [vocab_file]: { copy: source } }),
  });
}

/** Other files of the checkpoint, as they are. */
function more_files(tokenizer: Tokenizer): Record<string, FileContent> {
  const { normalizer_file } = tokenizer.init_kwargs;
  return typeof normalizer_file === "string" ? { "normalizer.json": { copy: normalizer_file } } : {};
}

/** Python's save_pretrained. Returns the paths of the files. */
export async function save_pretrained(
  tokenizer: Tokenizer,
  folder: string,
  options: SaveOptions = {},
): Promise<string[]> {
  const { legacy_format, filename_prefix, save_jinja_files = true, ...unknown } = options;
  for (const key of Object.keys(unknown)) throw new TypeError(`save_pretrained has no option '${key}'`);
  if (legacy_format === false && !is_fast(tokenizer)) {
    throw new TransformersError(
      "Only fast tokenizers (instances of PreTrainedTokenizerFast) can be saved in non legacy format.",
      "not_supported",
    );
  }
  if (legacy_format && is_fast(tokenizer)) {
    throw new TransformersError(
      "Your tokenizer does not have a legacy version defined and therefore cannot register this version. You might" +
        " consider leaving the legacy_format at `None` or setting it to `False`.",
      "not_supported",
    );
  }
  const exists = await stat(folder).catch(() => null);
  if (exists && !exists.isDirectory())
    throw new TransformersError(`Provided path (${folder}) should be a directory, not a file`, "not_a_folder");

  const config = config_of(tokenizer);
  const templates = save_jinja_files ? template_files(tokenizer) : {};
  if (!save_jinja_files && tokenizer.chat_template !== null) {
    const template = tokenizer.chat_template;
    config["chat_template"] =
      typeof template === "string"
        ? template
        : Object.entries(template).map(([name, text]) => ({ name, template: text }));
  }
  const vocabulary = is_fast(tokenizer)
    ? fast_files(tokenizer, legacy_format !== false)
    : with_added_tokens(tokenizer, tokenizer.vocabulary_files());
  const contents: Record<string, FileContent> = {
    "tokenizer_config.json": json_file(config),
    "special_tokens_map.json": json_file(plain(tokenizer.special_tokens_map_extended, false)),
    ...templates,
    ...vocabulary,
    ...more_files(tokenizer),
  };
  await make_folder(folder);
  if (Object.keys(templates).some((name) => name.startsWith("chat_templates")))
    await make_folder(join(folder, "chat_templates"));
  const path_of = (name: string) =>
    join(folder, filename_prefix ? name.replace(/[^/\\]+$/, (file) => `${filename_prefix}-${file}`) : name);
  const paths: string[] = [];
  for (const [name, content] of Object.entries(contents)) {
    const path = path_of(name);
    if (typeof content === "string") await writeFile(path, content);
    else if (resolve(content.copy) !== resolve(path)) await copyFile(content.copy, path);
    paths.push(path);
  }
  return paths;
}

import { expected, from_native, out_of_range, TransformersError, warn_once } from "../errors.js";
import { type NativeTokenizer, native, type TrainerSpec } from "../native.js";
import { AddedToken, type Token } from "./added_token.js";
import type { PreTrainedTokenizerFast, TokenizerKeywords } from "./fast.js";
import { ROLES } from "./special_tokens.js";
import type { Component } from "./tokenizer_json.js";

/** Texts, one by one or in lists. */
export type TextIterator = Iterable<string | readonly string[]> | AsyncIterable<string | readonly string[]>;

/** Options of `train_new_from_iterator`; what a trainer of the model's type does not know is an error. */
export interface TrainingOptions {
  /** The number of texts, for a progress bar, which is not drawn here. */
  length?: number | null;
  new_special_tokens?: readonly Token[] | null;
  /** New names of special tokens by their old ones. */
  special_tokens_map?: Readonly<Record<string, string>> | null;
  /** How often a pair or word must be there to get a token. */
  min_frequency?: number;
  show_progress?: boolean;
  /** BPE and WordPiece: how many characters to keep. */
  limit_alphabet?: number | null;
  /** BPE and WordPiece: characters to keep whatever the texts have; byte-level tokenizers bring their own. */
  initial_alphabet?: readonly string[];
  continuing_subword_prefix?: string | null;
  end_of_word_suffix?: string | null;
  /** BPE: in characters. */
  max_token_length?: number | null;
}

type Model = Component & { vocab: unknown; unk_token?: string | null };
interface TokenizerJson {
  added_tokens: { content: string; special: boolean }[];
  pre_tokenizer: (Component & { pretokenizers?: Component[] }) | null;
  post_processor: Component | null;
  model: Model;
}

const COMMON = ["length", "new_special_tokens", "special_tokens_map", "min_frequency", "show_progress"];
const SUBWORDS = [...COMMON, "limit_alphabet", "initial_alphabet", "continuing_subword_prefix", "end_of_word_suffix"];
const KNOWN = { BPE: [...SUBWORDS, "max_token_length"], WordPiece: SUBWORDS, WordLevel: COMMON } as const;
type Trainable = keyof typeof KNOWN;

const size = (name: string, value: unknown): number | undefined => {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw expected("a number", name, value);
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return value;
  throw out_of_range("an integer from 0 to 2147483647", name, value);
};

function check(type: string, options: TrainingOptions): asserts type is Trainable {
  if (!(type in KNOWN))
    throw new TransformersError(
      `Training a tokenizer of the type ${type} is not supported; BPE, WordPiece and WordLevel are`,
      "not_supported",
    );
  if (typeof options !== "object" || options === null) throw expected("an object", "options", options);
  const known = KNOWN[type as Trainable];
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw expected(`one of ${known.join(", ")}`, `an option of a ${type} trainer`, name);
  size("length", options.length);
  if (options.show_progress || options.length) warn_once("train_new_from_iterator draws no progress bar");
}

/** The special tokens of the new tokenizer, in the order of their ids. */
function special_tokens_of(json: TokenizerJson, rename: (token: string) => string, added: readonly Token[]) {
  if (!Array.isArray(added) || !added.every((token) => typeof token === "string" || token instanceof AddedToken))
    throw expected("a list of strings or AddedTokens", "new_special_tokens", added);
  const kept = json.added_tokens
    .filter(({ special }) => special)
    .map((token) => AddedToken.from({ ...token, content: rename(token.content) }));
  const extra = added.map((token) =>
    typeof token === "string"
      ? new AddedToken(token, { special: true })
      : AddedToken.from({ ...token.to_json(), special: true }),
  );
  return [...kept, ...extra];
}

/** The byte-level alphabet: all the characters that its pre-tokenizer writes (GPT-2's `bytes_to_unicode`). */
export function byte_level_alphabet(): string {
  const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad && byte < 0x100);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const others = bytes.filter((byte) => !printable(byte)).map((_, i) => 256 + i);
  return String.fromCodePoint(...bytes.filter(printable), ...others);
}

function trainer_of(
  type: Trainable,
  json: TokenizerJson,
  vocab_size: number,
  special_tokens: readonly AddedToken[],
  options: TrainingOptions,
): TrainerSpec {
  const affix = (name: "continuing_subword_prefix" | "end_of_word_suffix", otherwise?: string) => {
    const given = options[name];
    if (given !== undefined && given !== null && typeof given !== "string") throw expected("a string", name, given);
    return given ?? (type === "BPE" ? ((name in options ? null : json.model[name]) as string | null) : otherwise);
  };
  const { pre_tokenizer } = json;
  const is_byte_level = [pre_tokenizer, ...(pre_tokenizer?.pretokenizers ?? [])].some((p) => p?.type === "ByteLevel");
  const alphabet = options.initial_alphabet ?? [];
  if (!Array.isArray(alphabet) || !alphabet.every((item) => typeof item === "string"))
    throw expected("a list of characters", "initial_alphabet", alphabet);
  if (typeof vocab_size !== "number") throw expected("a number", "vocab_size", vocab_size);
  const spec: Record<keyof TrainerSpec, unknown> = {
    vocab_size: size("vocab_size", vocab_size),
    special_tokens: special_tokens.map(String),
    min_frequency: size("min_frequency", options.min_frequency),
    limit_alphabet: size("limit_alphabet", options.limit_alphabet),
    max_token_length: size("max_token_length", options.max_token_length),
    initial_alphabet: is_byte_level ? byte_level_alphabet() : alphabet.map((item) => [...item][0] ?? "").join(""),
    continuing_subword_prefix: affix("continuing_subword_prefix", "##"),
    end_of_word_suffix: affix("end_of_word_suffix"),
  };
  return Object.fromEntries(Object.entries(spec).filter(([, v]) => v !== undefined && v !== null)) as never;
}

async function count_words(engine: NativeTokenizer, texts: TextIterator): Promise<void> {
  const is_iterable = typeof texts === "object" && texts !== null;
  if (!is_iterable || !(Symbol.iterator in texts || Symbol.asyncIterator in texts))
    throw expected("an iterable of strings or of lists of strings", "text_iterator", texts);
  for await (const item of texts) {
    for (const text of Array.isArray(item) ? item : [item]) {
      if (typeof text !== "string") throw expected("strings or lists of strings", "text_iterator", text);
      engine.count_words(text);
    }
  }
}

/** Gives the special tokens of a post-processor their new names and ids; as in Python, not inside a Sequence. */
function renumber(processor: Component, rename: (token: string) => string, engine: NativeTokenizer): Component {
  const id_of = (token: string) => {
    const id = engine.token_to_id(token);
    if (id !== undefined) return id;
    throw new TypeError(`The post-processor needs the token "${token}", which the new vocabulary does not have`);
  };
  const result: Component = { ...processor };
  if ("special_tokens" in processor) {
    const entries = Object.entries(processor["special_tokens"] as Record<string, { tokens: string[] }>);
    result["special_tokens"] = Object.fromEntries(
      entries.map(([key, entry]) => {
        const tokens = entry.tokens.map(rename);
        return [key, { ...entry, tokens, ids: tokens.map(id_of) }];
      }),
    );
  }
  for (const role of ["cls", "sep"]) {
    if (!(role in processor)) continue;
    const token = rename((processor[role] as [string, number])[0]);
    result[role] = [token, id_of(token)];
  }
  return result;
}

/** Keywords of the new tokenizer: those of the old one, with the special tokens renamed. */
function keywords_of(old: PreTrainedTokenizerFast, rename: (token: string) => string, added: readonly Token[]) {
  // The old SentencePiece file says nothing about the new vocabulary.
  const { vocab_file: _file, ...keywords } = old.init_kwargs;
  const roles = old.special_tokens_map_extended;
  for (const role of ROLES) {
    const token = roles[role] as Token | undefined;
    if (token === undefined) continue;
    const content = rename(String(token));
    keywords[role] = token instanceof AddedToken ? AddedToken.from({ ...token, content, special: true }) : content;
  }
  const additional = [...old.additional_special_tokens, ...added];
  if (additional.length) keywords["additional_special_tokens"] = additional;
  return keywords;
}

/** Python's `train_new_from_iterator`: PreTrainedTokenizerFast's method has the documentation. */
export async function train_new_from_iterator<T extends PreTrainedTokenizerFast>(
  tokenizer: T,
  text_iterator: TextIterator,
  vocab_size: number,
  options: TrainingOptions = {},
): Promise<T> {
  const json: TokenizerJson = JSON.parse(tokenizer._tokenizer.to_json(false));
  const { type } = json.model;
  check(type, options);
  const names = new Map(Object.entries(options.special_tokens_map ?? {}));
  for (const name of names.values())
    if (typeof name !== "string")
      throw expected("an object of strings", "special_tokens_map", options.special_tokens_map);
  const rename = (token: string) => names.get(token) ?? token;
  const added = options.new_special_tokens ?? [];
  const special_tokens = special_tokens_of(json, rename, added);
  const spec = trainer_of(type, json, vocab_size, special_tokens, options);

  const { unk_token } = json.model;
  const model: Model = { ...json.model, vocab: {}, ...(type === "BPE" && { merges: [] }) };
  if (typeof unk_token === "string") model.unk_token = rename(unk_token);
  // These name ids of the old vocabulary.
  const without_ids = { ...json, added_tokens: [], post_processor: null, model };
  const { Tokenizer } = native();
  try {
    const blank = new Tokenizer(JSON.stringify(without_ids));
    await count_words(blank, text_iterator);
    const { vocab, merges } = JSON.parse(blank.train(type, spec));
    Object.assign(model, { vocab }, type === "BPE" && { merges });
    if (type !== "WordLevel") model["continuing_subword_prefix"] = spec.continuing_subword_prefix ?? null;
    if (type === "BPE") model["end_of_word_suffix"] = spec.end_of_word_suffix ?? null;
    const engine = new Tokenizer(JSON.stringify(without_ids));
    engine.add_tokens(special_tokens.map((token) => token.to_json()));
    const trained: TokenizerJson = JSON.parse(engine.to_json(false));
    if (json.post_processor) trained.post_processor = renumber(json.post_processor, rename, engine);
    const Class = tokenizer.constructor as new (keywords: TokenizerKeywords) => T;
    return new Class({ ...keywords_of(tokenizer, rename, added), tokenizer_object: trained });
  } catch (error) {
    throw from_native(error);
  }
}

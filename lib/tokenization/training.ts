import { expected, from_native, out_of_range, TransformersError, warn_once } from "../errors.js";
import { type NativeTokenizer, native, type TrainerSpec, type UnigramTrainerSpec } from "../native.js";
import { AddedToken, type Token } from "./added_token.js";
import type { PreTrainedTokenizerFast, TokenizerKeywords } from "./fast.js";
import { ROLES } from "./special_tokens.js";
import type { Component } from "./tokenizer_json.js";
import { blank_model, byte_level_alphabet, type Model, trained_model } from "./trained_model.js";

/** Texts, one by one or in lists. */
export type TextIterator = Iterable<string | readonly string[]> | AsyncIterable<string | readonly string[]>;

/** Options of `train_new_from_iterator`; what a trainer of the model's type does not know is an error. */
export interface TrainingOptions {
  /** The number of texts, for a progress bar, which is not drawn here. */
  length?: number | null;
  new_special_tokens?: readonly Token[] | null;
  /** New names of special tokens by their old ones. */
  special_tokens_map?: Readonly<Record<string, string>> | null;
  /** How often a pair or word must be there to get a token; not for Unigram. */
  min_frequency?: number;
  show_progress?: boolean;
  /** BPE and WordPiece: how many characters to keep. */
  limit_alphabet?: number | null;
  /** Characters to keep whatever the texts have; byte-level tokenizers bring their own. Not for WordLevel. */
  initial_alphabet?: readonly string[];
  continuing_subword_prefix?: string | null;
  end_of_word_suffix?: string | null;
  /** BPE: in characters. */
  max_token_length?: number | null;
  /** Unigram: the share of the pieces that each pruning leaves, between 0 and 1. Default: 0.75. */
  shrinking_factor?: number;
  /** Unigram: rounds of expectation maximisation before each pruning. Default: 2. */
  n_sub_iterations?: number;
  /** Unigram: in characters. Default: 16. */
  max_piece_length?: number;
  /** Unigram: how many pieces to begin with. Default: 1,000,000. */
  seed_size?: number;
  /** Unigram: what stands for unknown characters, if the tokenizer has nothing for them. */
  unk_token?: string | null;
}

interface TokenizerJson {
  added_tokens: { content: string; special: boolean }[];
  pre_tokenizer: (Component & { pretokenizers?: Component[] }) | null;
  post_processor: Component | null;
  model: Model;
}

const COMMON = ["length", "new_special_tokens", "special_tokens_map", "show_progress"];
const WORDS = [...COMMON, "min_frequency"];
const SUBWORDS = [...WORDS, "limit_alphabet", "initial_alphabet", "continuing_subword_prefix", "end_of_word_suffix"];
const UNIGRAM_SIZES = ["n_sub_iterations", "max_piece_length", "seed_size"] as const;
const KNOWN = {
  BPE: [...SUBWORDS, "max_token_length"],
  WordPiece: SUBWORDS,
  WordLevel: WORDS,
  Unigram: [...COMMON, "initial_alphabet", "shrinking_factor", "unk_token", ...UNIGRAM_SIZES],
} as const;
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
      `Training a tokenizer of the type ${type} is not supported; ${Object.keys(KNOWN).join(", ")} are`,
      "not_supported",
    );
  if (typeof options !== "object" || options === null) throw expected("an object", "options", options);
  const known = KNOWN[type as Trainable];
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw expected(`one of ${known.join(", ")}`, `an option of a ${type} trainer`, name);
  size("length", options.length);
  if (options.show_progress || options.length) warn_once("train_new_from_iterator draws no progress bar");
}

/** The special tokens of the new tokenizer, in the order of their ids. Those of Unigram are all that were added. */
function special_tokens_of(json: TokenizerJson, rename: (token: string) => string, added: readonly Token[]) {
  if (!Array.isArray(added) || !added.every((token) => typeof token === "string" || token instanceof AddedToken))
    throw expected("a list of strings or AddedTokens", "new_special_tokens", added);
  const kept = json.added_tokens
    .filter(({ special }) => special || json.model.type === "Unigram")
    .map((token) => AddedToken.from({ ...token, content: rename(token.content), special: true }));
  const extra = added.map((token) =>
    typeof token === "string"
      ? new AddedToken(token, { special: true })
      : AddedToken.from({ ...token.to_json(), special: true }),
  );
  return [...kept, ...extra];
}

const given = (spec: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined && value !== null)) as never;

/** Characters that are there whatever the texts have. */
function alphabet_of({ pre_tokenizer }: TokenizerJson, { initial_alphabet = [] }: TrainingOptions): string {
  if ([pre_tokenizer, ...(pre_tokenizer?.pretokenizers ?? [])].some((part) => part?.type === "ByteLevel"))
    return byte_level_alphabet();
  if (Array.isArray(initial_alphabet) && initial_alphabet.every((item) => typeof item === "string"))
    return initial_alphabet.map((item) => [...item][0] ?? "").join("");
  throw expected("a list of characters", "initial_alphabet", initial_alphabet);
}

const optional_text = (name: string, value: unknown): string | undefined => {
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  throw expected("a string", name, value);
};

function subword_spec(type: Trainable, json: TokenizerJson, common: object, options: TrainingOptions): TrainerSpec {
  const affix = (name: "continuing_subword_prefix" | "end_of_word_suffix", otherwise?: string) => {
    const own = optional_text(name, options[name]);
    return own ?? (type === "BPE" ? ((name in options ? null : json.model[name]) as string | null) : otherwise);
  };
  const spec: Record<Exclude<keyof TrainerSpec, "vocab_size" | "special_tokens">, unknown> = {
    min_frequency: size("min_frequency", options.min_frequency),
    limit_alphabet: size("limit_alphabet", options.limit_alphabet),
    max_token_length: size("max_token_length", options.max_token_length),
    initial_alphabet: alphabet_of(json, options),
    continuing_subword_prefix: affix("continuing_subword_prefix", "##"),
    end_of_word_suffix: affix("end_of_word_suffix"),
  };
  return given({ ...common, ...spec });
}

/** The piece for what is unknown stays, under its new name. */
function unigram_spec(
  { model, ...json }: TokenizerJson,
  common: object,
  options: TrainingOptions,
  rename: (token: string) => string,
): UnigramTrainerSpec {
  const factor = options.shrinking_factor ?? undefined;
  if (factor !== undefined && !(factor > 0 && factor < 1))
    throw out_of_range("a number between 0 and 1", "shrinking_factor", factor);
  const own = optional_text("unk_token", options.unk_token);
  const old = typeof model.unk_id === "number" ? (model.vocab as [string, number][])[model.unk_id]![0] : undefined;
  return given({
    ...common,
    initial_alphabet: alphabet_of({ model, ...json }, options),
    unk_token: old === undefined ? own : rename(old),
    shrinking_factor: factor,
    ...Object.fromEntries(UNIGRAM_SIZES.map((name) => [name, size(name, options[name])])),
  });
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
    keywords[role] =
      token instanceof AddedToken ? AddedToken.from({ ...token.to_json(), content, special: true }) : content;
  }
  const additional = [...old.additional_special_tokens, ...added];
  if (additional.length) keywords["additional_special_tokens"] = additional;
  return keywords;
}

/** Without what names ids of the old vocabulary. */
const without_ids = (json: TokenizerJson, model: Model) => ({
  ...json,
  added_tokens: [],
  post_processor: null,
  model,
});

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
  if (typeof vocab_size !== "number") throw expected("a number", "vocab_size", vocab_size);
  const common = { vocab_size: size("vocab_size", vocab_size), special_tokens: special_tokens.map(String) };
  const spec =
    type === "Unigram" ? unigram_spec(json, common, options, rename) : subword_spec(type, json, common, options);

  const { Tokenizer } = native();
  try {
    const model = blank_model(json.model, rename);
    const blank = new Tokenizer(JSON.stringify(without_ids(json, model)));
    await count_words(blank, text_iterator);
    const trained = trained_model(model, JSON.parse(blank.train(type, spec)), spec);
    const engine = new Tokenizer(JSON.stringify(without_ids(json, trained)));
    engine.add_tokens(special_tokens.map((token) => token.to_json()));
    const result: TokenizerJson = JSON.parse(engine.to_json(false));
    if (json.post_processor) result.post_processor = renumber(json.post_processor, rename, engine);
    const Class = tokenizer.constructor as new (keywords: TokenizerKeywords) => T;
    return new Class({ ...keywords_of(tokenizer, rename, added), tokenizer_object: result });
  } catch (error) {
    throw from_native(error);
  }
}

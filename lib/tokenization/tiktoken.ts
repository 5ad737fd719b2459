// Vocabularies of ranks, tiktoken's and Mistral's tekken.json, as the tokenizer.json that Python makes of them:
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/convert_slow_tokenizer.py (TikTokenConverter,
// MistralConverter)
import { warn_once } from "../errors.js";
import { AddedToken } from "./added_token.js";
import { byte_level, split } from "./gguf_pre_tokenizers.js";
import { empty_parts, invalid } from "./slow_parts.js";
import type { Component } from "./tokenizer_json.js";
import { byte_level_characters } from "./trained_model.js";

/** A token's bytes, one a character, and its rank. */
type Ranks = Map<string, number>;

const LINE = /^([A-Za-z0-9+/]*={0,2})\s+(\d+)$/;
const CHARACTERS = byte_level_characters();
/** The bytes of a token as byte-level BPE writes them. */
const spelled = (bytes: string) => Array.from(bytes, (byte) => CHARACTERS[byte.charCodeAt(0)]).join("");
const bytes_of = (base64: string) => Buffer.from(base64, "base64").toString("latin1");

// All splits of a token are tried.
const LONGEST_TOKEN = 1024;

/** Whether a file called tokenizer.model is tiktoken's: lines of a token in base64 and its rank. */
export function is_tiktoken(file: Uint8Array): boolean {
  const start = Buffer.from(file.subarray(0, 4096)).toString("latin1");
  return LINE.test(
    start
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.trim() ?? "",
  );
}

/** Every way to put a token together of two others, in the order of ranks. */
function merges_of(ranks: Ranks): [string, string][] {
  const merges: { rank: number; pair: [string, string] }[] = [];
  for (const [token, rank] of ranks) {
    if (token.length > LONGEST_TOKEN) throw invalid(`A token of the vocabulary has more than ${LONGEST_TOKEN} bytes`);
    const ways: { first: number; second: number; pair: [string, string] }[] = [];
    for (let i = 1; i < token.length; i++) {
      const [first, second] = [ranks.get(token.slice(0, i)), ranks.get(token.slice(i))];
      if (first === undefined || second === undefined) continue;
      ways.push({ first, second, pair: [spelled(token.slice(0, i)), spelled(token.slice(i))] });
    }
    ways.sort((a, b) => a.first - b.first || a.second - b.second);
    for (const { pair } of ways) merges.push({ rank, pair });
  }
  return merges.sort((a, b) => a.rank - b.rank).map(({ pair }) => pair);
}

const CL100K =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function tokenizer_json(
  vocab: ReadonlyMap<string, number>,
  ranks: Ranks,
  pattern: string,
  added: readonly AddedToken[],
): object {
  let next = vocab.size;
  const tokens = new Map(added.map((token) => [token.content, token]));
  const with_bytes = (trim_offsets: boolean): Component => ({
    ...byte_level(true),
    add_prefix_space: true,
    trim_offsets,
  });
  return {
    ...empty_parts,
    added_tokens: Array.from(tokens.values(), (token) => ({
      id: vocab.get(token.content) ?? next++,
      ...token.to_json(),
    })).sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [split(pattern), { ...byte_level(false), trim_offsets: true }] },
    post_processor: with_bytes(false),
    decoder: with_bytes(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(vocab),
      merges: merges_of(ranks),
    },
  };
}

/** A file of tiktoken's; `special_tokens` get ids behind its own. */
export function from_tiktoken(file: Uint8Array, special_tokens: readonly unknown[]): object {
  const ranks: Ranks = new Map();
  const lines = Buffer.from(file.buffer, file.byteOffset, file.length)
    .toString("latin1")
    .split(/\r\n|\r|\n/);
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    const [, token, rank] = LINE.exec(line.trim()) ?? [];
    if (token === undefined)
      throw invalid(`Line ${i + 1} of the tiktoken file is no token and rank: "${line.slice(0, 60)}"`);
    ranks.set(bytes_of(token), Number(rank));
  }
  const vocab = new Map(Array.from(ranks, ([token, rank]) => [spelled(token), rank]));
  const added = special_tokens.map((token) => new AddedToken(String(token), { special: true, normalized: false }));
  return tokenizer_json(vocab, ranks, CL100K, added);
}

interface Tekken {
  config?: { pattern?: unknown };
  vocab?: { token_bytes?: unknown }[];
  special_tokens?: { token_str?: unknown; is_control?: unknown }[];
}

/** Mistral's tekken.json. */
export function from_tekken(json: string): object {
  let tekken: Tekken;
  try {
    tekken = JSON.parse(json) as Tekken;
  } catch (cause) {
    throw invalid("tekken.json is not JSON", cause);
  }
  const { config, vocab: entries, special_tokens: specials } = tekken ?? {};
  const pattern = config?.pattern;
  if (typeof pattern !== "string") throw invalid("tekken.json has no config.pattern");
  if (!Array.isArray(entries) || !Array.isArray(specials))
    throw invalid("tekken.json must have the lists vocab and special_tokens");
  const added = specials.map((token, i) => {
    if (typeof token?.token_str !== "string") throw invalid(`special_tokens[${i}] of tekken.json has no token_str`);
    return new AddedToken(token.token_str, { special: token.is_control === true });
  });
  const tokens = entries.map((entry, i) => {
    if (typeof entry?.token_bytes !== "string") throw invalid(`vocab[${i}] of tekken.json has no token_bytes`);
    return bytes_of(entry.token_bytes);
  });
  warn_once(
    "tekken.json: tokens have the ids that Python Transformers gives them, which begin at 0 beside those of the special" +
      " tokens. Mistral's models count them behind the special tokens: use the repository's tokenizer.json for those.",
  );
  const ranks: Ranks = new Map(tokens.map((token, rank) => [token, rank]));
  const vocab = new Map(added.map((token, id) => [token.content, id]));
  for (const [token, rank] of ranks) vocab.set(spelled(token), rank);
  return tokenizer_json(vocab, ranks, pattern, added);
}

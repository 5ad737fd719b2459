// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/gpt_neox_japanese/tokenization_gpt_neox_japanese.py
import { readFileSync } from "node:fs";
import { expected, out_of_range } from "../errors.js";
import { dump_json } from "../python_json.js";
import { strip } from "./python_text.js";
import { PreTrainedTokenizer } from "./slow.js";
import { invalid, lines, read_vocab_file } from "./slow_parts.js";

type Keywords = Record<string, unknown>;
interface Emoji {
  emoji: Record<string, string>;
  emoji_inv: Record<string, string>;
}

const TIMES =
  "(?:\\p{Nd}{1,2}|:|\\p{Nd}{1,2}時|\\p{Nd}{1,2}分|\\(日\\)|\\(月\\)|\\(火\\)|\\(水\\)|\\(木\\)|\\(金\\)|\\(土\\)|㈰|㈪|㈫|㈬|㈭|㈮|㈯)*";
const DAY = "(?:0?[1-9]|[12][0-9]|3[01])";
const CURRENCY = "(?:千円|万円|千万円|円|千ドル|万ドル|千万ドル|ドル|千ユーロ|万ユーロ|千万ユーロ|ユーロ)";
/** A possessive repetition: what it took is not given back. */
const digits_and = (unit: string, group: number) => `(?=((?:\\p{Nd},\\p{Nd}{3}|[\\p{Nd}${unit}])*))\\${group}`;
const CLEANED = [
  ["(?:https?|ftp)(?::\\/\\/[\\-_.!~*'()a-zA-Z0-9;\\/?:@&=+$,%#]+)", "<URL>"],
  ["[A-Za-z0-9._+]*@[\\-_0-9A-Za-z]+(?:\\.[A-Za-z]+)*", "<EMAIL>"],
  ["\\(?[0-9]{2,4}[)\\-(]?[0-9]{2,4}[)\\-]?[0-9]{3,4}", "<TEL>"],
  [`(?:[12]\\p{Nd}{3}[\\/\\-年])*(?:0?[1-9]|1[0-2])[\\/\\-月](?:${DAY}日?)*${TIMES}`, "<DATE>"],
  [`(?:明治|大正|昭和|平成|令和|㍾|㍽|㍼|㍻|\\u32ff)\\p{Nd}{1,2}年(?:0?[1-9]|1[0-2])月${DAY}日${TIMES}`, "<DATE>"],
  [`${digits_and("億", 1)}${digits_and("万", 2)}${digits_and("千", 3)}${CURRENCY}+(?:\\(税込\\)|\\(税抜\\)|\\+tax)*`, "<PRICE>"],
  ["[\\u2500-\\u257f\\u2580-\\u259f]", "<BLOCK>"],
].map(([pattern, name]) => [new RegExp(pattern!, "gu"), name!] as const); // biome-ignore format: a table
const NAMED: readonly [string, string][] = [
  [" ", "<SP>"], ["\u3000", "<SP>"], ["\r\n", "<BR>"], ["\n", "<BR>"], ["\r", "<BR>"], ["\t", "<TAB>"], ["—", "ー"], ["−", "ー"],
]; // biome-ignore format: a table
const WRITTEN: Readonly<Record<string, string>> = {
  "<SP>": " ", "<BR>": "\n", "<TAB>": "\t", "<BLOCK>": "▀", "<KIGOU>": "ǀ", "<U2000U2BFF>": "‖",
}; // biome-ignore format: a table

/** Characters of two bytes of UTF-8 that stand for "<KIGOU>", by these bytes as a number. */
const SIGNS = [[0xc2a1, 0xc2bf], [0xc780, 0xc783], [0xcab9, 0xcbbf], [0xcc80, 0xcda2]] as const; // biome-ignore format: a table
function is_sign(character: string): boolean {
  const bytes = Buffer.from(character);
  const value = bytes.length === 2 ? bytes.readUInt16BE() : 0;
  return SIGNS.some(([first, last]) => value >= first && value <= last);
}
/** From U+2000 to U+2BFF. */
function is_symbol(character: string): boolean {
  const bytes = Buffer.from(character);
  const value = bytes.length === 3 ? bytes.readUIntBE(0, 3) : 0;
  return value >= 0xe28080 && value <= 0xe2b07f;
}

/** Japanese by a dictionary: of the words at a place the one with the smallest id; other characters as bytes. */
export class GPTNeoXJapaneseTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "vocab.txt", emoji_file: "emoji.json" };
  static override readonly keywords = {
    unk_token: "<|endoftext|>",
    pad_token: "<|endoftext|>",
    bos_token: "<|startoftext|>",
    eos_token: "<|endoftext|>",
    do_clean_text: false,
  };

  do_clean_text: boolean;
  /** The spellings of each id. */
  readonly #spellings: readonly string[][];
  readonly #emoji: Emoji;
  readonly #longest: number;

  constructor({ vocab_file, emoji_file, ...keywords }: Keywords) {
    if (typeof vocab_file !== "string") throw expected("the path of a vocabulary", "vocab_file", vocab_file);
    const emoji = read_vocab_file(emoji_file, "emoji_file") as unknown as Emoji;
    if (typeof emoji.emoji !== "object" || typeof emoji.emoji_inv !== "object")
      throw invalid(`${String(emoji_file)} must have "emoji" and "emoji_inv"`);
    const all = lines(readFileSync(vocab_file, "utf8"));
    if (all.at(-1) === "") all.pop();
    const spellings = all.map((line) => (line === "," ? [line] : line.split(",")));
    const ids = new Map(spellings.flatMap((words, id) => words.map((word): [string, number] => [word, id])));
    const kwargs: Keywords = { ...GPTNeoXJapaneseTokenizer.keywords, ...keywords };
    super(kwargs, ids);
    this.do_clean_text = Boolean(kwargs["do_clean_text"]);
    this.#spellings = spellings;
    this.#emoji = emoji;
    this.#longest = Math.max(0, ...Array.from(ids.keys(), (word) => Array.from(word).length));
  }

  override get vocab_size(): number {
    return new Set(this.#spellings.map(String)).size;
  }
  override get length(): number {
    return Object.keys(this.get_vocab()).length;
  }
  override get_vocab(): Record<string, number> {
    const names = this.#spellings.map((words, id): [string, number] => [words.join(","), id]);
    return { ...Object.fromEntries(names), ...this.added_tokens_encoder };
  }

  #cleaned(text: string): string {
    const cleaned = CLEANED.reduce((result, [pattern, name]) => result.replace(pattern, name), text);
    return cleaned.replace(/(?:<BLOCK>)+/g, "<BLOCK>");
  }

  protected override _tokenize(given: string): string[] {
    const named = [...NAMED, ...Object.entries(this.#emoji.emoji)];
    const written = named.reduce((result, [text, name]) => result.replaceAll(text, name), given);
    const text = Array.from(this.do_clean_text ? this.#cleaned(written) : written);
    const tokens: string[] = [];
    for (let at = 0; at < text.length; ) {
      const found = this.#word_at(text, at);
      if (found) {
        tokens.push(found.join(""));
        at += found.length;
        continue;
      }
      const character = text[at++]!;
      if (is_sign(character)) tokens.push("<KIGOU>");
      else if (is_symbol(character)) tokens.push("<U2000U2BFF>");
      else tokens.push(...Array.from(Buffer.from(character), (byte) => `<|byte${byte}|>`));
    }
    return tokens;
  }

  /** The characters of the word to take: a longest one in angle brackets, else the one with the smallest id. */
  #word_at(text: readonly string[], at: number): readonly string[] | undefined {
    const most = text[at] === "<" ? this.#longest + 1 : 3;
    let best: readonly string[] | undefined;
    let best_id = Number.POSITIVE_INFINITY;
    for (let end = Math.min(text.length, at + most); end > at; end--) {
      const characters = text.slice(at, end);
      const id = this.encoder.get(characters.join(""));
      if (id === undefined) continue;
      if (characters[0] === "<" && characters.length > 2) return characters;
      if (id < best_id) [best, best_id] = [characters, id];
    }
    return best;
  }

  protected override convert_id_to_token(id: number): string {
    const word = this.#spellings[id]?.[0];
    if (word === undefined) throw out_of_range("an id of the vocabulary", "token_ids", id);
    const byte = /^<\|byte(\d+)\|>$/.exec(word)?.[1];
    if (byte !== undefined) return Buffer.of(Number(byte)).toString("utf8");
    if (word.startsWith("<|emoji") && word.endsWith("|>")) return this.#emoji.emoji_inv[word] ?? word;
    return WRITTEN[word] ?? word;
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join(""));
  }
  override vocabulary_files(): Record<string, string> {
    return {
      "vocab.txt": this.#spellings.map((words) => `${words.join(",")}\n`).join(""),
      "emoji.json": dump_json(this.#emoji, {}),
    };
  }
}

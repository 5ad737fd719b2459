// Tokenizers whose tokens are bytes or characters, which Python has only in Python: ByT5, MyT5, Perceiver, Dia, CANINE, MGP-STR.
import { out_of_range } from "../errors.js";
import { dump_json } from "../python_json.js";
import { AddedToken } from "./added_token.js";
import { ordered_vocabulary, PreTrainedTokenizer, type Vocabulary } from "./slow.js";
import { type Ends, TokenizerWithEnds, TokenizerWithEos } from "./slow_ends.js";
import { invalid, read_vocab_file } from "./slow_parts.js";

type Keywords = Record<string, unknown>;

/** The keywords, with the special tokens among them that are given as strings made AddedTokens. */
function with_added_tokens(keywords: Keywords, roles: readonly string[], flags: object): Keywords {
  const tokens = roles.map((role) => {
    const token = keywords[role];
    return [role, typeof token === "string" ? new AddedToken(token, flags) : token];
  });
  return { ...keywords, ...Object.fromEntries(tokens) };
}

/** The first ids are those of tokens that no file names. */
function preset(keywords: Keywords, tokens: readonly unknown[]): Keywords {
  const given = keywords["added_tokens_decoder"] as Record<number, AddedToken> | undefined;
  return { ...keywords, added_tokens_decoder: { ...tokens, ...given } };
}

/** A token for each byte: the character of its number. */
const bytes_from = (offset: number): Vocabulary =>
  new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte + offset]));
const byte_tokens = (text: string) => Array.from(Buffer.from(text), (byte) => String.fromCharCode(byte));

/** Tokens of bytes to text; bytes that are no UTF-8 become U+FFFD, or are left out. */
function text_of_bytes(tokens: readonly string[], added: Readonly<Record<string, number>>, replaces: boolean): string {
  const parts = tokens.map((token) => Buffer.from(token, Object.hasOwn(added, token) ? "utf8" : "latin1"));
  const bytes = Buffer.concat(parts);
  return replaces ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : text_of_utf8(bytes);
}

/** Bytes that are no UTF-8 are left out; a U+FFFD that is really there stays. */
function text_of_utf8(bytes: Buffer): string {
  const decode = (part: string) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(part, "latin1"));
  return bytes
    .toString("latin1")
    .split("\u00ef\u00bf\u00bd")
    .map((part) => decode(part).replaceAll("\ufffd", ""))
    .join("\ufffd");
}

/** What ByT5's kind has before the bytes: three special tokens, and `<extra_id_…>` behind. */
function by_bytes(class_name: string, given: Keywords, bytes: Vocabulary): [Keywords, Vocabulary] {
  const extra_ids = given["extra_ids"] as number;
  let special = given["additional_special_tokens"] as (string | AddedToken)[] | null;
  if (extra_ids > 0 && special === null) special = Array.from({ length: extra_ids }, (_, i) => `<extra_id_${i}>`);
  else if (extra_ids > 0 && special && special.length > 0) {
    const found = new Set(special.map(String).filter((token) => token.includes("extra_id"))).size;
    if (found !== extra_ids)
      throw new RangeError(
        `Both extra_ids (${extra_ids}) and additional_special_tokens (${special.map(String)}) are provided to` +
          ` ${class_name}. In this case the additional_special_tokens must include the extra_ids tokens`,
      );
  }
  const kwargs = with_added_tokens(given, ["pad_token", "eos_token", "unk_token"], { lstrip: true, rstrip: true });
  const first = [kwargs["pad_token"], kwargs["eos_token"], kwargs["unk_token"]];
  return [{ ...preset(kwargs, first), extra_ids: 0, additional_special_tokens: special ?? [] }, bytes];
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/byt5/tokenization_byt5.py */
export class ByT5Tokenizer extends TokenizerWithEos {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly keywords = {
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    extra_ids: 125,
    additional_special_tokens: null,
  };

  constructor(keywords: Keywords = {}) {
    super(...by_bytes("ByT5Tokenizer", { ...ByT5Tokenizer.keywords, ...keywords }, bytes_from(3)));
  }

  protected override _tokenize(text: string): string[] {
    return byte_tokens(text);
  }
  protected override convert_token_to_id(token: string): number | null {
    const code = code_point(token);
    return code === null ? null : code + 3;
  }
  protected override convert_id_to_token(id: number): string {
    return character(id - 3);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return text_of_bytes(tokens, this.added_tokens_encoder, false);
  }
  override vocabulary_files(): Record<string, string> {
    return {};
  }
}

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
const is_byte = (token: string) => /^[0-9a-f]{2}$/.test(token);

/** Sequences of bytes, in hexadecimal, that others stand for: the longest one at each place is rewritten. */
class ByteRewriter {
  readonly #rules: ReadonlyMap<string, readonly string[]>;
  readonly #longest: number;

  constructor(rules: readonly (readonly [from: string, to: string])[]) {
    this.#rules = new Map(rules.map(([from, to]) => [from, to.split(" ")]));
    this.#longest = Math.max(1, ...rules.map(([from]) => from.split(" ").length));
  }

  rewrite(bytes: readonly string[]): string[] {
    const result: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      let size = Math.min(this.#longest, bytes.length - at);
      let found: readonly string[] | undefined;
      for (; size > 0 && !found; size--) found = this.#rules.get(bytes.slice(at, at + size).join(" "));
      result.push(...(found ?? [bytes[at]!]));
      at += found ? size + 1 : 1;
    }
    return result;
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/myt5/tokenization_myt5.py */
export class MyT5Tokenizer extends TokenizerWithEos {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "byte_maps.json" };
  static override readonly keywords = ByT5Tokenizer.keywords;

  readonly #maps: Record<string, unknown>;
  /** Bytes to morphemes, and back. */
  readonly #encoders: readonly ByteRewriter[];
  readonly #decoders: readonly ByteRewriter[];

  constructor({ vocab_file, ...keywords }: Keywords) {
    const maps = read_vocab_file(vocab_file, "vocab_file");
    const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [hex(byte), byte + 3]));
    super(...by_bytes("MyT5Tokenizer", { ...MyT5Tokenizer.keywords, ...keywords }, bytes));
    const rules = ["decompose_map", "merge_map"].map((name) => {
      const map = maps[name];
      if (typeof map === "object" && map !== null) return Object.entries(map as Record<string, string>);
      throw invalid(`${String(vocab_file)} has no ${name}`);
    });
    this.#maps = maps;
    this.#encoders = rules.map((map) => new ByteRewriter(map));
    const back = rules.map((map) => map.map(([from, to]) => [to, from] as const));
    this.#decoders = back.reverse().map((map) => new ByteRewriter(map));
  }

  protected override _tokenize(text: string): string[] {
    return this.#encoders.reduce((bytes, rewriter) => rewriter.rewrite(bytes), Array.from(Buffer.from(text), hex));
  }
  protected override convert_token_to_id(token: string): number | null {
    return is_byte(token) ? Number.parseInt(token, 16) + 3 : null;
  }
  protected override convert_id_to_token(id: number): string {
    return hex(id - 3);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    const bytes = this.#decoders.reduce((row, rewriter) => rewriter.rewrite(row), [...tokens]);
    const added = this.added_tokens_encoder;
    const parts = bytes.map((token) =>
      Object.hasOwn(added, token) || !is_byte(token) ? Buffer.from(token) : Buffer.from(token, "hex"),
    );
    return text_of_utf8(Buffer.concat(parts));
  }
  override vocabulary_files(): Record<string, string> {
    return { "byte_maps.json": dump_json(this.#maps, { indent: 2, ensure_ascii: false }) };
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/perceiver/tokenization_perceiver.py */
export class PerceiverTokenizer extends TokenizerWithEnds {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly keywords = {
    pad_token: "[PAD]",
    bos_token: "[BOS]",
    eos_token: "[EOS]",
    mask_token: "[MASK]",
    cls_token: "[CLS]",
    sep_token: "[SEP]",
    model_max_length: 2048,
  };

  constructor(keywords: Keywords = {}) {
    const roles = ["pad_token", "bos_token", "eos_token", "mask_token", "cls_token", "sep_token"];
    const kwargs = with_added_tokens({ ...PerceiverTokenizer.keywords, ...keywords }, roles, {});
    const first = roles.map((role) => kwargs[role]);
    super(preset(kwargs, first), bytes_from(roles.length));
  }

  protected override _ends(): Ends {
    return { first: [this.cls_token_id!], between: [this.sep_token_id!], last: [this.sep_token_id!] };
  }
  protected override _tokenize(text: string): string[] {
    return byte_tokens(text);
  }
  protected override convert_id_to_token(id: number): string {
    return character(id - 6);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return text_of_bytes(tokens, this.added_tokens_encoder, true);
  }
  override vocabulary_files(): Record<string, string> {
    return {};
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/dia/tokenization_dia.py */
export class DiaTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly keywords = { pad_token: "<pad>", unk_token: "<pad>", max_length: 1024, offset: 0 };

  readonly #offset: number;

  constructor(keywords: Keywords = {}) {
    const given = with_added_tokens({ ...DiaTokenizer.keywords, ...keywords }, ["pad_token", "unk_token"], {});
    const { offset, ...kwargs } = given;
    const first = [kwargs["pad_token"], new AddedToken("[S1]"), new AddedToken("[S2]")];
    // The first ids are those of the added tokens, and of no bytes.
    super(preset(kwargs, first), new Map([...bytes_from(Number(offset))].filter(([, id]) => id >= first.length)));
    this.#offset = Number(offset);
  }

  override get vocab_size(): number {
    return 256;
  }

  protected override _tokenize(text: string): string[] {
    return byte_tokens(text);
  }
  protected override convert_token_to_id(token: string): number | null {
    const code = code_point(token);
    return code === null ? null : code + this.#offset;
  }
  protected override convert_id_to_token(id: number): string {
    return character(id - this.#offset);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return tokens.join("");
  }
  override vocabulary_files(): Record<string, string> {
    return {};
  }
}

const CODE_POINTS = 0x110000;

/** The number of a character; null if the token is not one. */
function code_point(token: string): number | null {
  const [character, ...more] = token;
  return character === undefined || more.length ? null : character.codePointAt(0)!;
}

/** The character of a number. */
function character(id: number): string {
  if (Number.isInteger(id) && id >= 0 && id < CODE_POINTS) return String.fromCodePoint(id);
  throw out_of_range("an id that stands for a character", "token_ids", id);
}

/** Every character and its number, without a list of them. */
class CodePoints extends Map<string, number> {
  override get(token: string): number | undefined {
    return code_point(token) ?? undefined;
  }
  override has(token: string): boolean {
    return this.get(token) !== undefined;
  }
  override get size(): number {
    return CODE_POINTS;
  }
  override *[Symbol.iterator](): MapIterator<[string, number]> {
    for (let code = 0; code < CODE_POINTS; code++) yield [String.fromCodePoint(code), code];
  }
}

const SPECIAL_NAMES = new Map([
  [0xe000, "[CLS]"],
  [0xe001, "[SEP]"],
  [0xe002, "[BOS]"],
  [0xe003, "[MASK]"],
  [0, "[PAD]"],
  [0xe004, "[RESERVED]"],
]);

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/canine/tokenization_canine.py */
export class CanineTokenizer extends TokenizerWithEnds {
  static override readonly keywords = {
    bos_token: "\ue000",
    eos_token: "\ue001",
    sep_token: "\ue001",
    cls_token: "\ue000",
    pad_token: "\0",
    mask_token: "\ue003",
    add_prefix_space: false,
    model_max_length: 2048,
  };

  constructor(keywords: Keywords = {}) {
    const roles = ["bos_token", "eos_token", "sep_token", "cls_token", "pad_token"];
    const given = with_added_tokens({ ...CanineTokenizer.keywords, ...keywords }, roles, {});
    super(with_added_tokens(given, ["mask_token"], { lstrip: true }), new CodePoints(), new Map());
  }

  protected override _ends(): Ends {
    return { first: [this.cls_token_id!], between: [this.sep_token_id!], last: [this.sep_token_id!] };
  }
  protected override _tokenize(text: string): string[] {
    return Array.from(text);
  }
  protected override convert_token_to_id(token: string): number {
    const code = code_point(token);
    if (code === null) throw new RangeError(`invalid token: '${token}'`);
    return code;
  }
  protected override convert_id_to_token(id: number): string {
    return SPECIAL_NAMES.get(id) ?? character(id);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return tokens.join("");
  }
  override vocabulary_files(): Record<string, string> {
    return {};
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/mgp_str/tokenization_mgp_str.py */
export class MgpstrTokenizer extends PreTrainedTokenizer {
  static override readonly vocab_files_names = { vocab_file: "vocab.json" };
  static override readonly keywords = { unk_token: "[GO]", bos_token: "[GO]", eos_token: "[s]", pad_token: "[GO]" };

  constructor({ vocab_file, ...keywords }: Keywords) {
    super({ ...MgpstrTokenizer.keywords, ...keywords }, ordered_vocabulary(vocab_file, "vocab_file"));
  }

  protected override _tokenize(text: string): string[] {
    return Array.from(text);
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? null;
  }
  override vocabulary_files(): Record<string, string> {
    const vocab = Object.fromEntries(this.encoder);
    return { "vocab.json": `${dump_json(vocab, { indent: 2, sort_keys: true, ensure_ascii: false })}\n` };
  }
}

// GPT-2's byte-level BPE in tokenizers that Python has only in Python, and CLVP's.
import { readFileSync } from "node:fs";
import { expected, from_native, TransformersError } from "../errors.js";
import { type NativeTokenizer, native } from "../native.js";
import { dump_json } from "../python_json.js";
import { AddedToken } from "./added_token.js";
import type { MaskOptions } from "./base.js";
import { normalize_english } from "./clvp_normalizer.js";
import { SPACE, words_of } from "./python_text.js";
import { ordered_vocabulary } from "./slow.js";
import { type Ends, TokenizerWithEnds } from "./slow_ends.js";
import { empty_parts, lines } from "./slow_parts.js";
import { byte_level_characters } from "./trained_model.js";

export type Keywords = Record<string, unknown>;

const BYTES = byte_level_characters();
const BYTE_OF = new Map(BYTES.map((character, byte) => [character, byte]));
const BEGINS_WITH_SPACE = new RegExp(`^[${SPACE}]`, "u");

/** Merges words whatever the vocabulary has: what comes out is looked up later, as in Python. */
function engine_of(merges: readonly string[][]): NativeTokenizer {
  const tokens = new Set([...BYTES, ...merges.flat(), ...merges.map((pair) => pair.join(""))]);
  const vocab = Object.fromEntries(Array.from(tokens, (token, id) => [token, id]));
  const tokenizer = {
    ...empty_parts,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true },
    post_processor: null,
    decoder: null,
    model: { type: "BPE", vocab, merges },
  };
  try {
    return new (native().Tokenizer)(JSON.stringify(tokenizer));
  } catch (error) {
    throw from_native(error);
  }
}

/** `vocab.json` and `merges.txt`, as GPT-2's. */
export abstract class ByteLevelTokenizer extends TokenizerWithEnds {
  static override readonly model_input_names: readonly string[] = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names: Readonly<Record<string, string>> = {
    vocab_file: "vocab.json",
    merges_file: "merges.txt",
  };

  readonly add_prefix_space: boolean;
  readonly #engine: NativeTokenizer;
  readonly #merges: readonly string[][];

  constructor({ vocab_file, merges_file, ...kwargs }: Keywords) {
    const errors = kwargs["errors"] ?? "replace";
    if (errors !== "replace")
      throw new TransformersError(
        `errors: bytes that are no UTF-8 become U+FFFD ("replace"), not "${errors}"`,
        "not_supported",
      );
    if (typeof merges_file !== "string") throw expected("the path of a list of merges", "merges_file", merges_file);
    const merges = lines(readFileSync(merges_file, "utf8")).slice(1, -1).map(words_of);
    super(kwargs, ordered_vocabulary(vocab_file, "vocab_file"));
    this.add_prefix_space = Boolean(kwargs["add_prefix_space"]);
    this.#merges = merges.filter((pair) => pair.length === 2);
    this.#engine = engine_of(this.#merges);
  }

  protected override prepare_for_tokenization(text: string, is_split_into_words: boolean): string {
    const needs_space = (is_split_into_words || this.add_prefix_space) && text !== "" && !BEGINS_WITH_SPACE.test(text);
    return needs_space ? ` ${text}` : text;
  }
  protected override _tokenize(text: string): string[] {
    return this.#engine.encode(text, null, { add_special_tokens: false }).tokens;
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? null;
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    const parts = Array.from(tokens.join(""), (character) => {
      const byte = BYTE_OF.get(character);
      return byte === undefined ? Buffer.from(character) : Buffer.of(byte);
    });
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(parts));
  }
  override vocabulary_files(): Record<string, string> {
    const vocab = dump_json(Object.fromEntries(this.encoder), { indent: 2, sort_keys: true, ensure_ascii: false });
    return {
      "vocab.json": `${vocab}\n`,
      "merges.txt": `#version: 0.2\n${this.#merges.map((pair) => `${pair.join(" ")}\n`).join("")}`,
    };
  }
}

/** The keywords with these tokens made AddedTokens, the mask with the space before it. */
export function with_tokens(keywords: Keywords, roles: readonly string[], flags: object = {}): Keywords {
  const made = roles.map((role) => {
    const token = keywords[role];
    const own = role === "mask_token" ? { ...flags, lstrip: true } : flags;
    return [role, typeof token === "string" ? new AddedToken(token, own) : token];
  });
  return { ...keywords, ...Object.fromEntries(made) };
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clvp/tokenization_clvp.py */
export class ClvpTokenizer extends ByteLevelTokenizer {
  static override readonly keywords = {
    errors: "replace",
    unk_token: "[UNK]",
    bos_token: "<|endoftext|>",
    eos_token: "[STOP]",
    pad_token: "[STOP]",
    add_prefix_space: false,
    add_bos_token: false,
    add_eos_token: false,
  };

  readonly add_bos_token: boolean;
  readonly add_eos_token: boolean;

  constructor(keywords: Keywords) {
    const given = { ...ClvpTokenizer.keywords, ...keywords };
    super(with_tokens(given, ["bos_token", "eos_token", "unk_token", "pad_token"], { special: true }));
    this.add_bos_token = Boolean(given.add_bos_token);
    this.add_eos_token = Boolean(given.add_eos_token);
  }

  protected override _ends(): Ends {
    const first = this.add_bos_token ? [this.bos_token_id!] : [];
    const last = this.add_eos_token ? [this.eos_token_id!] : [];
    return { first, between: [...last, ...first], last };
  }
  /** As in Python, of which the end of a text is no special token. */
  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (options.already_has_special_tokens) return super.get_special_tokens_mask(ids, options);
    const rows = options.token_ids_1 ? [ids, options.token_ids_1] : [ids];
    return rows.flatMap((row) => [...(this.add_bos_token ? [1] : []), ...row.map(() => 0)]);
  }
  protected override prepare_for_tokenization(text: string): string {
    return text;
  }
  protected override _tokenize(text: string): string[] {
    const tokens = super._tokenize(normalize_english(text));
    return this.encoder.has("[SPACE]") ? tokens.map((token) => (token === "Ġ" ? "[SPACE]" : token)) : tokens;
  }
  override clean_up_tokenization(given: string): string {
    const known = (token: string) => this.encoder.has(token) || Object.hasOwn(this.added_tokens_encoder, token);
    const spaces = ["[SPACE]", "[STOP]"].filter(known);
    const text = spaces.reduce((result, token) => result.replaceAll(token, " "), given);
    return text
      .replaceAll(this.unk_token ?? "", "")
      .replaceAll("   ", " ")
      .replaceAll("  ", " ");
  }
}

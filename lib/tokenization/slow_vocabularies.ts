// Tokenizers that number the pieces of a SentencePiece model by a vocabulary of their own: BARTpho, ErnieM.
import { readFileSync } from "node:fs";
import { expected } from "../errors.js";
import { AddedToken } from "./added_token.js";
import type { MaskOptions } from "./base.js";
import { SENTENCE } from "./layout.js";
import { strip, words_of } from "./python_text.js";
import { SentencePieceProcessor } from "./sentencepiece_processor.js";
import type { Ends } from "./slow_ends.js";
import { lines } from "./slow_parts.js";
import { type Keywords, piece_ids, SentencePieceTokenizer } from "./slow_sentencepiece.js";

const SIGN = "▁";
const joined = (tokens: readonly string[]) => strip(tokens.join("").replaceAll(SIGN, " "));

function lines_of(path: unknown, argument: string): string[] {
  if (typeof path !== "string") throw expected("the path of a vocabulary", argument, path);
  const all = lines(readFileSync(path, "utf8"));
  if (all.at(-1) === "") all.pop();
  return all;
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bartpho/tokenization_bartpho.py */
export class BartphoTokenizer extends SentencePieceTokenizer {
  static override readonly types_are_zero = true;
  static override readonly vocab_files_names = {
    vocab_file: "sentencepiece.bpe.model",
    monolingual_vocab_file: "dict.txt",
  };
  static override readonly keywords = SENTENCE;

  readonly #dictionary: string;

  constructor({ vocab_file, monolingual_vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...BartphoTokenizer.keywords, ...keywords };
    const roles = ["bos_token", "pad_token", "eos_token", "unk_token", "sep_token", "cls_token"];
    const ids = new Map<string, number>();
    for (const role of roles) if (!ids.has(String(kwargs[role]))) ids.set(String(kwargs[role]), ids.size);
    for (const line of lines_of(monolingual_vocab_file, "monolingual_vocab_file")) {
      const [token] = words_of(line);
      if (token === undefined) throw expected("a token in each line", "monolingual_vocab_file", line);
      ids.set(token, ids.size);
    }
    const mask = kwargs["mask_token"];
    if (!ids.has(String(mask))) ids.set(String(mask), ids.size);
    const mask_token = typeof mask === "string" ? new AddedToken(mask, { lstrip: true }) : mask;
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    super({ ...kwargs, mask_token }, model, ids, "sentencepiece.bpe.model");
    this.#dictionary = String(monolingual_vocab_file);
  }

  override get vocab_size(): number {
    return this.decoder.size;
  }
  protected override _ends(): Ends {
    const [cls, sep] = [this.cls_token_id!, this.sep_token_id!];
    return { first: [cls], between: [sep, sep], last: [sep] };
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return joined(tokens);
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { ...super.vocabulary_files(), "dict.txt": { copy: this.#dictionary } };
  }
}

const is_chinese = (character: string) => character >= "一" && character <= "鿿";
const is_mark = (character: string) => ",;:.?!~，；：。？！《》【】".includes(character);
/** Python's `str.isdigit`: digits of all scripts, also raised, in circles and the like. */
const DIGIT =
  /[\p{Nd}\u{b2}-\u{b3}\u{b9}\u{1369}-\u{1371}\u{19da}\u{2070}\u{2074}-\u{2079}\u{2080}-\u{2089}\u{2460}-\u{2468}\u{2474}-\u{247c}\u{2488}-\u{2490}\u{24ea}\u{24f5}-\u{24fd}\u{24ff}\u{2776}-\u{277e}\u{2780}-\u{2788}\u{278a}-\u{2792}\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]/u;

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/deprecated/ernie_m/tokenization_ernie_m.py */
export class ErnieMTokenizer extends SentencePieceTokenizer {
  static override readonly model_input_names = ["input_ids"];
  static override readonly vocab_files_names = {
    vocab_file: "vocab.txt",
    sentencepiece_model_ckpt: "sentencepiece.bpe.model",
  };
  static override readonly optional_files = ["vocab_file"];
  static override readonly keywords = {
    do_lower_case: false,
    encoding: "utf8",
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
  };

  constructor({ vocab_file, sentencepiece_model_ckpt, ...keywords }: Keywords) {
    const model = new SentencePieceProcessor(sentencepiece_model_ckpt as string, "sentencepiece_model_ckpt");
    const own = vocab_file === undefined || vocab_file === null ? undefined : lines_of(vocab_file, "vocab_file");
    const ids = own ? new Map(own.map((token, id) => [token, id])) : piece_ids(model);
    super({ ...ErnieMTokenizer.keywords, ...keywords }, model, ids, "sentencepiece.bpe.model");
  }

  protected override _ends(): Ends {
    const [cls, sep] = [this.cls_token_id!, this.sep_token_id!];
    return { first: [cls], between: [sep, sep], last: [sep] };
  }
  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    if (!pair) return new Array<number>(ids.length + 2).fill(0);
    return [...new Array<number>(ids.length + 1).fill(0), ...new Array<number>(pair.length + 3).fill(1)];
  }
  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (!options.already_has_special_tokens) return super.get_special_tokens_mask(ids, options);
    return ids.map((id) => Number(id === this.sep_token_id || id === this.cls_token_id));
  }

  /** Chinese characters, marks and runs of digits stand alone. */
  protected override _tokenize(text: string): string[] {
    const pieces = super._tokenize(text);
    return pieces.flatMap((piece, i) => {
      if (piece === SIGN) return i > 0 && !pieces[i + 1]?.startsWith(SIGN) ? [SIGN] : [];
      const parts: string[] = [];
      let part = "";
      const end = () => {
        if (part && part !== SIGN) parts.push(part);
        part = "";
      };
      let before: string | undefined;
      for (const character of piece) {
        if (character === SIGN) part += character;
        else if (is_chinese(character) || is_mark(character)) {
          end();
          parts.push(character);
        } else {
          if (before !== undefined && DIGIT.test(character) !== DIGIT.test(before)) end();
          part += character;
        }
        before = character;
      }
      if (part) parts.push(part);
      return parts;
    });
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? this.unk_token;
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return joined(tokens);
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { ...super.vocabulary_files(), "vocab.txt": [...this.encoder.keys()].map((token) => `${token}\n`).join("") };
  }
}

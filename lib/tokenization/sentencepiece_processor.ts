// A SentencePiece model by itself, as Python's SentencePieceProcessor: text to pieces and back.
// https://github.com/google/sentencepiece/blob/v0.2.0/src/sentencepiece_processor.cc
import { readFileSync } from "node:fs";
import { expected, from_native, TransformersError } from "../errors.js";
import { type NativeTokenizer, native } from "../native.js";
import { escape_pattern } from "./python_text.js";
import {
  BYTE,
  CONTROL,
  NORMAL,
  type Piece,
  read_sentencepiece,
  type SentencePieceModel,
  USER_DEFINED,
} from "./sentencepiece.js";
import { merges_of } from "./sentencepiece_merges.js";
import { sentencepiece_normalizer } from "./sentencepiece_normalizer.js";

const [UNIGRAM, BPE, CHARACTERS] = [1, 2, 4];
/** Stands for what is unknown in the engine's vocabulary, where no text can meet it. */
const UNMATCHED = "\0<unk>\0";
const UNKNOWN_SURFACE = " ⁇ ";

const byte_piece = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** Only pieces that a text can meet: no control pieces, no bytes. */
const is_matched = ({ type }: Piece) => type === NORMAL || type === USER_DEFINED;

function unigram(model: SentencePieceModel): object {
  const pieces = model.pieces.filter(is_matched);
  // A user-defined piece beats whatever else could be made of its text.
  const best = Math.max(...pieces.map(({ type, score }) => (type === NORMAL ? score : -Infinity)));
  const score_of = ({ piece, type, score }: Piece) =>
    type === USER_DEFINED ? Buffer.byteLength(piece) * best - 0.1 : score;
  const vocab = [[UNMATCHED, 0], ...pieces.map((piece) => [piece.piece, score_of(piece)])];
  return { type: "Unigram", unk_id: 0, vocab, byte_fallback: false };
}

function bpe(model: SentencePieceModel): object {
  const pieces = model.pieces.filter(({ type }) => type === NORMAL);
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  const merges = merges_of(ids, new Map(pieces.map(({ piece, score }) => [piece, score])));
  return { type: "BPE", fuse_unk: false, byte_fallback: false, vocab: Object.fromEntries(ids), merges };
}

function engine_of(model: object): NativeTokenizer {
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model,
  };
  try {
    return new (native().Tokenizer)(JSON.stringify(tokenizer));
  } catch (error) {
    throw from_native(error);
  }
}

/** Characters that it does not know stay what they are: the engine would leave them out. */
function bpe_splitter(model: SentencePieceModel): (text: string) => string[] {
  const engine = engine_of(bpe(model));
  const known = new Set(model.pieces.filter(({ type }) => type === NORMAL).map(({ piece }) => piece));
  const is_known = (run: string) => known.has(String.fromCodePoint(run.codePointAt(0)!));
  return (text) =>
    runs_of(text, known).flatMap((run) =>
      is_known(run) ? engine.encode(run, null, { add_special_tokens: false }).tokens : run,
    );
}

/** Pieces of a normalized text; what the model does not know comes as it is, however cut. */
function splitter(model: SentencePieceModel, user_defined: string[]): ((normalized: string) => string[]) | undefined {
  if (model.model_type === UNIGRAM) {
    const engine = engine_of(unigram(model));
    return (text) => engine.encode(text, null, { add_special_tokens: false }).tokens;
  }
  if (model.model_type !== BPE && model.model_type !== CHARACTERS) return undefined;
  const whole = user_defined.sort((a, b) => b.length - a.length).map(escape_pattern);
  const pattern = new RegExp(`(${[...whole, "$^"].join("|")})`, "u");
  const inside = model.model_type === BPE ? bpe_splitter(model) : (text: string) => Array.from(text);
  return (text) => text.split(pattern).flatMap((part, i) => (part === "" ? [] : i % 2 === 1 ? [part] : inside(part)));
}

/** How the model may differ from its file. */
interface ProcessorOptions {
  add_dummy_prefix?: boolean;
}

export class SentencePieceProcessor {
  readonly pieces: readonly Piece[];
  readonly unk_piece: string;
  readonly #normalize: (text: string) => string;
  readonly #split: (normalized: string) => string[];
  readonly #types: ReadonlyMap<string, number>;
  readonly #drops_first_space: boolean;
  readonly #drops_all_spaces: boolean;
  readonly #has_bytes: boolean;

  /** Throws TransformersError{tokenizer_invalid | not_supported}: no word models. */
  constructor(
    readonly path: string,
    argument: string,
    options: ProcessorOptions = {},
  ) {
    if (typeof path !== "string") throw expected("the path of a SentencePiece model", argument, path);
    const model = { ...read_sentencepiece(readFileSync(path)), ...options };
    this.pieces = model.pieces;
    this.unk_piece = model.unk_piece;
    this.#drops_first_space = model.add_dummy_prefix || model.remove_extra_whitespaces;
    this.#drops_all_spaces = model.remove_extra_whitespaces;
    this.#types = new Map(model.pieces.map(({ piece, type }) => [piece, type]));
    this.#has_bytes = model.pieces.some(({ type }) => type === BYTE);
    const user_defined = model.pieces.filter(({ type }) => type === USER_DEFINED).map(({ piece }) => piece);
    this.#normalize = sentencepiece_normalizer(model, user_defined);
    const split = splitter(model, user_defined);
    if (!split)
      throw new TransformersError(`${argument}: ${path} must be a Unigram, BPE or character model`, "not_supported");
    this.#split = split;
  }

  /** Pieces; what the model does not know comes as it is in the text, or as bytes where the model has them. */
  encode(text: string): string[] {
    const pieces: string[] = [];
    let is_gap = false;
    for (const piece of this.#split(this.#normalize(text))) {
      const is_known = this.#types.has(piece) && piece !== this.unk_piece;
      if (is_known) pieces.push(piece);
      else if (this.#has_bytes) pieces.push(...Array.from(Buffer.from(piece), byte_piece));
      else if (is_gap) pieces[pieces.length - 1] += piece;
      else pieces.push(piece);
      is_gap = !is_known;
    }
    return pieces;
  }

  decode_pieces(pieces: readonly string[]): string {
    let text = "";
    let bytes: number[] = [];
    let at_start = this.#drops_first_space;
    const end_bytes = () => {
      text += text_of(bytes);
      bytes = [];
    };
    for (const piece of pieces) {
      const type = this.#types.get(piece);
      if (type === BYTE) {
        bytes.push(Number.parseInt(piece.slice(3, 5), 16));
        continue;
      }
      end_bytes();
      if (type === CONTROL) continue;
      // The space that was put before the text goes, or all of them; a piece of another vocabulary stays as it is.
      const is_first = at_start && text === "";
      if (is_first && piece.startsWith("▁") && !this.#drops_all_spaces) at_start = false;
      if (type === undefined) text += piece;
      else if (piece === this.unk_piece) text += UNKNOWN_SURFACE;
      else text += (is_first ? piece.replace(/^▁/, "") : piece).replaceAll("▁", " ");
    }
    end_bytes();
    return text;
  }
}

/** A text cut where characters that are known meet others. */
function runs_of(text: string, known: ReadonlySet<string>): string[] {
  const runs: string[] = [];
  let was_known: boolean | undefined;
  for (const character of text) {
    const is_known = known.has(character);
    if (is_known === was_known) runs[runs.length - 1] += character;
    else runs.push(character);
    was_known = is_known;
  }
  return runs;
}

/** UTF-8; every byte of what is none becomes U+FFFD. */
function text_of(bytes: readonly number[]): string {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i]!;
    const width = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      text += utf8.decode(Uint8Array.from(bytes.slice(i, i + width)));
      i += width;
    } catch {
      text += "\ufffd";
      i++;
    }
  }
  return text;
}

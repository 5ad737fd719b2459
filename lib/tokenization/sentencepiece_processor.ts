// A SentencePiece model by itself, as Python's SentencePieceProcessor: text to pieces and back.
// https://github.com/google/sentencepiece/blob/v0.2.0/src/sentencepiece_processor.cc
import { readFileSync } from "node:fs";
import { expected, from_native, TransformersError } from "../errors.js";
import { type NativeTokenizer, native } from "../native.js";
import { CONTROL, type Piece, read_sentencepiece, type SentencePieceModel, USER_DEFINED } from "./sentencepiece.js";

const UNIGRAM = 1;
const NORMAL = 1;

/** The model as a tokenizer.json. Control pieces are never found in a text. */
function tokenizer_json(model: SentencePieceModel): object {
  const pieces = model.pieces.filter(({ type }) => type !== CONTROL);
  const unknown = pieces.findIndex(({ piece }) => piece === model.unk_piece);
  const charsmap = Buffer.from(model.precompiled_charsmap).toString("base64");
  const replace = (Regex: string, content: string) => ({ type: "Replace", pattern: { Regex }, content });
  const normalizers = [
    ...(charsmap ? [{ type: "Precompiled", precompiled_charsmap: charsmap }] : []),
    // At the end the sign for a space goes too, where a text has it.
    ...(model.remove_extra_whitespaces ? [replace("^ +", ""), replace(" {2,}", " "), replace("[ ▁]+$", "")] : []),
    ...(model.add_dummy_prefix ? [{ type: "Prepend", prepend: "▁" }] : []),
    replace(" ", "▁"),
  ];
  // A user-defined piece beats whatever else could be made of its text.
  const best = Math.max(...pieces.map(({ type, score }) => (type === NORMAL ? score : -Infinity)));
  const score_of = ({ piece, type, score }: Piece) =>
    type === USER_DEFINED ? Buffer.byteLength(piece) * best - 0.1 : score;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "Sequence", normalizers },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: "Unigram",
      unk_id: unknown < 0 ? null : unknown,
      vocab: pieces.map((piece) => [piece.piece, score_of(piece)]),
      byte_fallback: false,
    },
  };
}

export class SentencePieceProcessor {
  readonly #engine: NativeTokenizer;
  readonly #types: ReadonlyMap<string, number>;
  readonly #drops_first_space: boolean;

  /** Throws TransformersError{tokenizer_invalid | not_supported}: only Unigram models. */
  constructor(
    readonly path: string,
    argument: string,
  ) {
    if (typeof path !== "string") throw expected("the path of a SentencePiece model", argument, path);
    const model = read_sentencepiece(readFileSync(path));
    if (model.model_type !== UNIGRAM)
      throw new TransformersError(`${argument}: ${path} must be a Unigram model`, "not_supported");
    this.#drops_first_space = model.add_dummy_prefix || model.remove_extra_whitespaces;
    this.#types = new Map(model.pieces.map(({ piece, type }) => [piece, type]));
    try {
      this.#engine = new (native().Tokenizer)(JSON.stringify(tokenizer_json(model)));
    } catch (error) {
      throw from_native(error);
    }
  }

  /** Pieces; what the model does not know comes as it is in the text. */
  encode(text: string): string[] {
    return this.#engine.encode(text, null, { add_special_tokens: false }).tokens;
  }

  decode_pieces(pieces: readonly string[]): string {
    let text = "";
    for (const piece of pieces) {
      const type = this.#types.get(piece);
      if (type === CONTROL) continue;
      // The space that was put before the text goes; a piece of another vocabulary stays as it is.
      const is_first = text === "" && this.#drops_first_space;
      if (type === undefined) text += piece;
      else text += (is_first ? piece.replace(/^▁+/, "") : piece).replaceAll("▁", " ");
    }
    return text;
  }
}

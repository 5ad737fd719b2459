// Reads SentencePiece's .model files, which are protocol buffers:
// https://github.com/google/sentencepiece/blob/v0.2.0/src/sentencepiece_model.proto
import { TransformersError } from "../errors.js";

export const NORMAL = 1;
const UNKNOWN = 2;
export const CONTROL = 3;
export const USER_DEFINED = 4;
export const BYTE = 6;

export interface Piece {
  piece: string;
  score: number;
  /** 1 is a normal piece, 6 a byte. */
  type: number;
}

/** What the conversion needs of a model. */
export interface SentencePieceModel {
  pieces: Piece[];
  /** 1 is Unigram, 2 is BPE. */
  model_type: number;
  unk_id: number;
  unk_piece: string;
  precompiled_charsmap: Uint8Array;
  /** Whether a text gets a space put before it. */
  add_dummy_prefix: boolean;
  /** Whether spaces at the ends go, and one is left of several. */
  remove_extra_whitespaces: boolean;
}

const invalid = (message: string, cause?: unknown) =>
  new TransformersError(`The SentencePiece model is not valid: ${message}`, "tokenizer_invalid", cause);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as it came over the wire: a varint, 4 or 8 bytes, or bytes of any length. */
type Value = bigint | Uint8Array;

/** The fields of one message. `name` says what it is in errors. */
class Message {
  #at = 0;
  constructor(
    readonly bytes: Uint8Array,
    readonly name: string,
  ) {}

  *fields(): Generator<[field: number, value: Value]> {
    while (this.#at < this.bytes.length) {
      const tag = this.#varint();
      const [field, wire] = [Number(tag >> 3n), Number(tag & 7n)];
      if (field < 1 || field >= 2 ** 29) throw invalid(`${this.name} has a field of number ${field}`);
      yield [field, this.#value(wire)];
    }
  }

  #value(wire: number): Value {
    if (wire === 0) return this.#varint();
    if (wire === 1) return this.#take(8);
    if (wire === 2) return this.#take(Number(this.#varint()));
    if (wire === 5) return this.#take(4);
    throw invalid(`${this.name} has the wire type ${wire} at byte ${this.#at}`);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) throw invalid(`${this.name} ends within a number`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw invalid(`${this.name} has a number of more than 10 bytes`);
  }

  #take(size: number): Uint8Array {
    const rest = this.bytes.length - this.#at;
    if (size > rest) throw invalid(`${this.name} has a field of ${size} bytes where ${rest} are left`);
    this.#at += size;
    return this.bytes.subarray(this.#at - size, this.#at);
  }

  fail(field: number, expected: string): never {
    throw invalid(`field ${field} of ${this.name} must be ${expected}`);
  }
  data(field: number, value: Value): Uint8Array {
    return typeof value === "bigint" ? this.fail(field, "data") : value;
  }
  text(field: number, value: Value): string {
    try {
      return utf8.decode(this.data(field, value));
    } catch (cause) {
      if (cause instanceof TransformersError) throw cause;
      throw invalid(`field ${field} of ${this.name} must be UTF-8`, cause);
    }
  }
  integer(field: number, value: Value): number {
    return typeof value === "bigint" ? Number(BigInt.asIntN(32, value)) : this.fail(field, "an integer");
  }
  float(field: number, value: Value): number {
    if (typeof value === "bigint" || value.length !== 4) return this.fail(field, "a number of 4 bytes");
    const number = new DataView(value.buffer, value.byteOffset, 4).getFloat32(0, true);
    return Number.isFinite(number) ? number : this.fail(field, "a finite number");
  }
}

function read_piece(bytes: Uint8Array, id: number): Piece {
  const message = new Message(bytes, `piece ${id}`);
  const piece: Piece = { piece: "", score: 0, type: 1 };
  for (const [field, value] of message.fields()) {
    if (field === 1) piece.piece = message.text(field, value);
    else if (field === 2) piece.score = message.float(field, value);
    else if (field === 3) piece.type = message.integer(field, value);
  }
  if (!piece.piece) throw invalid(`${message.name} is empty`);
  return piece;
}

function read_trainer(bytes: Uint8Array, model: SentencePieceModel): void {
  const message = new Message(bytes, "the trainer's specification");
  for (const [field, value] of message.fields()) {
    if (field === 3) model.model_type = message.integer(field, value);
    else if (field === 40) model.unk_id = message.integer(field, value);
    else if (field === 45) model.unk_piece = message.text(field, value);
  }
}

function read_normalizer(bytes: Uint8Array, model: SentencePieceModel): void {
  const message = new Message(bytes, "the normalizer's specification");
  for (const [field, value] of message.fields()) {
    if (field === 2) model.precompiled_charsmap = message.data(field, value);
    else if (field === 3) model.add_dummy_prefix = message.integer(field, value) !== 0;
    else if (field === 4) model.remove_extra_whitespaces = message.integer(field, value) !== 0;
  }
}

/** Parses a .model file. Throws TransformersError{tokenizer_invalid}. */
export function read_sentencepiece(bytes: Uint8Array): SentencePieceModel {
  const model: SentencePieceModel = {
    pieces: [],
    model_type: 1,
    unk_id: 0,
    unk_piece: "<unk>",
    precompiled_charsmap: new Uint8Array(0),
    add_dummy_prefix: true,
    remove_extra_whitespaces: true,
  };
  const message = new Message(bytes, "the model");
  for (const [field, value] of message.fields()) {
    if (field === 1) model.pieces.push(read_piece(message.data(field, value), model.pieces.length));
    else if (field === 2) read_trainer(message.data(field, value), model);
    else if (field === 3) read_normalizer(message.data(field, value), model);
  }
  const seen = new Set<string>();
  for (const { piece } of model.pieces) {
    if (seen.has(piece)) throw invalid(`the piece "${piece}" is there twice`);
    seen.add(piece);
  }
  if (!model.pieces.some(({ type }) => type === UNKNOWN)) throw invalid("it has no piece for what is unknown");
  return model;
}

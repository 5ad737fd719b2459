// A call of a fast tokenizer on the engine: to ids alone where these say all that was asked for, else to encodings.
import { availableParallelism } from "node:os";
import { from_native, out_of_range } from "../errors.js";
import type { NativeEncoding, NativeTokenizer, NativeTruncation } from "../native.js";
import type { Sample } from "./base.js";
import { Encoding, type OffsetsUnit, type Span } from "./encoding.js";
import type { Side } from "./options.js";

export interface EngineCall {
  samples: readonly Sample[];
  add_special_tokens: boolean;
  is_pretokenized: boolean;
  split_special_tokens: boolean;
  truncation?: NativeTruncation;
  padding?: Padding;
  overflow: boolean;
  unit: OffsetsUnit | undefined;
  threads: number;
}

export interface Padding {
  /** null: that of the longest row. */
  length: number | null;
  multiple_of: number;
  id: number;
  type_id: number;
  token: string;
  side: Side;
}

/** What is asked of every row. */
export type Wants = Record<"attention_mask" | "type_ids" | "special_tokens_mask" | "offsets", boolean>;

/** What follows from ids and offsets alone, row by row. */
export interface Rows {
  ids: number[][];
  attention_mask: number[][] | undefined;
  type_ids: number[][] | undefined;
  special_tokens_mask: number[][] | undefined;
  offsets: Span[][] | undefined;
}

/** Characters that a thread should have to itself: starting one takes as long as some of them. */
const CHARACTERS_PER_THREAD = 50_000;
const MOST_THREADS = 8;

/** Python's `TOKENIZERS_PARALLELISM`. */
function may_run_parallel(): boolean {
  return !["0", "false", "off", "no", "n", "f"].includes((process.env["TOKENIZERS_PARALLELISM"] ?? "").toLowerCase());
}

/** The threads that a batch is worth. */
export function threads_for(samples: readonly Sample[]): number {
  if (samples.length < 2) return 1;
  let characters = 0;
  for (const { text, pair } of samples) {
    characters += typeof text === "string" ? text.length : text.length * 5;
    characters += typeof pair === "string" ? pair.length : 0;
  }
  const worth = Math.floor(characters / CHARACTERS_PER_THREAD);
  return worth < 2 || !may_run_parallel() ? 1 : Math.min(worth, availableParallelism(), MOST_THREADS);
}

export function check_id(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= 0xffffffff) return id;
  throw out_of_range("a token id (a whole number from 0)", "ids", id);
}

function padded_length({ length, multiple_of }: Padding, longest: number): number {
  return Math.ceil((length ?? longest) / multiple_of) * multiple_of;
}

function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw from_native(error);
  }
}

const NO_FRAME = [0, 0] as const;

/** The engine, and what is kept from one call to the next. */
export class Encoder {
  readonly engine: NativeTokenizer;
  /** Whether someone may still ask for encodings of the engine as it is. */
  lent = false;
  #splits_special_tokens = false;
  #ids!: Int32Array;
  #offsets!: Int32Array;

  constructor(engine: NativeTokenizer) {
    this.engine = engine;
    this.#make_room(1024);
  }

  #make_room(count: number): void {
    this.#ids = new Int32Array(count);
    this.#offsets = new Int32Array(2 * count);
    this.engine.set_out(this.#ids, this.#offsets);
  }

  /** One that can be changed while encodings of this one are computed. */
  clone(): Encoder {
    const copy = new Encoder(this.engine.clone());
    copy.#splits_special_tokens = this.#splits_special_tokens;
    return copy;
  }

  #split_special_tokens(split: boolean): void {
    if (split === this.#splits_special_tokens) return;
    this.engine.set_encode_special_tokens(split);
    this.#splits_special_tokens = split;
  }

  /** Puts the ids of one text, and offsets, into the arrays that the next call overwrites, and tells their number. */
  #encode_into(text: string, add_special: boolean, truncation?: NativeTruncation, offsets?: OffsetsUnit): number {
    const { engine } = this;
    let count: number;
    try {
      if (offsets)
        count = engine.encode_ids_into(text, add_special, truncation?.max_length, truncation?.direction, offsets);
      else if (truncation)
        count = engine.encode_ids_into(text, add_special, truncation.max_length, truncation.direction);
      else count = engine.encode_ids_into(text, add_special);
    } catch (error) {
      throw from_native(error);
    }
    if (count <= this.#ids.length) return count;
    this.#make_room(2 * count);
    return this.#encode_into(text, add_special, truncation, offsets);
  }

  ids(text: string, add_special_tokens: boolean, split_special_tokens: boolean): number[] {
    this.#split_special_tokens(split_special_tokens);
    const count = this.#encode_into(text, add_special_tokens);
    return row_of(this.#ids, 0, count, count, 0, 0);
  }

  /** Rows of a call; undefined if only encodings can tell. */
  rows(call: EngineCall, wants: Wants): Rows | undefined {
    const { samples, add_special_tokens, padding, truncation } = call;
    if (call.overflow || call.is_pretokenized || samples.some(({ pair }) => pair !== null)) return undefined;
    if (wants.type_ids && this.engine.has_type_ids) return undefined;
    const frame = wants.special_tokens_mask || wants.offsets ? this.engine.frame : NO_FRAME;
    if (frame === null) return undefined;
    let limit: NativeTruncation | undefined;
    if (truncation) {
      const room = truncation.max_length - (add_special_tokens ? this.engine.num_special_tokens_to_add(false) : 0);
      if (room < 1 || truncation.stride > 0 || truncation.strategy === "only_second") return undefined;
      limit = { ...truncation, max_length: room };
    }
    this.#split_special_tokens(call.split_special_tokens);
    const { ids, ends, offsets } = this.#encode_rows(call, limit, wants.offsets);
    let length = 0;
    if (padding) {
      for (let i = 0; i < ends.length; i++) length = Math.max(length, ends[i]! - (ends[i - 1] ?? 0));
      length = padded_length(padding, length);
    }
    const rows: Rows = {
      ids: [],
      attention_mask: wants.attention_mask ? [] : undefined,
      type_ids: wants.type_ids ? [] : undefined,
      special_tokens_mask: wants.special_tokens_mask ? [] : undefined,
      offsets: wants.offsets ? [] : undefined,
    };
    const [before, behind] = add_special_tokens ? frame : NO_FRAME;
    for (let i = 0, begin = 0; i < ends.length; begin = ends[i++]!) {
      const count = ends[i]! - begin;
      const size = Math.max(count, length);
      const at = padding?.side === "left" ? size - count : 0;
      rows.ids.push(row_of(ids, begin, count, size, at, padding?.id ?? 0));
      rows.attention_mask?.push(constant_row(1, count, size, at, 0));
      rows.type_ids?.push(constant_row(0, count, size, at, padding?.type_id ?? 0));
      rows.special_tokens_mask?.push(constant_row(0, count - before - behind, size, at + before, 1));
      rows.offsets?.push(spans_of(offsets!, begin, count, size, at));
    }
    return rows;
  }

  #encode_rows(call: EngineCall, limit: NativeTruncation | undefined, offsets: boolean) {
    const { samples, add_special_tokens, threads } = call;
    if (samples.length === 1) {
      const unit = offsets ? (call.unit ?? "utf16") : undefined;
      const ends: ArrayLike<number> = [this.#encode_into(samples[0]!.text as string, add_special_tokens, limit, unit)];
      return { ids: this.#ids, ends, offsets: this.#offsets };
    }
    const texts = samples.map(({ text }) => text as string);
    const options = { add_special_tokens, threads, limit: limit?.max_length, direction: limit?.direction };
    return guarded(() =>
      this.engine.encode_rows(texts, offsets ? { ...options, offsets: call.unit ?? "utf16" } : options),
    );
  }

  decode(ids: readonly number[], skip_special_tokens: boolean): string {
    if (ids.length > this.#ids.length) this.#make_room(2 * ids.length);
    for (let i = 0; i < ids.length; i++) this.#ids[i] = check_id(ids[i]!);
    return this.engine.decode(this.#ids, skip_special_tokens, ids.length);
  }

  /** The encodings of each sample: more than one where tokens overflow and are asked for. */
  encodings(call: EngineCall): Encoding[][] {
    const { samples, padding, threads } = call;
    this.#split_special_tokens(call.split_special_tokens);
    const texts = samples.map(({ text }) => text as string | string[]);
    const pairs = samples.some(({ pair }) => pair !== null)
      ? samples.map(({ pair }) => pair as string | string[])
      : null;
    const roots: NativeEncoding[] = guarded(() =>
      texts.length === 1
        ? [this.engine.encode(texts[0]!, pairs && pairs[0]!, call)]
        : this.engine.encode_batch(texts, pairs, call, threads),
    );
    if (padding) {
      const longest = roots.reduce((most, encoding) => Math.max(most, encoding.length), 0);
      const length = padded_length(padding, longest);
      for (const root of roots) root.pad(length, padding.id, padding.type_id, padding.token, padding.side);
    }
    return roots.map((root) =>
      (call.overflow ? [root, ...root.overflowing] : [root]).map((part) => new Encoding(part, call.unit)),
    );
  }
}

// Loops, because they take a tenth of the time of Array.from and its like.

/** `count` ids from `begin` on, at the place `at` of a row of `size`. */
function row_of(ids: Int32Array, begin: number, count: number, size: number, at: number, padding: number): number[] {
  const row = new Array<number>(size);
  if (size > count) row.fill(padding);
  for (let i = 0, k = begin; i < count; i++, k++) row[at + i] = ids[k]!;
  return row;
}

function constant_row(value: number, count: number, size: number, at: number, padding: number): number[] {
  const row = new Array<number>(size);
  for (let i = 0; i < size; i++) row[i] = i >= at && i < at + count ? value : padding;
  return row;
}

function spans_of(offsets: Int32Array, begin: number, count: number, size: number, at: number): Span[] {
  const row = new Array<Span>(size);
  for (let i = 0; i < at; i++) row[i] = [0, 0];
  for (let i = 0, k = 2 * begin; i < count; i++, k += 2) row[at + i] = [offsets[k]!, offsets[k + 1]!];
  for (let i = at + count; i < size; i++) row[i] = [0, 0];
  return row;
}

// Rows of tokens on their way into a program: read from the arguments of a call, packed, fed.
import { expected, out_of_range, TransformersError } from "../errors.js";
import type { NativeGraphEngine } from "../native.js";
import type { Feeds } from "./graph_model.js";
import { check_ids, to_mask, to_rows, to_vectors } from "./inputs.js";
import { gather, type Packing } from "./packing.js";
import { type Continued, continue_rows } from "./past.js";

/** Arguments of forward() by name. */
export type Arguments = Record<string, unknown>;

/** The numbers of a call, row by row. */
export interface Batch {
  rows: number;
  length: number;
  ids: Int32Array[] | undefined;
  embeds: { data: Float32Array; size: number } | undefined;
  mask: Uint8Array[] | undefined;
  /** What the rows go on after. */
  past: Continued | undefined;
}

interface BatchOptions {
  vocab_size: number;
  embedding_size: number;
  /** Before the names `input_ids`, `inputs_embeds` and `attention_mask`. */
  prefix?: string;
  /** `past_key_values`, and the engine that they must be of. */
  past?: { cache: unknown; engine: NativeGraphEngine } | undefined;
}

export const is_given = (value: unknown): boolean => value !== undefined && value !== null;

/** Those of the named arguments that are given. */
export const given_of = (args: Arguments, names: readonly string[]): Arguments =>
  Object.fromEntries(names.filter((name) => is_given(args[name])).map((name) => [name, args[name]]));

/** An option of the call, or else of the configuration. */
export const is_wanted = (args: Arguments, name: string, config: Record<string, unknown>): boolean =>
  Boolean(args[name] ?? config[name] ?? false);

/** @throws TypeError, as Python does, for an argument that is not known. */
export function check_arguments(args: Arguments, known: ReadonlySet<string>, class_name: string): void {
  for (const name in args)
    if (!known.has(name) && args[name] !== undefined)
      throw new TypeError(`${class_name}.forward() got an unexpected keyword argument '${name}'`);
}

/** Multiplications that one may spend on padding to give what Python gives there: about a millisecond. */
const FREE_FLOPS = 2e7;

/** Parameters of models, about: counting them takes longer than a call should. */
const counts = new WeakMap<object, number>();

/** Whether it costs nothing worth mentioning to compute what the mask hides. */
export function is_padding_cheap(mask: Uint8Array[] | undefined, model: { num_parameters(): number }): boolean {
  let padding = 0;
  for (const row of mask ?? []) for (let i = 0; i < row.length; i++) padding += 1 - row[i];
  if (padding === 0) return false;
  const count = counts.get(model) ?? model.num_parameters();
  counts.set(model, count);
  return padding * count * 2 < FREE_FLOPS;
}

/**
 * Reads ids or embeddings, and their mask.
 * @throws TypeError for neither or both, RangeError for ids beyond the vocabulary and shapes that do not fit.
 */
export function read_batch(args: Arguments, options: BatchOptions): Batch {
  const { prefix = "", past: cached } = options;
  const name = { ids: `${prefix}input_ids`, embeds: `${prefix}inputs_embeds`, mask: `${prefix}attention_mask` };
  if (is_given(args[name.ids]) && is_given(args[name.embeds]))
    throw new TypeError(`You cannot specify both ${name.ids} and ${name.embeds} at the same time`);
  if (!is_given(args[name.ids]) && !is_given(args[name.embeds]))
    throw new TypeError(`You have to specify either ${name.ids} or ${name.embeds}`);
  const embeds = is_given(args[name.embeds]) ? to_vectors(args[name.embeds], name.embeds) : undefined;
  const ids = embeds ? undefined : to_rows(args[name.ids], name.ids);
  const rows = embeds?.rows ?? (ids as Int32Array[]).length;
  const length = embeds?.length ?? (ids as Int32Array[])[0].length;
  if (length === 0) throw out_of_range("at least one token in each row", name.ids, args[name.ids]);
  if (ids) check_ids(ids, options.vocab_size, name.ids);
  if (embeds && embeds.size !== options.embedding_size)
    throw out_of_range(`vectors of ${options.embedding_size} values`, name.embeds, `vectors of ${embeds.size}`);
  const shape = [rows, length] as const;
  const given_mask = args[name.mask];
  const past = cached ? continue_rows(cached.cache, cached.engine, shape, given_mask, prefix) : undefined;
  const mask = past?.mask ?? (is_given(given_mask) && !past ? to_mask(given_mask, shape, name.mask) : undefined);
  return { rows, length, ids, embeds, mask: mask?.some((row) => row.includes(0)) ? mask : undefined, past };
}

/** Some rows of a batch that goes on after nothing; all of any other. */
export function rows_of(batch: Batch, first: number, end: number): Batch {
  const { rows, length, ids, embeds, mask } = batch;
  if (end - first === rows) return batch;
  const step = length * (embeds?.size ?? 0);
  return {
    rows: end - first,
    length,
    ids: ids?.slice(first, end),
    embeds: embeds && { ...embeds, data: embeds.data.subarray(first * step, end * step) },
    mask: mask?.slice(first, end),
    past: undefined,
  };
}

/** One integer below `bound` for each token, of all rows or of one that serves all; undefined: not given. */
export function token_integers(
  args: Arguments,
  name: string,
  bound: number,
  { rows, length }: { rows: number; length: number },
): Int32Array[] | undefined {
  if (!is_given(args[name])) return undefined;
  const values = to_rows(args[name], name);
  if ((values.length !== rows && values.length !== 1) || values[0].length !== length)
    throw out_of_range(
      `the shape of the tokens, [${rows}, ${length}]`,
      name,
      `shape [${values.length}, ${values[0].length}]`,
    );
  check_ids(values, bound, name);
  return values;
}

/**
 * The place of the last end token of each row, of which all have as many; the decoder reads as far.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py `BartForSequenceClassification`
 */
export function last_end_tokens(
  encoder: Batch | undefined,
  { length }: Batch,
  eos: number,
  class_name: string,
): Int32Array {
  if (!encoder?.ids)
    throw new TransformersError(`Passing input embeddings is currently not supported for ${class_name}`, "unsupported");
  const counts = new Set(encoder.ids.map((row) => row.filter((id) => id === eos).length));
  if (counts.size > 1) throw new RangeError("All examples must have the same number of <eos> tokens.");
  const last = Int32Array.from(encoder.ids, (row) => row.lastIndexOf(eos));
  if (counts.has(0) || last.some((place) => place >= length))
    throw new RangeError(
      `Expected an <eos> token (${eos}) in each row of input_ids, at a place that the decoder reads`,
    );
  return last;
}

/** Rows of integers, packed: the packing's, which begin at row `first` of `all`. A single one stands for all rows. */
export function flat(all: Int32Array[], packing: Packing, first = 0): Int32Array {
  const { rows, length } = packing;
  if (rows === 1) return gather(all[all.length === 1 ? 0 : first], 1, packing);
  const result = new Int32Array(rows * length);
  for (let i = 0; i < rows; i++) result.set(all[all.length === 1 ? 0 : first + i], i * length);
  return gather(result, 1, packing);
}

/** The packed token at a position of each row; default: at the first. */
export function pick({ tokens, rows, length, size_rows }: Packing, positions?: Int32Array): Int32Array {
  const picked = new Int32Array(size_rows);
  for (let row = 0; row < rows; row++)
    picked[row] = Math.max(0, tokens[row * length + (positions ? positions[row] : 0)]);
  return picked;
}

/** … at each of these positions, row by row. */
export function pick_all({ tokens, rows, length, size_rows }: Packing, positions: Int32Array): Int32Array {
  const picked = new Int32Array(size_rows * positions.length);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < positions.length; i++)
      picked[row * positions.length + i] = Math.max(0, tokens[row * length + positions[i]]);
  return picked;
}

/**
 * The positions that `logits_to_keep` asks for: the last ones, so many, or those of a list; undefined: all.
 * @throws TypeError for anything else, RangeError for positions that the rows do not have.
 */
export function kept_positions(keep: unknown, length: number): Int32Array | undefined {
  if (keep === undefined || keep === null || keep === 0) return undefined;
  if (typeof keep === "number") {
    if (!Number.isInteger(keep) || keep < 0) throw expected("a count of positions", "logits_to_keep", keep);
    const count = Math.min(keep, length);
    return Int32Array.from({ length: count }, (_, i) => length - count + i);
  }
  const [positions, ...others] = to_rows(keep, "logits_to_keep");
  if (others.length > 0) throw expected("one list of positions", "logits_to_keep", keep);
  if (positions.length === 0 || positions.some((position) => position < -length || position >= length))
    throw out_of_range(`positions from ${-length} to ${length - 1}`, "logits_to_keep", keep);
  return positions.map((position) => (position < 0 ? length + position : position));
}

export interface PositionBounds {
  max_positions: number;
  /** The position of a row's first token. */
  first_position?: number;
  /** Of the arguments' names. */
  prefix?: string;
}

/** @throws RangeError for positions that the model does not have; `length`: of the rows with what they go on after. */
export function check_positions(rows: Int32Array[], bounds: PositionBounds, length: number): void {
  const { max_positions, first_position = 0, prefix = "" } = bounds;
  for (const row of rows)
    for (let i = 0; i < row.length; i++)
      if (row[i] >= max_positions)
        throw out_of_range(
          `at most ${max_positions - first_position} tokens in a row, as max_position_embeddings says`,
          `${prefix}input_ids`,
          `${length} tokens`,
        );
}

/** What `Tokens` reads of a batch beside integers for each token; `prefix`: of the inputs' names in the program. */
export function token_feeds({ embeds }: Batch, packing: Packing, prefix = ""): Feeds {
  const feeds: Feeds = {};
  feeds[`${prefix}spans`] = packing.spans;
  feeds[`${prefix}places`] = packing.columns;
  feeds[`${prefix}first`] = pick(packing);
  if (embeds) feeds[`${prefix}inputs_embeds`] = gather(embeds.data, embeds.size, packing);
  return feeds;
}

// Lays the rows of a batch end to end, so that no arithmetic is spent on padding.
import type { GraphCachedRows } from "../native.js";
import { Recent } from "../recent.js";

/** Where each token went, and which tokens it sees. */
export interface Packing {
  rows: number;
  length: number;
  /** Tokens that are computed: in each row those that nobody sees, then the others. */
  count: number;
  /** Tokens and rows of the program, which may have a few more: those see nothing, and nobody sees them. */
  size: number;
  size_rows: number;
  /** Every token of the padded batch is computed, each at its place. */
  in_order: boolean;
  /** For each of them: its place in the padded batch, `row * length + position`. */
  places: Int32Array;
  /** For each place of the padded batch: its token, -1 for none. */
  tokens: Int32Array;
  /**
   * For each token: the first key that it sees, the end of those, and its own column; -1 there: it sees all equally. The
   * keys are, row by row: its tokens that nobody sees, those in the cache, the others.
   */
  spans: Int32Array;
  /** For each key: its column in the padded row, those in the cache counted. */
  columns: Int32Array;
  /** For each row: tokens that nobody sees, and the others. */
  hidden: Int32Array;
  visible: Int32Array;
}

/** What the cache holds of each row: the columns of its tokens among `length`. */
export interface Past {
  length: number;
  columns: number[][];
}

export interface PackingOptions {
  rows: number;
  length: number;
  /** 0 for what no token may see; default: every token is seen. */
  mask?: Uint8Array[] | undefined;
  past?: Past | undefined;
  /** Tokens see those before them only. */
  causal?: boolean;
  /** What a token looks at, evenly, that may see nothing: its whole row (default), or what stands before it and itself. */
  blind_sees?: "row" | "before";
  /** Compute also what nobody sees, as Python does. */
  keep_padding?: boolean;
  /** The program may be of a few more tokens and rows, so that it serves more batches. */
  rounds?: boolean;
}

/** At least `n`, by at most 1/steps of it more. */
function rounded(n: number, steps: number): number {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(n / steps)) - 1);
  return Math.ceil(n / step) * step;
}
/** A token more costs as much as any other; a row more costs next to nothing. */
const rounded_tokens = (count: number) => rounded(count, 32);
const rounded_rows = (count: number) => rounded(count, 4);

/** Batches without padding differ in nothing but their sizes. Those of so many tokens at most are kept. */
const UNPADDED = new Recent<string, Packing>(64);
const MOST_KEPT = 2048;

/** True for a row whose padding, if any, stands at its end. */
function is_right_padded(mask: Uint8Array): boolean {
  const end = mask.indexOf(0);
  return end !== 0 && (end === -1 || mask.indexOf(1, end) === -1);
}

/**
 * Rows that are padded at the end lose their padding. Of others all tokens stay, those that nobody sees in front, with
 * what Python's masks give them: all seen tokens (causal: those before), or the whole row evenly where there is none.
 */
export function pack(options: PackingOptions): Packing {
  const { rows, length, mask, past, causal = false, rounds = false } = options;
  if (mask || past || rows * length > MOST_KEPT) return pack_rows(options);
  const key = `${rows} ${length} ${causal} ${rounds}`;
  let packing = UNPADDED.get(key);
  if (!packing) {
    packing = pack_rows(options);
    UNPADDED.set(key, packing);
  }
  return packing;
}

function pack_rows(options: PackingOptions): Packing {
  const {
    rows,
    length,
    mask,
    past,
    causal = false,
    blind_sees = "row",
    keep_padding = false,
    rounds = false,
  } = options;
  const places = new Int32Array(rows * length);
  const tokens = mask ? new Int32Array(rows * length).fill(-1) : places;
  const most = rounds ? rounded_tokens(rows * length) : rows * length;
  const spans = new Int32Array(3 * most);
  const cached = past ? past.columns.reduce((sum, row) => sum + row.length, 0) : 0;
  const columns = new Int32Array(most + cached);
  const hidden = new Int32Array(rows);
  const visible = new Int32Array(rows);
  let [count, keys] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const seen = mask?.[row];
    const [first, first_key] = [count, keys];
    let [begin, begin_key, own_key] = [count, keys, keys]; // of the visible tokens; of the keys that they see
    for (const bit of [0, 1]) {
      if (bit) [begin, begin_key] = [count, keys];
      if (bit && past) {
        columns.set(past.columns[row], keys);
        keys += past.columns[row].length;
      }
      own_key = keys;
      if (!bit && (!seen || (!keep_padding && is_right_padded(seen)))) continue;
      for (let i = 0; i < length; i++) {
        if (seen && seen[i] !== bit) continue;
        places[count] = row * length + i;
        tokens[row * length + i] = count++;
        columns[keys++] = (past?.length ?? 0) + i;
      }
    }
    hidden[row] = begin - first;
    visible[row] = count - begin;
    for (let token = first; token < count; token++) {
      const key = token < begin ? first_key + token - first : own_key + token - begin;
      let end = keys;
      if (causal) end = token >= begin ? key + 1 : own_key + seen_before(places, begin, count, places[token]) - begin;
      const blind = end <= begin_key;
      spans[3 * token] = blind ? first_key : begin_key;
      spans[3 * token + 1] = !blind ? end : blind_sees === "row" ? keys : key + 1;
      spans[3 * token + 2] = blind ? -1 : columns[key];
    }
  }
  const size = rounds ? rounded_tokens(count) : count;
  return {
    rows,
    length,
    count,
    size,
    size_rows: rounds ? rounded_rows(rows) : rows,
    in_order: count === rows * length && (!mask || places.every((place, token) => place === token)),
    places: places.subarray(0, count),
    tokens,
    spans: spans.subarray(0, 3 * size),
    columns: columns.subarray(0, Math.max(keys, size)),
    hidden,
    visible,
  };
}

/** Tokens that are computed together: of more, what one layer makes leaves the processor's caches before the next reads it. */
const RUN = 1024;

/** Rows from `first` to `end`. */
export type Run = [first: number, end: number];

/** Cuts rows into runs of about as many tokens each; `mask`: its hidden tokens are not computed. */
export function runs_of(rows: number, length: number, mask: Uint8Array[] | undefined): Run[] {
  if (rows * length <= RUN) return [[0, rows]];
  const ends = new Float64Array(rows); // tokens up to the end of each row
  let total = 0;
  for (let row = 0; row < rows; row++) {
    let count = length;
    if (mask) for (const bit of mask[row]) if (!bit) count--;
    ends[row] = total += count;
  }
  const count = Math.max(1, Math.ceil(total / RUN));
  const runs: Run[] = [];
  let first = 0;
  for (let row = 0; row < rows; row++) {
    // A run ends nearest to its share.
    const share = ((runs.length + 1) * total) / count;
    const next = row + 1 < rows ? ends[row + 1] : Number.POSITIVE_INFINITY;
    if (next - share <= share - ends[row]) continue;
    runs.push([first, row + 1]);
    first = row + 1;
  }
  return runs;
}

/** What the engine is told of the rows that go into its cache; `cache`: the one that they go on after. */
export function cached_rows({ hidden, visible, columns: places }: Packing, cache?: number): GraphCachedRows {
  return cache === undefined ? { hidden, visible, places } : { hidden, visible, places, cache };
}

/** The end of those of tokens `begin` to `end` that stand before `place`. */
function seen_before(places: Int32Array, begin: number, end: number, place: number): number {
  let at = begin;
  while (at < end && places[at] < place) at++;
  return at;
}

/** Picks the packed tokens of `values`, `width` values for each place of the padded batch; zeros for those beyond. */
export function gather<Values extends Int32Array | Float32Array>(
  values: Values,
  width: number,
  { in_order, count, size, places }: Packing,
): Values {
  if (in_order && count === size) return values;
  const result = new (values.constructor as new (length: number) => Values)(size * width);
  if (in_order) result.set(values);
  else if (width === 1) for (let token = 0; token < count; token++) result[token] = values[places[token]];
  else
    for (let token = 0; token < count; token++)
      result.set(values.subarray(places[token] * width, (places[token] + 1) * width), token * width);
  return result;
}

/** Which keys each token sees, and the column of each. */
export interface Keys {
  spans: Int32Array;
  columns: ArrayLike<number>;
}

/** Puts attention weights [heads, tokens, width] where Python has them: into zeros [rows, heads, length, columns]. */
export function scatter_attention(
  values: Float32Array,
  [heads, size, width]: readonly number[],
  { length, count, places }: Packing,
  { spans, columns }: Keys,
  result: Float32Array,
): void {
  for (let token = 0; token < count; token++) {
    const row = Math.floor(places[token] / length);
    const [begin, end] = [spans[3 * token], spans[3 * token + 1]];
    for (let head = 0; head < heads; head++) {
      const from = (head * size + token) * width;
      const to = ((row * heads + head) * length + (places[token] % length)) * width;
      for (let key = begin; key < end; key++) result[to + columns[key]] = values[from + key - begin];
    }
  }
}

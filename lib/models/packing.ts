// Lays the rows of a batch end to end, so that no arithmetic is spent on padding.

/** Where each token went, and which tokens it sees. */
export interface Packing {
  rows: number;
  length: number;
  /** Tokens that are computed: in each row those that nobody sees, then the others. */
  count: number;
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
}

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
  const { rows, length, mask, past, causal = false, blind_sees = "row", keep_padding = false } = options;
  const places = new Int32Array(rows * length);
  const tokens = mask ? new Int32Array(rows * length).fill(-1) : places;
  const spans = new Int32Array(3 * rows * length);
  const cached = past ? past.columns.reduce((sum, row) => sum + row.length, 0) : 0;
  const columns = new Int32Array(rows * length + cached);
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
  return {
    rows,
    length,
    count,
    in_order: count === rows * length && (!mask || places.every((place, token) => place === token)),
    places: places.subarray(0, count),
    tokens,
    spans: spans.subarray(0, 3 * count),
    columns: columns.subarray(0, keys),
    hidden,
    visible,
  };
}

/** What the engine is told of the rows that go into its cache. */
export const cached_rows = ({ hidden, visible, columns }: Packing) => ({
  hidden,
  visible,
  places: columns,
});

/** The end of those of tokens `begin` to `end` that stand before `place`. */
function seen_before(places: Int32Array, begin: number, end: number, place: number): number {
  let at = begin;
  while (at < end && places[at] < place) at++;
  return at;
}

/** Picks the packed tokens of `values`, `size` values for each place of the padded batch. */
export function gather<Values extends Int32Array | Float32Array>(
  values: Values,
  size: number,
  packing: Packing,
): Values {
  if (packing.in_order) return values;
  const result = new (values.constructor as new (length: number) => Values)(packing.count * size);
  packing.places.forEach((place, token) => {
    for (let i = 0; i < size; i++) result[token * size + i] = values[place * size + i];
  });
  return result;
}

/** Puts `size` values for each token back to their places; zeros where nothing was computed. */
export function scatter(values: Float32Array, size: number, { in_order, places, tokens }: Packing): Float32Array {
  if (in_order) return values;
  const result = new Float32Array(tokens.length * size);
  places.forEach((place, token) => {
    result.set(values.subarray(token * size, (token + 1) * size), place * size);
  });
  return result;
}

/** Which keys each token sees, and the column of each. */
export interface Keys {
  spans: Int32Array;
  columns: ArrayLike<number>;
}

/** Attention weights [heads, tokens, width] as Python gives them: [rows, heads, length, columns]. */
export function scatter_attention(
  values: Float32Array,
  shape: readonly number[],
  { rows, length, places }: Packing,
  { spans, columns }: Keys,
): Float32Array {
  const [heads, count, width] = shape;
  const result = new Float32Array(rows * heads * length * width);
  for (let token = 0; token < count; token++) {
    const row = Math.floor(places[token] / length);
    const [begin, end] = [spans[3 * token], spans[3 * token + 1]];
    for (let head = 0; head < heads; head++) {
      const from = (head * count + token) * width;
      const to = ((row * heads + head) * length + (places[token] % length)) * width;
      for (let key = begin; key < end; key++) result[to + columns[key]] = values[from + key - begin];
    }
  }
  return result;
}

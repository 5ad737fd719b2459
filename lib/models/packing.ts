// Lays the rows of a batch end to end, so that no arithmetic is spent on padding.

/** Where each token went, and which tokens it sees. */
export interface Packing {
  rows: number;
  length: number;
  /** Tokens that are computed. */
  count: number;
  /** For each of them: its place in the padded batch, `row * length + position`. */
  places: Int32Array;
  /** For each place of the padded batch: its token, -1 for none. */
  tokens: Int32Array;
  /** For each token: the first token that it sees, the end of those, and its own number; -1 there: it sees all equally. */
  spans: Int32Array;
}

export interface PackingOptions {
  rows: number;
  length: number;
  /** 0 for what no token may see; default: every token is seen. */
  mask?: Uint8Array[] | undefined;
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
export function pack({
  rows,
  length,
  mask,
  causal = false,
  blind_sees = "row",
  keep_padding = false,
}: PackingOptions): Packing {
  const places = new Int32Array(rows * length);
  const tokens = new Int32Array(rows * length).fill(-1);
  const spans = new Int32Array(3 * rows * length);
  let count = 0;
  const add = (place: number) => {
    places[count] = place;
    tokens[place] = count++;
  };
  for (let row = 0; row < rows; row++) {
    const start = row * length;
    const seen = mask?.[row];
    const first = count;
    if (seen && (keep_padding || !is_right_padded(seen))) for (let i = 0; i < length; i++) if (!seen[i]) add(start + i);
    const begin = count;
    for (let i = 0; i < length; i++) if (!seen || seen[i]) add(start + i);
    for (let token = first; token < count; token++) {
      let end = count;
      if (causal) end = token >= begin ? token + 1 : seen_before(places, begin, count, places[token]);
      spans.set(end > begin ? [begin, end, token] : [first, blind_sees === "row" ? count : token + 1, -1], 3 * token);
    }
  }
  return { rows, length, count, places: places.slice(0, count), tokens, spans: spans.slice(0, 3 * count) };
}

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
  const result = new (values.constructor as new (length: number) => Values)(packing.count * size);
  packing.places.forEach((place, token) => {
    for (let i = 0; i < size; i++) result[token * size + i] = values[place * size + i];
  });
  return result;
}

/** Puts `size` values for each token back to their places; zeros where nothing was computed. */
export function scatter(values: Float32Array, size: number, { places, tokens }: Packing): Float32Array {
  if (places.length === tokens.length && places.every((place, token) => place === token)) return values;
  const result = new Float32Array(tokens.length * size);
  places.forEach((place, token) => {
    result.set(values.subarray(token * size, (token + 1) * size), place * size);
  });
  return result;
}

/** Attention weights [heads, tokens, width] as Python gives them: [rows, heads, length, length]. */
export function scatter_attention(values: Float32Array, heads: number, packing: Packing): Float32Array {
  const { rows, length, count, places, spans } = packing;
  const width = values.length / (heads * count);
  const result = new Float32Array(rows * heads * length * length);
  for (let token = 0; token < count; token++) {
    const row = Math.floor(places[token] / length);
    const [begin, end] = [spans[3 * token], spans[3 * token + 1]];
    for (let head = 0; head < heads; head++) {
      const from = (head * count + token) * width;
      const to = ((row * heads + head) * length + (places[token] % length)) * length;
      for (let key = begin; key < end; key++) result[to + (places[key] % length)] = values[from + key - begin];
    }
  }
  return result;
}

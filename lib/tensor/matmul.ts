// The matrix product, with torch.matmul's rules for shapes.
import { broadcast_shape, broadcast_strides, walk } from "./strided.js";
import { count, type NumberArray, numbers, promote, shape_text, store, type TensorLike, working } from "./types.js";

/** out[m, n] = a[m, k] · b[k, n]; rows of `b` are added up, so that every access is along a row. */
function multiply(
  out: Float64Array,
  a: NumberArray,
  at_a: number,
  b: NumberArray,
  at_b: number,
  m: number,
  k: number,
  n: number,
): void {
  out.fill(0);
  for (let row = 0; row < m; row++) {
    const to = row * n;
    let inner = 0;
    // Four rows of `b` at a time: the sums are read and written a quarter as often.
    for (; inner + 4 <= k; inner += 4) {
      const at = at_a + row * k + inner;
      const [p, q, r, s] = [a[at], a[at + 1], a[at + 2], a[at + 3]];
      const b0 = at_b + inner * n;
      const [b1, b2, b3] = [b0 + n, b0 + 2 * n, b0 + 3 * n];
      for (let i = 0; i < n; i++) out[to + i] += p * b[b0 + i] + q * b[b1 + i] + r * b[b2 + i] + s * b[b3 + i];
    }
    for (; inner < k; inner++) {
      const factor = a[at_a + row * k + inner];
      const from = at_b + inner * n;
      for (let i = 0; i < n; i++) out[to + i] += factor * b[from + i];
    }
  }
}

/** Batches broadcast; a 1-dimensional operand is a row on the left, a column on the right, and its axis goes away. */
export function product(a: TensorLike, b: TensorLike): TensorLike {
  const left = a.dims.length === 1 ? [1, a.dims[0]] : a.dims;
  const right = b.dims.length === 1 ? [b.dims[0], 1] : b.dims;
  const [m, k] = left.slice(-2);
  const [inner, n] = right.slice(-2);
  if (left.length < 2 || right.length < 2 || k !== inner) {
    throw new RangeError(
      `Shapes ${shape_text(a.dims)} and ${shape_text(b.dims)} do not multiply: ${k} against ${inner}`,
    );
  }
  const batches = [left.slice(0, -2), right.slice(0, -2)];
  const batch = broadcast_shape(batches[0], batches[1]);
  const type = promote(a.type, b.type);
  const out = working(type, count(batch) * m * n);
  const block = new Float64Array(m * n);
  const [x, y] = [numbers(a), numbers(b)];
  const strides = batches.map((dims) => broadcast_strides(dims, batch));
  let to = 0;
  walk(batch, strides, ([i, j], length, [di, dj]) => {
    for (let step = 0; step < length; step++, to += m * n) {
      multiply(block, x, (i + step * di) * m * k, y, (j + step * dj) * k * n, m, k, n);
      out.set(block, to);
    }
  });
  const dims = [...batch, ...(a.dims.length === 1 ? [] : [m]), ...(b.dims.length === 1 ? [] : [n])];
  return { type, dims, data: store(type, out) };
}

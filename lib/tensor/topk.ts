// The largest elements of each line along the last axis.
import { expected } from "../errors.js";
import { allocate, type NumberArray, numbers, type TensorLike } from "./types.js";

/** Up to here, inserting into a sorted list beats sorting all elements. */
const SMALL = 1024;

/** True if `a` comes before `b`; NaN is the largest, as in torch. */
const above = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** The positions of the k largest of x[start … start + n), largest first, ties by position. */
function top(x: NumberArray, start: number, n: number, k: number): ArrayLike<number> {
  if (k > SMALL) {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    const [before, after] = [-1, 1];
    order.sort((i, j) => {
      const [a, b] = [x[start + i], x[start + j]];
      return above(a, b) ? before : above(b, a) ? after : i - j;
    });
    return order.subarray(0, k);
  }
  const best: number[] = [];
  let least = Number.NaN; // of the best, once there are k
  for (let i = 0; i < n && k > 0; i++) {
    const value = x[start + i];
    if (value <= least) continue;
    if (best.length === k && !above(value, least)) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (above(value, x[start + best[middle]])) high = middle;
      else low = middle + 1;
    }
    best.splice(low, 0, i);
    if (best.length > k) best.pop();
    if (best.length === k) least = x[start + best[k - 1]];
  }
  return best;
}

/** Values and int64 indices; more than there are means all. */
export function top_lines(tensor: TensorLike, k?: number | null): [TensorLike, TensorLike] {
  const { type, dims, data } = tensor;
  const length = dims.at(-1) ?? 1;
  const wanted = Math.min(k ?? length, length);
  if (!Number.isInteger(wanted) || wanted < 0) throw expected("an integer from 0 on", "k", k);
  const x = numbers(tensor);
  const lines = length === 0 ? 0 : data.length / length;
  const values = allocate(type, lines * wanted);
  const indices = new BigInt64Array(lines * wanted);
  for (let line = 0; line < lines; line++) {
    const chosen = top(x, line * length, length, wanted);
    for (let i = 0; i < wanted; i++) {
      values[line * wanted + i] = data[line * length + chosen[i]];
      indices[line * wanted + i] = BigInt(chosen[i]);
    }
  }
  const shape = dims.length === 0 ? [] : [...dims.slice(0, -1), wanted];
  return [
    { type, dims: shape, data: values },
    { type: "int64", dims: shape, data: indices },
  ];
}

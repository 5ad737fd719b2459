// Images in other sizes, by pixel centers, as onnx's Resize and torch.nn.functional.interpolate.
import { expected } from "../errors.js";
import { count, type NumberArray, numbers, store, type TensorLike, working } from "./types.js";

export type Mode = "nearest" | "bilinear" | "bicubic";

/** Which input positions make each output position, and with what weights. */
interface Taps {
  /** Of the input. */
  size: number;
  /** For each output position. */
  count: number;
  index: Int32Array;
  weight: Float64Array;
}

/** Keys' cubic kernel with a = -0.75, as torch and onnx have it, for the four neighbours of a point at `t` in [0, 1). */
function cubic_weights(t: number): number[] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

function taps(from: number, to: number, mode: Mode, align_corners: boolean): Taps {
  const count = { nearest: 1, bilinear: 2, bicubic: 4 }[mode];
  const index = new Int32Array(to * count);
  const weight = new Float64Array(to * count);
  for (let i = 0; i < to; i++) {
    const center = align_corners ? (to > 1 ? (i * (from - 1)) / (to - 1) : 0) : ((i + 0.5) * from) / to - 0.5;
    // Nearest rounds halves down, onnx's round_prefer_floor.
    const first = mode === "nearest" ? Math.ceil(center - 0.5) : Math.floor(center) - (mode === "bicubic" ? 1 : 0);
    const t = center - Math.floor(center);
    const weights = mode === "nearest" ? [1] : mode === "bilinear" ? [1 - t, t] : cubic_weights(t);
    for (let j = 0; j < count; j++) {
      index[i * count + j] = Math.min(Math.max(first + j, 0), from - 1);
      weight[i * count + j] = weights[j];
    }
  }
  return { size: from, count, index, weight };
}

/** One image plane: along its rows into `wide`, then across them. */
function resize_plane(
  x: NumberArray,
  from: number,
  out: NumberArray,
  to: number,
  v: Taps,
  h: Taps,
  wide: Float64Array,
) {
  const [rows, columns] = [v.index.length / v.count, h.index.length / h.count];
  for (let row = 0; row * columns < wide.length; row++) {
    const start = from + row * h.size;
    for (let column = 0, j = 0; column < columns; column++) {
      let sum = 0;
      for (const end = j + h.count; j < end; j++) sum += h.weight[j] * x[start + h.index[j]];
      wide[row * columns + column] = sum;
    }
  }
  const line = new Float64Array(columns);
  for (let row = 0, j = 0; row < rows; row++) {
    line.fill(0);
    for (const end = j + v.count; j < end; j++) {
      const start = v.index[j] * columns;
      const weight = v.weight[j];
      for (let i = 0; i < columns; i++) line[i] += weight * wide[start + i];
    }
    out.set(line, to + row * columns);
  }
}

/** The last two axes of `tensor` brought to `size`. */
export function resize(
  tensor: TensorLike,
  size: readonly [number, number],
  mode: Mode,
  align_corners: boolean,
): TensorLike {
  const [height, width] = tensor.dims.slice(-2);
  if (!["nearest", "bilinear", "bicubic"].includes(mode)) {
    throw expected('"nearest", "bilinear" or "bicubic"', "mode", mode);
  }
  if (size.length !== 2 || !size.every((n) => Number.isInteger(n) && n > 0)) throw expected("two sizes", "size", size);
  if (count(tensor.dims) === 0) throw expected("an image with pixels", "input", tensor.dims);
  const { type, dims } = tensor;
  const vertical = taps(height, size[0], mode, align_corners);
  const horizontal = taps(width, size[1], mode, align_corners);
  const planes = count(dims.slice(0, -2));
  const x = numbers(tensor);
  const wide = new Float64Array(height * size[1]);
  const out = working(type, planes * size[0] * size[1]);
  for (let plane = 0; plane < planes; plane++) {
    resize_plane(x, plane * height * width, out, plane * size[0] * size[1], vertical, horizontal, wide);
  }
  return { type, dims: [...dims.slice(0, -2), ...size], data: store(type, out) };
}

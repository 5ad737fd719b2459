// What a tensor prints as: torch's layout, with the shape and the type always said.
import { count, type DataType, numbers, type TensorLike } from "./types.js";

// torch.set_printoptions' defaults: what is longer than THRESHOLD keeps EDGE items at each end of each axis.
const THRESHOLD = 1000;
const EDGE = 3;
const LINE_WIDTH = 80;
const PRECISION = 4;

/** The positions printed of an axis; -1 stands for the dots. */
function shown(size: number, shorten: boolean): number[] {
  const all = Array.from({ length: shorten ? Math.min(size, 2 * EDGE + 1) : size }, (_, i) => i);
  return all.length === size ? all : [0, 1, 2, -1, size - 3, size - 2, size - 1];
}

/** Python's `.4e`: at least two digits of exponent. */
const scientific = (value: number) => value.toExponential(PRECISION).replace(/(?<=e[+-])\d$/, "0$&");

/** How torch writes floats of this range: whole with a point, with four decimals, or in scientific notation. */
function float_writer(values: readonly number[]): (value: number) => string {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const low = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = sizes.reduce((a, b) => Math.max(a, b), 0);
  const whole = sizes.every(Number.isInteger);
  const wide = sizes.length > 0 && (high / low > 1000 || high > 1e8 || (!whole && low < 1e-4));
  const write = wide ? scientific : (value: number) => (whole ? `${value}.` : value.toFixed(PRECISION));
  return (value) => {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
    return (Object.is(value, -0) ? "-" : "") + write(value);
  };
}

/** The texts of some elements, with the width of their column. */
function write_elements(type: DataType, values: ArrayLike<number | bigint>) {
  const list = Array.from(values);
  const write = type.startsWith("float")
    ? (float_writer(list as number[]) as (value: number | bigint) => string)
    : String;
  const texts = list.map(type === "bool" ? (value) => String(Boolean(value)) : write);
  // As torch: infinity, nan and 0 do not widen the column.
  const counted = texts.filter((_, i) => !type.startsWith("float") || (list[i] && Number.isFinite(list[i])));
  const width = counted.reduce((longest, text) => Math.max(longest, text.length), 1);
  return { texts: texts.map((text) => text.padStart(width)), width };
}

/** `tensor([[1, 2],⏎        [3, 4]], shape=[2, 2], dtype=int64)`. */
export function format(tensor: TensorLike): string {
  const { type, dims, data } = tensor;
  const tail = `shape=[${dims.join(", ")}], dtype=${type})`;
  if (count(dims) === 0) return `tensor([], ${tail}`;

  const axes = dims.map((size) => shown(size, data.length > THRESHOLD));
  let positions = [0];
  for (const [axis, picks] of axes.entries()) {
    const kept = picks.filter((pick) => pick >= 0);
    positions = positions.flatMap((position) => kept.map((pick) => position * dims[axis] + pick));
  }
  const picked = data.slice(0, positions.length);
  positions.forEach((position, i) => {
    picked[i] = data[position];
  });
  const values = type === "float16" ? numbers({ type, dims, data: picked }) : picked;
  const { texts, width } = write_elements(type, values);

  let next = 0; // elements are written in the order of `positions`
  const rows = (axis: number): string => {
    if (axis === dims.length) return texts[next++];
    const parts = axes[axis].map((pick) => (pick >= 0 ? rows(axis + 1) : axis === dims.length - 1 ? " ..." : "..."));
    const indent = " ".repeat("tensor(".length + axis + 1);
    if (axis < dims.length - 1) return `[${parts.join(`,${"\n".repeat(dims.length - 1 - axis)}${indent}`)}]`;
    const per_line = Math.max(1, Math.floor((LINE_WIDTH - indent.length + 1) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += per_line) lines.push(parts.slice(i, i + per_line).join(", "));
    return `[${lines.join(`,\n${indent}`)}]`;
  };
  return `tensor(${rows(0)}, ${tail}`;
}

// Arithmetic on shapes, in Python's order of axes.
import { Trace } from "./trace.js";

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

export const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** The axis counted from the front. */
export function check_axis(axis: number, shape: readonly number[], op: string): number {
  const at = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= shape.length)
    throw Trace.current.error(`${op}: axis ${axis} of a tensor of shape ${text(shape)}`);
  return at;
}

/** The shape that two shapes broadcast to, as in torch. */
export function broadcast(op: string, a: readonly number[], b: readonly number[]): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => {
    const left = a[i - length + a.length] ?? 1;
    const right = b[i - length + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw Trace.current.error(`${op} of shapes ${text(a)} and ${text(b)}`);
    return Math.max(left, right);
  });
}

// torch.nn.functional.pad.
import { text } from "./shapes.js";
import { range, type Sym } from "./sym.js";
import { Trace } from "./trace.js";

export type PaddingMode = "constant" | "reflect" | "replicate" | "circular";

/** Which element stands `before` places ahead of an axis and behind it; -1 for none. */
function places(size: number, before: number, after: number, mode: PaddingMode): number[] {
  const at = (i: number): number => {
    if (i >= 0 && i < size) return i;
    if (mode === "constant") return -1;
    if (mode === "replicate") return i < 0 ? 0 : size - 1;
    if (mode === "circular") return (i + size) % size;
    return i < 0 ? -i : 2 * (size - 1) - i;
  };
  return range(size + before + after).map((i) => at(i - before));
}

/**
 * Elements before and after the last axes: `amounts` has two numbers for each, the last axis first, as in torch. Negative
 * ones take away.
 */
export function pad(x: Sym, amounts: readonly number[], mode: PaddingMode = "constant", value = 0): Sym {
  const what = `pad(${text(amounts)}, "${mode}") of shape ${text(x.shape)}`;
  if (amounts.length % 2 !== 0 || amounts.length > 2 * x.ndim || !amounts.every(Number.isInteger))
    throw Trace.current.error(`${what}: expected two whole numbers for each axis`);
  for (let i = 0; i < amounts.length / 2; i++) {
    const [before, after] = [amounts[2 * i], amounts[2 * i + 1]];
    const axis = x.ndim - 1 - i;
    const size = x.shape[axis];
    // https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html: mirrored parts must be there.
    const most = mode === "reflect" ? size - 1 : mode === "circular" ? size : Infinity;
    if (before > most || after > most) throw Trace.current.error(`${what}: axis ${axis} has ${size} elements only`);
    if (size + before + after < 1) throw Trace.current.error(`${what}: nothing is left`);
    if (before !== 0 || after !== 0)
      x = x.take(axis, places(size, before, after, mode), mode === "constant" ? value : undefined);
  }
  return x;
}

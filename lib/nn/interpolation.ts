// torch.nn.functional.interpolate over the last one or two axes, one after the other. Positions are computed in float32, as
// torch does: https://github.com/pytorch/pytorch/blob/v2.8.0/aten/src/ATen/native/UpSample.h
import { adaptive_avg_pool1d, adaptive_avg_pool2d } from "./pooling.js";
import { text } from "./shapes.js";
import { range, type Sym } from "./sym.js";
import { Trace } from "./trace.js";

export type InterpolationMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "area";

export interface InterpolationOptions {
  size?: number | readonly number[] | undefined;
  scale_factor?: number | readonly number[] | undefined;
  mode?: InterpolationMode;
  align_corners?: boolean;
  /** Whether positions follow from the sizes instead of the given scale factor. */
  recompute_scale_factor?: boolean;
  antialias?: boolean;
}

/** One axis: how many elements it has and gets, and the distance of two results in the input. */
interface Axis {
  from: number;
  to: number;
  step: number;
}

/** The elements that make one result, and their weights. */
interface Taps {
  indices: number[];
  weights: number[];
}

const f32 = Math.fround;

/** Where result `i` lies in the input. */
function source({ step }: Axis, i: number, align_corners: boolean): number {
  return align_corners ? f32(step * i) : f32(f32(step * f32(i + 0.5)) - 0.5);
}

function nearest(axis: Axis, i: number, exact: boolean): Taps {
  const at = Math.floor(f32(axis.step * (exact ? i + 0.5 : i)));
  return { indices: [Math.min(at, axis.from - 1)], weights: [1] };
}

function linear(axis: Axis, i: number, align_corners: boolean): Taps {
  const at = Math.max(source(axis, i, align_corners), 0);
  const first = Math.min(Math.floor(at), axis.from - 1);
  const t = Math.min(f32(at - first), 1);
  return { indices: [first, Math.min(first + 1, axis.from - 1)], weights: [f32(1 - t), t] };
}

/** Keys' cubic kernel at the distance x, with its one free number. */
function cubic_weight(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function cubic(axis: Axis, i: number, align_corners: boolean): Taps {
  const at = source(axis, i, align_corners);
  const first = Math.min(Math.floor(at), axis.from - 1);
  const t = Math.min(f32(at - first), 1);
  return {
    indices: range(4).map((j) => Math.min(Math.max(first + j - 1, 0), axis.from - 1)),
    weights: range(4).map((j) => cubic_weight(t + 1 - j, -0.75)),
  };
}

/** With a kernel as wide as the step, so that no element is passed over. `UpSampleKernel.cpp`, `_compute_index_ranges_weights` */
function antialiased(axis: Axis, i: number, mode: "bilinear" | "bicubic"): Taps {
  const wide = Math.max(axis.step, 1);
  const support = (mode === "bilinear" ? 1 : 2) * wide;
  const center = f32(axis.step * f32(i + 0.5));
  const first = Math.max(Math.trunc(center - support + 0.5), 0);
  const count = Math.min(Math.trunc(center + support + 0.5), axis.from) - first;
  const kernel = (x: number) => (mode === "bilinear" ? Math.max(1 - Math.abs(x), 0) : cubic_weight(x, -0.5));
  const weights = range(count).map((j) => kernel((j + first - center + 0.5) / wide));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { indices: range(count).map((j) => first + j), weights: weights.map((weight) => weight / total) };
}

function taps_of(axis: Axis, i: number, mode: InterpolationMode, align_corners: boolean, antialias: boolean): Taps {
  if (mode === "nearest" || mode === "nearest-exact") return nearest(axis, i, mode === "nearest-exact");
  if (antialias) return antialiased(axis, i, mode as "bilinear" | "bicubic");
  return mode === "bicubic" ? cubic(axis, i, align_corners) : linear(axis, i, align_corners);
}

const MODES: Record<number, InterpolationMode[]> = {
  1: ["nearest", "nearest-exact", "linear", "area"],
  2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
};

/** [batch, channels, (height,) width] in another size, or a size that is `scale_factor` times the old one. */
export function interpolate(x: Sym, options: InterpolationOptions): Sym {
  const { size, scale_factor, mode = "nearest", align_corners = false, antialias = false } = options;
  const axes = x.ndim - 2;
  const what = `interpolate of shape ${text(x.shape)}`;
  if (!MODES[axes]?.includes(mode)) throw Trace.current.error(`${what}: there is no mode "${mode}" for ${x.ndim} axes`);
  if ((size === undefined) === (scale_factor === undefined))
    throw Trace.current.error(`${what}: expected either size or scale_factor`);
  if (align_corners && !["linear", "bilinear", "bicubic"].includes(mode))
    throw Trace.current.error(`${what}: align_corners has no meaning for mode "${mode}"`);
  if (antialias && !["bilinear", "bicubic"].includes(mode))
    throw Trace.current.error(`${what}: antialias has no meaning for mode "${mode}"`);
  const each = (value: number | readonly number[]) =>
    typeof value === "number" ? new Array<number>(axes).fill(value) : [...value];
  const factors = scale_factor === undefined ? undefined : each(scale_factor);
  const wanted = factors ? factors.map((factor, i) => Math.floor(x.shape[i + 2] * factor)) : each(size as number);
  if (wanted.length !== axes || !wanted.every((count) => Number.isInteger(count) && count >= 1))
    throw Trace.current.error(`${what} to [${wanted}]: expected ${axes} sizes`);
  if (mode === "area") return axes === 1 ? adaptive_avg_pool1d(x, wanted[0]) : adaptive_avg_pool2d(x, wanted);
  wanted.forEach((to, i) => {
    const from = x.shape[i + 2];
    // The given factor counts, not what it came to: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
    const factor = options.recompute_scale_factor ? undefined : factors?.[i];
    const step = align_corners ? (to > 1 ? (from - 1) / (to - 1) : 0) : factor ? 1 / factor : from / to;
    if (from === to && step === 1) return;
    const axis = { from, to, step: f32(step) };
    const taps = range(to).map((at) => taps_of(axis, at, mode, align_corners, antialias));
    if (taps[0].indices.length === 1 && !antialias) {
      x = x.take(
        i + 2,
        taps.map(({ indices }) => indices[0]),
      );
      return;
    }
    const most = Math.max(...taps.map(({ indices }) => indices.length));
    const filled = (values: number[], filler: number) => [
      ...values,
      ...new Array<number>(most - values.length).fill(filler),
    ];
    x = x.windows(i + 2, to, {
      kind: "sum",
      indices: taps.flatMap(({ indices }) => filled(indices, -1)),
      weights: taps.flatMap(({ weights }) => filled(weights, 0)),
    });
  });
  return x;
}

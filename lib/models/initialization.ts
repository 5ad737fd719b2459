// Fresh weights, with the distributions that Python's `_init_weights` draws from.
import type { NativeStateDict } from "../native.js";

/** What every architecture says of each of its tensors. Shape in Python's order. */
export interface ParameterSpec {
  name: string;
  shape: number[];
  init: "normal" | "ones" | "zeros" | ((shape: number[]) => Float32Array);
  /** Deviation of "normal"; default: the configuration's initializer_range. */
  std?: number | undefined;
  /** The row of an embedding that begins as zeros. */
  padding_idx?: number | undefined;
  /** It goes into checkpoints, and does not count among the parameters. */
  buffer?: boolean | undefined;
}

/** Uniform numbers in [0, 1): mulberry32, enough for weights that someone will train or measure. */
function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fills `target` from N(0, deviation²), by Box and Muller. */
function fill_normal(target: Float32Array, deviation: number, next: () => number): void {
  for (let i = 0; i < target.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    target[i] = radius * Math.cos(angle);
    if (i + 1 < target.length) target[i + 1] = radius * Math.sin(angle);
  }
}

/** Sets each of `parameters` in `state`, as float32, reproducibly for one `seed`. */
export function initialize(
  state: NativeStateDict,
  parameters: readonly ParameterSpec[],
  { initializer_range, seed = 0 }: { initializer_range: number; seed?: number },
): void {
  const next = uniforms(seed);
  for (const { name, shape, init, std, padding_idx } of parameters) {
    const made = typeof init === "function";
    const data = made ? init(shape) : new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (init === "normal") fill_normal(data, std ?? initializer_range, next);
    else if (!made) data.fill(init === "ones" ? 1 : 0);
    if (padding_idx !== undefined) data.fill(0, padding_idx * shape[1], (padding_idx + 1) * shape[1]);
    state.set(name, "F32", shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

// The Fourier transform of real lines of any length.
import { along } from "./strided.js";
import { is_float, numbers, store, type TensorLike, working } from "./types.js";

function smallest_factor(n: number): number {
  for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return factor;
  return n;
}

/** Complex numbers as two arrays. */
type Complex = [real: Float64Array, imaginary: Float64Array];

/** The transform by its definition. */
function transform_prime(x: Float64Array, start: number, step: number, n: number, [cos, sin]: Complex): Complex {
  const [real, imaginary] = [new Float64Array(n), new Float64Array(n)];
  const stride = cos.length / n;
  for (let k = 0; k < n; k++) {
    let [re, im] = [0, 0];
    for (let i = 0; i < n; i++) {
      const value = x[start + i * step];
      const angle = ((i * k) % n) * stride;
      re += value * cos[angle];
      im -= value * sin[angle];
    }
    real[k] = re;
    imaginary[k] = im;
  }
  return [real, imaginary];
}

/**
 * The transform of x[start + j * step], j below n, by the mixed-radix Cooley-Tukey rule: n times the sum of n's prime
 * factors. The last argument holds the roots of unity of the whole length.
 */
function transform(x: Float64Array, start: number, step: number, n: number, [cos, sin]: Complex): Complex {
  const radix = smallest_factor(n);
  const part = n / radix;
  if (part === 1) return transform_prime(x, start, step, n, [cos, sin]);
  const parts = Array.from({ length: radix }, (_, i) => transform(x, start + i * step, step * radix, part, [cos, sin]));
  const real = new Float64Array(n);
  const imaginary = new Float64Array(n);
  const stride = cos.length / n;
  for (let i = 0; i < radix; i++) {
    const [re, im] = parts[i];
    const turn = i * stride;
    for (let k = 0, at = 0, angle = 0; k < n; k++, at++, angle += turn) {
      if (at === part) at = 0;
      if (angle >= cos.length) angle -= cos.length;
      real[k] += re[at] * cos[angle] + im[at] * sin[angle];
      imaginary[k] += im[at] * cos[angle] - re[at] * sin[angle];
    }
  }
  return [real, imaginary];
}

/** n numbers along `axis` become n / 2 + 1 complex ones; [real, imaginary] is a new last axis. */
export function rfft_lines(tensor: TensorLike, axis: number): TensorLike {
  const type = is_float(tensor.type) ? tensor.type : "float32";
  const { outer, length, inner } = along(tensor, axis);
  if (length === 0) throw new RangeError("The Fourier transform of no elements: the dimension is empty");
  const half = Math.floor(length / 2) + 1;
  const angles = Float64Array.from({ length }, (_, i) => (2 * Math.PI * i) / length);
  const roots: Complex = [angles.map(Math.cos), angles.map(Math.sin)];
  const x = Float64Array.from(numbers(tensor));
  const out = working(type, outer * half * inner * 2);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const [real, imaginary] = transform(x, o * length * inner + i, inner, length, roots);
      for (let k = 0; k < half; k++) {
        const to = 2 * ((o * half + k) * inner + i);
        out[to] = real[k];
        out[to + 1] = imaginary[k];
      }
    }
  }
  const dims = tensor.dims.length === 0 ? [half] : tensor.dims.with(axis, half);
  return { type, dims: [...dims, 2], data: store(type, out) };
}

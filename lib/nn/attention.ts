// Attention over tensors of a batch, for models whose masks are no spans; texts are packed, see tokens.ts.
import { broadcast, text } from "./shapes.js";
import { type Operand, type Sym, sym } from "./sym.js";
import { Trace } from "./trace.js";

export interface ScaledDotProductOptions {
  /** Added to the scores: [batch, heads, queries, keys], or what broadcasts to it. */
  mask?: Operand | undefined;
  /** Default: 1 / sqrt(size of a head). */
  scale?: number | undefined;
}

/** The mask with four axes, as many keys as there are, and what else repeats left to the engine. */
function prepared(mask: Operand, scores: readonly number[]): Sym {
  const given = sym(mask);
  const shape = broadcast("attention mask", given.shape, scores);
  if (shape.some((size, axis) => size !== scores[axis]))
    throw Trace.current.error(
      `attention with a mask of shape ${text(given.shape)} over scores of shape ${text(scores)}`,
    );
  const whole = given.reshape(...new Array<number>(4 - given.ndim).fill(1), ...given.shape);
  return whole.shape[3] === scores[3] ? whole : whole.expand(-1, -1, -1, scores[3]);
}

function check(q: Sym, k: Sym, v: Sym | undefined): void {
  const fits =
    q.ndim === 4 &&
    k.ndim === 4 &&
    q.shape[0] === k.shape[0] &&
    q.shape[3] === k.shape[3] &&
    q.shape[1] % k.shape[1] === 0 &&
    (!v || (v.ndim === 4 && v.shape.slice(0, 3).every((size, axis) => size === k.shape[axis])));
  if (!fits)
    throw Trace.current.error(
      `scaled_dot_product_attention of q ${text(q.shape)}, k ${text(k.shape)}${v ? `, v ${text(v.shape)}` : ""}: expected [batch, heads, length, size]`,
    );
}

/**
 * softmax(q kᵀ · scale + mask) v of [batch, heads, length, size]; keys and values may have fewer heads, each shared by a
 * group of heads of q. The scores are never laid down.
 */
export function scaled_dot_product_attention(q: Sym, k: Sym, v: Sym, options: ScaledDotProductOptions = {}): Sym {
  check(q, k, v);
  const { mask, scale = 1 / Math.sqrt(q.shape[3]) } = options;
  const scores = [...q.shape.slice(0, 3), k.shape[2]];
  const inputs = [q, k, v, ...(mask ? [prepared(mask, scores)] : [])];
  return Trace.current.emit("scaled_dot_product_attention", inputs, [...q.shape.slice(0, 3), v.shape[3]], { scale });
}

/** The weights of that attention, [batch, heads, queries, keys]: for `output_attentions`. */
export function scaled_dot_product_weights(q: Sym, k: Sym, options: ScaledDotProductOptions = {}): Sym {
  check(q, k, undefined);
  const { mask, scale = 1 / Math.sqrt(q.shape[3]) } = options;
  const scores = [...q.shape.slice(0, 3), k.shape[2]];
  return Trace.current.emit("scaled_dot_product_weights", [q, k, ...(mask ? [prepared(mask, scores)] : [])], scores, {
    scale,
  });
}

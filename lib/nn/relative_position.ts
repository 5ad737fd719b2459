// Biases of attention by the distance of key and query, as T5 learns them.
import { Embedding } from "./layers.js";
import type { Sym } from "./sym.js";
import { Trace } from "./trace.js";

export interface RelativePositionOptions {
  num_buckets: number;
  max_distance: number;
  /** Keys may stand on both sides of a query; otherwise those after it count as at its place. */
  bidirectional: boolean;
  heads: number;
  /** Deviation of fresh weights. */
  std?: number;
}

/** A table [num_buckets, heads]: near distances have a row each, farther ones share them in ever wider buckets. */
export class RelativePositionBias extends Embedding {
  private readonly options: RelativePositionOptions;

  constructor(options: RelativePositionOptions) {
    super(options.num_buckets, options.heads, { std: options.std });
    this.options = options;
  }

  /** The `relative_bias` of an attention, [heads, 2 * reach - 1]: from `reach` on all distances are in one bucket. */
  override forward(): Sym {
    const { num_buckets, max_distance } = this.options;
    const reach = Math.max(num_buckets, max_distance) + 1;
    const distances = Array.from({ length: 2 * reach - 1 }, (_, i) => i + 1 - reach);
    const buckets = distances.map((distance) => bucket_of(distance, this.options));
    return super.forward(Trace.current.constant(buckets)).transpose(0, 1);
  }
}

/**
 * The bucket of a key `distance` after its query. Computed in float32, as there: a logarithm that falls on the border of
 * two buckets must fall to the same side.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/t5/modeling_t5.py `_relative_position_bucket`
 */
function bucket_of(distance: number, { num_buckets, max_distance, bidirectional }: RelativePositionOptions): number {
  const count = bidirectional ? Math.floor(num_buckets / 2) : num_buckets;
  const first = bidirectional && distance > 0 ? count : 0;
  const away = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(count / 2);
  if (away < exact) return first + away;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(away / exact))) / fround(log(max_distance / exact)));
  return first + Math.min(exact + Math.trunc(fround(share * (count - exact))), count - 1);
}

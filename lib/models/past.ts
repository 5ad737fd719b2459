// forward() with `past_key_values`: rows that go on after tokens in the engine's cache.
import { out_of_range, TransformersError } from "../errors.js";
import { EngineCache } from "../generation/cache.js";
import type { NativeGraphEngine } from "../native.js";
import { to_mask, to_rows } from "./inputs.js";
import type { Past } from "./packing.js";

/** Rows of a cache that a call continues. */
export interface Continued extends Past {
  handle: number;
  /** Tokens of each row in the cache. */
  lengths: readonly number[];
  /** Of the new tokens, if the caller gave one. */
  mask: Uint8Array[] | undefined;
}

/**
 * Reads a cache for rows of new tokens of this shape. `attention_mask`: [rows, cached + length], as Python wants it, or
 * [rows, length]. Without the mask of cached tokens, their padding was on the left.
 * @throws TypeError for a cache of another model, RangeError for other rows, TransformersError `unsupported` for a mask
 * that hides other cached tokens than when they were computed.
 * `prefix`: of the arguments' names in errors.
 */
export function continue_rows(
  past: unknown,
  engine: NativeGraphEngine,
  [rows, length]: readonly [number, number],
  attention_mask: unknown,
  prefix = "",
): Continued {
  const handle = EngineCache.handle_of(past, engine);
  const { lengths, length: cached } = past as EngineCache;
  if (lengths.length !== rows)
    throw out_of_range(`${lengths.length} rows, as in past_key_values`, `${prefix}input_ids`, rows);
  const of_new = attention_mask !== undefined && attention_mask !== null && width_of(attention_mask) === length;
  const whole =
    attention_mask === undefined || attention_mask === null || of_new
      ? undefined
      : to_mask(attention_mask, [rows, cached + length], `${prefix}attention_mask`);
  const columns = Array.from(lengths, (count, row) => {
    const seen = Array.from({ length: cached }, (_, column) => column);
    const kept = whole ? seen.filter((column) => whole[row][column]) : seen.slice(cached - count);
    if (kept.length !== count)
      throw new TransformersError(
        `${prefix}attention_mask shows ${kept.length} tokens of past_key_values in row ${row}, which has ${count}: cached tokens cannot be hidden or shown later`,
        "unsupported",
      );
    return kept;
  });
  const mask = of_new
    ? to_mask(attention_mask, [rows, length], `${prefix}attention_mask`)
    : whole?.map((row) => row.subarray(cached));
  return { handle, lengths: [...lengths], length: cached, columns, mask };
}

const width_of = (mask: unknown): number => to_rows(mask, "attention_mask")[0].length;

import { expected } from "../errors.js";
import { optional, text } from "./arguments.js";

/**
 * The part of a string between two places in code points, which is what offsets count; negative ones count from the end.
 * RangeError where there is no such part.
 */
export function slice(s: string, beginIndex?: number | null, endIndex?: number | null): string {
  const characters = [...text(s, "s")];
  const place = (value: unknown, name: string) => {
    if (typeof value !== "number" || Number.isNaN(value)) throw expected("a number", name, value);
    return Math.trunc(value) + (value < 0 ? characters.length : 0);
  };
  const begin = optional(beginIndex, "beginIndex", place, 0);
  const end = optional(endIndex, "endIndex", place, characters.length);
  const is_inside = begin >= 0 && begin < end && end <= characters.length;
  if (is_inside || (begin === 0 && end === 0)) return characters.slice(begin, end).join("");
  throw new RangeError(`Error in offsets: ${begin} to ${end} in a text of ${characters.length} characters`);
}

// Offsets in results: UTF-16 units as JavaScript counts, or code points as Python does.
import { expected } from "../errors.js";
import type { OffsetsUnit } from "../tokenization/encoding.js";

export function check_unit(value: unknown): void {
  if (value === undefined || value === null || value === "utf16" || value === "code_point") return;
  throw expected('"utf16" or "code_point"', "offsets_unit", value);
}

/** The length of a text as Python's `len` has it. */
export function code_points(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00 || (text.charCodeAt(i - 1) & 0xfc00) !== 0xd800) continue;
    count--;
    i++;
  }
  return count;
}

/** The offset `index` (UTF-16) in a text, in the unit that was asked for. */
export function in_unit(text: string, index: number, unit: OffsetsUnit): number {
  return unit === "utf16" ? index : code_points(text.slice(0, index));
}

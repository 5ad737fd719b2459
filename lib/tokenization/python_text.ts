// Python's string methods where JavaScript's differ: what counts as white space.
export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const ONE = new RegExp(`[${SPACE}]`);

export const lstrip = (text: string) => text.replace(LEADING, "");
/** A loop: a pattern that ends with `$` takes a square of the time for long runs of spaces within a text. */
export function rstrip(text: string): string {
  let end = text.length;
  while (end > 0 && ONE.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
export const strip = (text: string) => lstrip(rstrip(text));
const SPACES = new RegExp(`[${SPACE}]+`, "u");
/** Python's `text.split()`. */
export const words_of = (text: string) =>
  strip(text)
    .split(SPACES)
    .filter((word) => word !== "");
/** Python's re.escape, for patterns with the flag u. */
export const escape_pattern = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

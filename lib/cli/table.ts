// Aligned columns, sizes and counts for people.
import { stripVTControlCharacters } from "node:util";

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a terminal needs for a text: 2 for wide signs, none for marks and colours. */
export function display_width(text: string): number {
  let width = 0;
  for (const sign of stripVTControlCharacters(text)) width += /\p{M}|\p{Cf}/u.test(sign) ? 0 : WIDE.test(sign) ? 2 : 1;
  return width;
}

/** The start of a text that fits into `width` columns; "…" where it was cut. */
export function shorten(text: string, width: number): string {
  if (display_width(text) <= width) return text;
  let [result, used] = ["", 0];
  for (const sign of stripVTControlCharacters(text)) {
    used += display_width(sign);
    if (used > width - 1) break;
    result += sign;
  }
  return width > 0 ? `${result}…` : "";
}

/** Breaks lines at spaces so that they fit into `width` columns; what follows a break starts with `indent`. */
export function wrap(text: string, width: number, indent = ""): string {
  const lines = text.split("\n").flatMap((line) => {
    const broken: string[] = [];
    let rest = line;
    while (display_width(rest) > width) {
      const at = rest.lastIndexOf(" ", width);
      if (at <= indent.length) break;
      broken.push(rest.slice(0, at).trimEnd());
      rest = indent + rest.slice(at + 1).trimStart();
    }
    return [...broken, rest];
  });
  return lines.join("\n");
}

/** Lines of aligned columns, each line with its end. `right`: the columns that align to the right. */
export function table(
  rows: readonly (readonly string[])[],
  { indent = "", right = [] }: { indent?: string; right?: readonly number[] } = {},
): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => display_width(row[i] ?? ""))));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => {
      const space = " ".repeat(widths[i] - display_width(cell));
      return right.includes(i) ? space + cell : cell + space;
    });
  return rows.map((row) => `${indent}${line(row).join("  ").trimEnd()}\n`).join("");
}

/** `1536` is "1.5 KB": powers of 1024, as ggml counts memory. */
export function format_bytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1023.95 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `7241732096` is "7.24 B": powers of 1000, as models are named. */
export function format_count(count: number): string {
  for (const [size, unit] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ] as const)
    if (count >= size) return `${(count / size).toFixed(2)} ${unit}`;
  return String(count);
}

/** Seconds as "0.4 s", "2:05" or "1:02:05". */
export function format_duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

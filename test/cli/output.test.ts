import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bar, Progress } from "../../lib/cli/progress.js";
import {
  display_width,
  format_bytes,
  format_count,
  format_duration,
  shorten,
  table,
  wrap,
} from "../../lib/cli/table.js";
import { captured_terminal } from "./terminal.js";

describe("table", () => {
  it("aligns columns by what the terminal shows, and ends lines without spaces", () => {
    const rows = [
      ["1", "a", "x"],
      ["10", "你好", "y"],
      ["7", "\x1b[1mé\x1b[22m", ""],
    ];
    expect(table(rows, { right: [0], indent: " " })).toBe("  1  a     x\n 10  你好  y\n  7  \x1b[1mé\x1b[22m\n");
    expect(table([])).toBe("");
  });

  it("knows wide signs, marks and emoji", () => {
    expect(["a", "é", "e\u0301", "中", "한", "🎉", "Ġthe"].map(display_width)).toEqual([1, 1, 1, 2, 2, 2, 4]);
  });

  it("shortens by columns", () => {
    expect(shorten("abcdef", 6)).toBe("abcdef");
    expect(shorten("abcdef", 4)).toBe("abc…");
    expect(shorten("中文字", 4)).toBe("中…");
  });

  it("wraps at spaces with a hanging indent, and leaves long words whole", () => {
    expect(wrap("one two three\nfour", 8, "  ")).toBe("one two\n  three\nfour");
    expect(wrap("  -a  one two three", 12, " ".repeat(6))).toBe("  -a  one\n      two\n      three");
    expect(wrap("unbreakable", 4)).toBe("unbreakable");
  });
});

describe("numbers for people", () => {
  it("writes bytes, counts and durations", () => {
    expect([0, 1023, 1024, 1536, 1048575, 5e9].map(format_bytes)).toEqual([
      ...["0 B", "1023 B", "1.0 KB", "1.5 KB", "1.0 MB", "4.7 GB"],
    ]);
    expect([999, 4983552, 7241732096].map(format_count)).toEqual(["999", "4.98 M", "7.24 B"]);
    expect([0.42, 59.9, 125, 3725].map(format_duration)).toEqual(["0.4 s", "59.9 s", "2:05", "1:02:05"]);
  });
});

describe("Progress", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("draws a bar for long work at a terminal, and takes it away", () => {
    const { terminal, stdout, stderr } = captured_terminal(true);
    stderr.columns = 100;
    const progress = new Progress(terminal);
    progress.update("model.safetensors", 0, 4096);
    expect(stderr.text).toBe("");
    vi.advanceTimersByTime(1000);
    progress.update("model.safetensors", 1024, 4096);
    expect(stderr.text).toBe(`\r\x1b[Kmodel.safetensors ${bar(0.25)}  25% 1.0 KB of 4.0 KB, 1.0 KB/s, 3.0 s left`);
    progress.clear();
    expect(stderr.text.endsWith("\r\x1b[K")).toBe(true);
    expect(stdout.text).toBe("");
  });

  it("fits into the terminal", () => {
    const { terminal, stderr } = captured_terminal(true);
    stderr.columns = 30;
    const progress = new Progress(terminal);
    progress.update("weights", 0, 1);
    vi.advanceTimersByTime(1000);
    progress.update("weights", 0.5, 1);
    expect(display_width(stderr.text.slice(4))).toBe(29);
  });

  it("draws nothing where stderr is no terminal", () => {
    const { terminal, stderr } = captured_terminal(false);
    const progress = new Progress(terminal);
    progress.update("weights", 0, 1);
    vi.advanceTimersByTime(1000);
    progress.update("weights", 0.5, 1);
    progress.message("writing");
    progress.clear();
    expect(stderr.text).toBe("");
  });

  it("has bars of eighths", () => {
    expect([0, 0.5, 1, 2].map((fraction) => bar(fraction, 4))).toEqual(["░░░░", "██░░", "████", "████"]);
    expect(bar(0.40625, 4)).toBe("█▋░░");
  });
});

// Stop strings over vocabulary strings: Python's runs, and the corners by hand.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { token_strings } from "../../lib/generation/stop_strings.js";
import { AutoTokenizer } from "../../lib/index.js";
import { native } from "../../lib/native.js";

interface Case {
  name: string;
  model: string;
  options: { stop_strings: string | string[]; max_new_tokens: number; eos_token_id?: number };
  input_ids: number[][];
  sequences: number[][];
}

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const { cases } = JSON.parse(readFileSync(`${fixtures}/generate/stops.json`, "utf8")) as { cases: Case[] };
const models = [...new Set(cases.map(({ model }) => model))];
const strings = new Map(
  await Promise.all(
    models.map(
      async (model) =>
        [model, token_strings(await AutoTokenizer.from_pretrained(`${fixtures}/models/${model}`))] as const,
    ),
  ),
);

describe("Stop strings", () => {
  it.each(cases)("stop where Python stops: $name", ({ model, options, input_ids, sequences }) => {
    const stops = [options.stop_strings].flat();
    for (const row of sequences) {
      const prompt = input_ids[0].length;
      const prefixes = row.slice(prompt).map((_, i) => row.slice(0, prompt + i + 1));
      const first = strings.get(model)!.ends_with(stops, prefixes).indexOf(true) + 1;
      const ended_otherwise =
        row.length === prompt + options.max_new_tokens || row.at(-1) === (options.eos_token_id ?? null);
      if (ended_otherwise) expect(first).toBe(0);
      else if (sequences.length === 1) expect(first).toBe(row.length - prompt);
      else expect(first).toBeGreaterThan(0);
    }
  });

  const vocabulary = ["st", "op", "stop", " stop now", "t", "o", "p", "s", "", "ö", null, "opst", "x"];
  const [st, op, stop, stop_now, t, , p, s, empty, oe, hole, opst, x] = vocabulary.keys();
  const hand = new (native().TokenStrings)(vocabulary);
  const ends = (stops: string[], ...ids: number[]) => hand.ends_with(stops, [ids])[0];

  it("are found over borders of tokens, and when more text follows in the last token", () => {
    expect(ends(["stop"], x, st, op)).toBe(true);
    expect(ends(["stop"], stop_now)).toBe(true);
    expect(ends(["stop"], st, opst)).toBe(true);
    expect(ends(["op"], stop)).toBe(true);
    expect(ends(["top"], st, op)).toBe(true);
  });

  it("are not found once a whole token follows, or with a hole between", () => {
    expect(ends(["stop"], st, op, x)).toBe(false);
    expect(ends(["stop"], st, x, op)).toBe(false);
    expect(ends(["stop"], st)).toBe(false);
    expect(ends(["stop"], s, t, p)).toBe(false);
    expect(ends(["stop"], st, hole, op)).toBe(false);
    expect(ends(["stop"], stop, hole)).toBe(false);
    expect(ends(["stop"], 99)).toBe(false);
  });

  it("see through tokens without text, within as many tokens as they have characters", () => {
    expect(ends(["stop"], st, empty, empty, op)).toBe(true);
    expect(ends(["stop"], st, empty, empty, empty, op)).toBe(false);
    expect(ends(["stop"], stop, empty)).toBe(false);
  });

  it("may begin before the row does", () => {
    expect(ends(["stop"], op)).toBe(false);
    expect(ends(["öst"], oe, st)).toBe(true);
    expect(ends(["st"], oe, st)).toBe(true);
  });

  it("that no token can end are refused, and what is no vocabulary", () => {
    expect(() => hand.ends_with(["z", "q"], [[st]])).toThrow(/unable to identify tokens matching/);
    expect(ends(["zst"], st)).toBe(false);
    expect(() => hand.ends_with("stop" as unknown as string[], [[st]])).toThrow(/list of strings for stop_strings/);
    expect(() => new (native().TokenStrings)([1] as unknown as string[])).toThrow(/string for strings/);
  });
});

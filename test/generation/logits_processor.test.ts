// Every processor alone, against Python's (test/fixtures/processors).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type LogitsProcessorSpec, native } from "../../lib/native.js";

const folder = fileURLToPath(new URL("../fixtures/processors", import.meta.url));

interface Case {
  name: string;
  class: string;
  kwargs: Record<string, unknown>;
  input_ids: number[][];
  encoder_input_ids?: number[][];
}

const { cases } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")) as { cases: Case[] };

function tensors(): (name: string) => Float32Array {
  const dict = new (native().StateDict)([join(folder, "cases.safetensors")]);
  return (name) => {
    const data = new Float32Array(dict.info(name).shape.reduce((a, b) => a * b, 1));
    dict.read_f32(name, data);
    return data;
  };
}

const run = (processors: LogitsProcessorSpec[], ids: number[][], scores: Float32Array) =>
  native().process_logits(processors, ids, scores);

describe("Logits processors", () => {
  const read = tensors();
  const by_class = new Map<string, Case[]>();
  for (const one of cases) by_class.set(one.class, [...(by_class.get(one.class) ?? []), one]);
  by_class.delete("PrefixConstrainedLogitsProcessor"); // it asks its host: see generate()

  for (const [name, group] of by_class)
    it(`${name} gives Python's scores`, () => {
      for (const { name, kwargs, input_ids, encoder_input_ids, class: type } of group) {
        const scores = run([{ class: type, ...kwargs, encoder_input_ids }], input_ids, read(`${name}.scores`));
        const wanted = read(`${name}.expected`);
        expect(Array.from(scores, Number.isFinite), name).toEqual(Array.from(wanted, Number.isFinite));
        for (const [i, value] of wanted.entries()) {
          if (Number.isFinite(value))
            expect(Math.abs(scores[i] - value), `${name}, score ${i}: ${scores[i]} for ${value}`).toBeLessThanOrEqual(
              1e-6 * Math.max(1, Math.abs(value)),
            );
          else expect(scores[i], `${name}, score ${i}`).toBe(value);
        }
      }
    });

  it("finds the k best of a large vocabulary, ties with the last one included", () => {
    const scores = Float32Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 25_000);
    const best = Float32Array.from(scores).sort().at(-51);
    run([{ class: "TopKLogitsWarper", top_k: 51 }], [[1]], scores);
    expect(scores.filter((score) => score > Number.NEGATIVE_INFINITY).every((score) => score >= best!)).toBe(true);
    expect(scores.filter((score) => score > Number.NEGATIVE_INFINITY).length).toBe(52);
  });

  it("keeps the smallest set that reaches top_p, in a large vocabulary too", () => {
    const logits = Float32Array.from({ length: 30_000 }, (_, i) => 12 * Math.sin(i * 1.7) ** 9);
    const p = Float64Array.from(logits, (x) => Math.exp(x - 12));
    const total = p.reduce((a, b) => a + b);
    const order = [...p.keys()].sort((a, b) => p[b] - p[a] || b - a);
    let [mass, kept] = [0, 0];
    while (mass < 0.9 * total) mass += p[order[kept++]];
    run([{ class: "TopPLogitsWarper", top_p: 0.9 }], [[1]], logits);
    const left = [...logits.keys()].filter((i) => logits[i] > Number.NEGATIVE_INFINITY);
    expect(new Set(left)).toEqual(new Set(order.slice(0, kept)));
  });

  it("runs processors one after another", () => {
    const scores = run(
      [
        { class: "TopKLogitsWarper", top_k: 2 },
        { class: "TemperatureLogitsWarper", temperature: 0.5 },
        { class: "InfNanRemoveLogitsProcessor" },
        { class: "TopKLogitsWarper", top_k: 1, filter_value: -7 },
      ],
      [[0]],
      Float32Array.of(1, 4, 3, 2),
    );
    expect(Array.from(scores)).toEqual([-7, 8, -7, -7]);
  });

  it("passes over ids outside the vocabulary", () => {
    const scores = run(
      [
        { class: "RepetitionPenaltyLogitsProcessor", penalty: 2 },
        { class: "SuppressTokensLogitsProcessor", suppress_tokens: [99, 1] },
      ],
      [[77, 2]],
      Float32Array.of(1, 4, 3),
    );
    expect(Array.from(scores)).toEqual([1, Number.NEGATIVE_INFINITY, 1.5]);
  });

  it.each([
    [{ class: "NoSuchProcessor" }, TypeError, /class but received NoSuchProcessor/],
    [{ class: "TopKLogitsWarper", top_k: 0 }, RangeError, /`top_k` has to be a strictly positive integer/],
    [{ class: "TopKLogitsWarper", top_k: "five" }, TypeError, /Expected an integer for top_k but received five/],
    [{ class: "TopPLogitsWarper", top_p: 1.5 }, RangeError, /`top_p` has to be a float/],
    [{ class: "TemperatureLogitsWarper", temperature: 0 }, RangeError, /set `do_sample=False`/],
    [{ class: "TypicalLogitsWarper", mass: 1 }, RangeError, /`typical_p` has to be a float/],
    [{ class: "NoRepeatNGramLogitsProcessor", ngram_size: -1 }, RangeError, /`ngram_size` has to be/],
    [{ class: "ForcedBOSTokenLogitsProcessor", bos_token_id: 3 }, RangeError, /from 0 to 2 but received 3/],
    [{ class: "NoBadWordsLogitsProcessor", bad_words_ids: [[]] }, TypeError, /non-empty sequences/],
    [{ class: "NoBadWordsLogitsProcessor", bad_words_ids: [[5]] }, RangeError, /vocabulary size is 3.*\[5\]/],
    [
      { class: "SequenceBiasLogitsProcessor", sequence_bias: [[[1], 1], [[2]]] },
      TypeError,
      /pairs of token ids and a bias/,
    ],
  ] as const)("refuses %j", (spec, type, message) => {
    const call = () => run([spec as LogitsProcessorSpec], [[1]], Float32Array.of(1, 2, 3));
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });

  it("refuses ids and scores that do not go together", () => {
    expect(() => run([], [], Float32Array.of(1))).toThrow(/input_ids with at least one token/);
    expect(() => run([], [[1], [1, 2]], Float32Array.of(1, 2))).toThrow(/rows of one length/);
    expect(() => run([], [[1], [1]], Float32Array.of(1, 2, 3))).toThrow(/shape \[2, vocab_size\] but received 3/);
    expect(() => run([], [[1]], [1] as unknown as Float32Array)).toThrow(/Float32Array for scores/);
  });
});

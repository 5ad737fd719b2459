// The loop over a model whose logits are a table's row for the last token: what comes out can be read off the table.
import { describe, expect, it } from "vitest";
import { native, type TableRequest } from "../../lib/native.js";

const EOS = 0;

/** Rows of logits: 5 for the token that follows, 0 for the others. */
function follows(...next: number[]): Float32Array {
  const table = new Float32Array(next.length ** 2);
  for (const [token, following] of next.entries()) table[token * next.length + following] = 5;
  return table;
}

const flat = (size: number) => new Float32Array(size * size);
const run = (table: Float32Array, requests: TableRequest[], limits = {}) =>
  native().generate_table(table, requests, limits);
const one = (table: Float32Array, request: TableRequest, limits = {}) => {
  const [result] = run(table, [request], limits);
  if (result.error) throw result.error;
  return result;
};
const ids = (rows: Int32Array[]) => rows.map((row) => Array.from(row));

// 1 2 3 4 0(eos)
const chain = follows(1, 2, 3, 4, EOS);
const greedy = { eos_token_id: EOS, max_length: 20 };

describe("Greedy search", () => {
  it("takes the best token until eos, which stays", () => {
    const { sequences, streamed } = one(chain, { input_ids: [[1]], options: greedy });
    expect(ids(sequences)).toEqual([[1, 2, 3, 4, EOS]]);
    expect(Array.from(streamed)).toEqual([2, 3, 4, EOS]);
  });

  it("takes the lowest id among equals", () => {
    expect(ids(one(flat(5), { input_ids: [[3]], options: { max_length: 3 } }).sequences)).toEqual([[3, 0, 0]]);
  });

  it("ends at max_length, and at any of several eos ids", () => {
    expect(ids(one(chain, { input_ids: [[1, 1]], options: { ...greedy, max_length: 4 } }).sequences)).toEqual([
      [1, 1, 2, 3],
    ]);
    expect(ids(one(chain, { input_ids: [[1]], options: { ...greedy, eos_token_id: [9, 3] } }).sequences)).toEqual([
      [1, 2, 3],
    ]);
  });

  it("pads rows that have ended", () => {
    const options = { ...greedy, pad_token_id: 2 };
    const { sequences, streamed } = one(chain, { input_ids: [[3], [1]], options });
    expect(ids(sequences)).toEqual([
      [3, 4, EOS, 2, 2],
      [1, 2, 3, 4, EOS],
    ]);
    expect(Array.from(streamed)).toEqual([4, 2, EOS, 3, 2, 4, 2, EOS]);
  });

  it("goes on with ended rows when no eos could have ended them, as Python does", () => {
    const token_strings = new (native().TokenStrings)(["a", "b", "c", "d", "e"]);
    const options = { max_length: 5, stop_strings: ["de"], token_strings };
    const { sequences } = one(chain, { input_ids: [[2], [1]], options });
    expect(ids(sequences)).toEqual(
      [
        [2, 3, 4, 0, 1],
        [1, 2, 3, 4, 0],
      ].map((row) => row.slice(0, 4)),
    );
  });

  it("does not feed padding, but shows it to processors", () => {
    const request = { input_ids: [[9, 9, 1]], attention_mask: [[0, 0, 1]], options: greedy };
    expect(ids(one(chain, request).sequences)).toEqual([[9, 9, 1, 2, 3, 4, EOS]]);
    const penalty = { ...greedy, max_length: 5, no_repeat_ngram_size: 1 };
    const shown = { input_ids: [[2, 1]], attention_mask: [[0, 1]], options: penalty };
    expect(ids(one(chain, shown).sequences)[0].slice(0, 3)).toEqual([2, 1, 0]);
  });

  it("applies processors in Python's order", () => {
    const options = { ...greedy, suppress_tokens: [3], forced_eos_token_id: 4, max_length: 5 };
    expect(ids(one(chain, { input_ids: [[1]], options }).sequences)).toEqual([[1, 2, 0]]);
    const minimal = { ...greedy, eos_token_id: 2, min_new_tokens: 3, max_length: 8 };
    expect(ids(one(chain, { input_ids: [[1]], options: minimal }).sequences)).toEqual([[1, 0, 1, 0, 1, 2]]);
  });

  it("gives logits as they are and scores as they were processed", () => {
    const options = { ...greedy, max_length: 3, suppress_tokens: [2], output_scores: true, output_logits: true };
    const { scores, logits } = one(chain, { input_ids: [[1]], options });
    expect(Array.from(logits[0])).toEqual([0, 0, 5, 0, 0]);
    expect(Array.from(scores[0])).toEqual([0, 0, Number.NEGATIVE_INFINITY, 0, 0]);
    expect(logits.length).toBe(1);
    expect(one(chain, { input_ids: [[1]], options: { ...options, return_dict_in_generate: false } }).scores).toEqual(
      [],
    );
  });

  it("feeds ended rows on when their scores are asked for", () => {
    const options = { ...greedy, pad_token_id: 3, output_logits: true };
    const { logits } = one(chain, { input_ids: [[4], [2]], options });
    expect(logits.map((step) => Array.from(step.subarray(0, 5)).indexOf(5))).toEqual([EOS, 1, 4]);
  });

  it("steers away from a negative prompt", () => {
    const options = {
      max_length: 2,
      guidance_scale: 2,
      negative_prompt_ids: [[1, 3]],
      output_scores: true,
    };
    const { scores } = one(chain, { input_ids: [[1]], options });
    const log_softmax = (row: number[]) => row.map((x) => x - Math.log(row.reduce((sum, y) => sum + Math.exp(y), 0)));
    const [wanted, unwanted] = [log_softmax([0, 0, 5, 0, 0]), log_softmax([0, 0, 0, 0, 5])];
    scores[0].forEach((score, i) => {
      expect(score).toBeCloseTo(2 * (wanted[i] - unwanted[i]) + unwanted[i], 5);
    });
  });
});

describe("Sampling", () => {
  const sample = { do_sample: true, top_k: 0, max_length: 4 };

  it("draws by the inverse of the cumulative distribution, row after row", () => {
    const uniforms = [0, 0.999, 0.25, 0.49999, 0.5, 0.75];
    const options = { ...sample, uniforms };
    expect(ids(one(flat(4), { input_ids: [[1], [2]], options }).sequences)).toEqual([
      [1, 0, 1, 2],
      [2, 3, 1, 3],
    ]);
  });

  it("uses up a number for ended rows", () => {
    const options = { ...sample, eos_token_id: 3, uniforms: [0.9, 0.1, 0.6, 0.3, 0.6, 0.6] };
    expect(ids(one(flat(4), { input_ids: [[1], [2]], options }).sequences)).toEqual([
      [1, 3, 3, 3],
      [2, 0, 1, 2],
    ]);
  });

  it("returns several sequences for each prompt", () => {
    const options = { ...sample, num_return_sequences: 2, max_length: 3, uniforms: [0.1, 0.3, 0.6, 0.9] };
    expect(
      ids(
        one(flat(4), {
          input_ids: [
            [1, 1],
            [2, 2],
          ],
          options,
        }).sequences,
      ),
    ).toEqual([
      [1, 1, 0],
      [1, 1, 1],
      [2, 2, 2],
      [2, 2, 3],
    ]);
  });

  it("never draws what a warper removed", () => {
    const table = follows(1, 2, 3, 0);
    for (const warper of [{ top_k: 1 }, { top_p: 0.5 }, { min_p: 0.5 }, { epsilon_cutoff: 0.4 }, { typical_p: 0.3 }]) {
      const options = { ...sample, ...warper, uniforms: [0, 0.5, 0.999] };
      expect(ids(one(table, { input_ids: [[0]], options }).sequences)).toEqual([[0, 1, 2, 3]]);
    }
  });

  it("draws from xoshiro256** when there is a seed", () => {
    // The first outputs for the seed 0, as published with the crate rand_xoshiro.
    const outputs = [11091344671253066420n, 13793997310169335082n, 1900383378846508768n, 7684712102626143532n];
    const options = { ...sample, max_length: 5, seed: 0 };
    const drawn = ids(one(flat(64), { input_ids: [[1]], options }).sequences)[0].slice(1);
    expect(drawn).toEqual(outputs.map((output) => Number(output >> 58n)));
  });

  it("differs from call to call without a seed", () => {
    const draw = () => ids(one(flat(64), { input_ids: [[1]], options: { ...sample, max_length: 40 } }).sequences)[0];
    expect(draw()).not.toEqual(draw());
  });

  it("refuses numbers that run out or lie outside [0, 1), and scores without a distribution", () => {
    const call = (options: object) => () => one(flat(4), { input_ids: [[1]], options: { ...sample, ...options } });
    expect(call({ uniforms: [0.5] })).toThrow(/the 1 given are used up/);
    expect(call({ uniforms: [1, 0, 0] })).toThrow(RangeError);
    expect(call({ suppress_tokens: [0, 1, 2, 3] })).toThrow(/probability tensor contains either/);
  });
});

describe("Beam search", () => {
  // From 1, the better first step (2) leads into a bad second one; 3 is worse first and best over both.
  const table = new Float32Array(25).fill(-20);
  const set = (from: number, to: number, p: number) => {
    table[from * 5 + to] = Math.log(p);
  };
  set(1, 2, 0.6);
  set(1, 3, 0.4);
  set(2, 3, 0.5);
  set(2, 4, 0.5);
  set(3, 4, 0.95);
  set(3, EOS, 0.05);
  set(4, EOS, 1);
  const beams = { eos_token_id: EOS, max_length: 4, num_beams: 2, pad_token_id: 1 };

  it("finds the sequence that greedy search misses", () => {
    const request = (options: object) => ({ input_ids: [[1]], options: { ...beams, ...options } });
    expect(ids(one(table, request({ num_beams: 1 })).sequences)).toEqual([[1, 2, 3, 4]]);
    const { sequences, sequences_scores, beam_indices } = one(table, request({ num_return_sequences: 2 }));
    expect(ids(sequences)[0]).toEqual([1, 3, 4, EOS]);
    expect(sequences_scores[0]).toBeCloseTo(Math.log(0.4 * 0.95) / 3, 5);
    expect(sequences_scores[1]).toBeLessThan(sequences_scores[0]);
    expect(ids(beam_indices)[0]).toEqual([0, 1, 0]);
  });

  it("keeps the prompts of a batch apart, and divides by the length to the power of length_penalty", () => {
    const options = { ...beams, length_penalty: 2 };
    const { sequences, sequences_scores } = one(table, { input_ids: [[1], [4]], options });
    expect(ids(sequences)).toEqual([
      [1, 3, 4, EOS],
      [4, EOS, 1, 1],
    ]);
    expect(sequences_scores[0]).toBeCloseTo(Math.log(0.4 * 0.95) / 9, 5);
    expect(sequences_scores[1]).toBeCloseTo(0, 5);
  });

  it("draws candidates one after another, none twice", () => {
    const options = { ...beams, do_sample: true, top_k: 0, max_length: 2, uniforms: [0.7, 0.7, 0, 0] };
    const { sequences } = one(table, { input_ids: [[1]], options: { ...options, num_return_sequences: 2 } });
    expect(ids(sequences)).toEqual([
      [1, 2],
      [1, 3],
    ]);
  });
});

describe("Requests at the same time", () => {
  const mixed = (): TableRequest[] =>
    Array.from({ length: 12 }, (_, i) => ({
      input_ids: [Array.from({ length: 1 + i * 97 }, (_, j) => (i + j) % 64), Array(1 + i * 97).fill(i)],
      options:
        i % 2 ? { max_length: i * 97 + 20, do_sample: true, seed: i, top_k: 10 } : { max_length: i * 97 + 9 + i },
    }));
  const table = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i * 12.9898) * 3);
  const alone = mixed().map((request) => ids(one(table, request).sequences));

  it("give what each gives alone", () => {
    expect(run(table, mixed()).map(({ sequences }) => ids(sequences))).toEqual(alone);
  });

  it("wait for room, all of them served in the end", () => {
    const limits = { max_rows: 5, max_tokens: 3000 };
    expect(run(table, mixed(), limits).map(({ sequences }) => ids(sequences))).toEqual(alone);
  });

  it("fail alone: one that can never fit does not stop the others", () => {
    const requests = mixed();
    requests[3].options = { do_sample: true, num_return_sequences: 40, max_length: 400 };
    const results = run(table, requests, { max_rows: 20 });
    expect(results[3].error).toBeInstanceOf(RangeError);
    results.forEach(({ sequences }, i) => {
      if (i !== 3) expect(ids(sequences)).toEqual(alone[i]);
    });
  });

  it("end within a step when cancelled", () => {
    const requests = mixed();
    requests[2].options = { max_length: 1_000_000 };
    requests[2].cancel_after = 30;
    const results = run(table, requests);
    expect(results[2].error).toMatchObject({ code: "aborted" });
    expect(results[2].streamed.length).toBeLessThanOrEqual(2 * 31);
    results.forEach(({ sequences }, i) => {
      if (i !== 2) expect(ids(sequences)).toEqual(alone[i]);
    });
  });

  it("end where the positions end: the last token needs none", () => {
    const request = {
      input_ids: [
        [1, 1, 1],
        [9, 1, 1],
      ],
      attention_mask: [
        [1, 1, 1],
        [0, 1, 1],
      ],
      options: { max_length: 50 },
    };
    expect(one(flat(3), request, { max_positions: 5 }).sequences[0].length).toBe(6);
  });
});

describe("A request", () => {
  it.each([
    [{ input_ids: [] }, {}, /input_ids with at least one token/],
    [{ input_ids: [[1], [1, 2]] }, {}, /rows of one length/],
    [{ input_ids: [[1, 7]] }, {}, /token ids from 0 to 4 but received 7/],
    [{ input_ids: [[1]], attention_mask: [[0]] }, {}, /one token that is not padding in row 0/],
    [{ input_ids: [[1]], attention_mask: [[1, 1]] }, {}, /attention_mask of the shape of input_ids/],
    [{ input_ids: [[1, 1, 1]] }, { max_length: 3 }, /Input length of input_ids is 3, but `max_length` is set to 3/],
    [{ input_ids: [[1]] }, { num_return_sequences: 2 }, /Greedy methods without beam search/],
    [{ input_ids: [[1]] }, { num_beams: 2, num_return_sequences: 3 }, /smaller or equal to `num_beams`/],
    [{ input_ids: [[1]] }, { eos_token_id: "x" }, /token ids for eos_token_id but received x/],
    [{ input_ids: [[1]] }, { early_stopping: "sometimes" }, /boolean or 'never' for early_stopping/],
    [{ input_ids: [[1]] }, { stop_strings: ["x"] }, /strings of the tokens for stop_strings/],
    [{ input_ids: [[1]] }, { token_strings: {} }, /instance of TokenStrings for token_strings/],
    [{ input_ids: [[1]] }, { watermarking_config: { seeding_scheme: "x" } }, /seeding_scheme has to be one of/],
    [{ input_ids: [[1]] }, { bad_words_ids: [1] }, /rows of token ids for bad_words_ids/],
    [{ input_ids: [[1]] }, { repetition_penalty: 0 }, /`penalty` has to be a strictly positive float/],
    [{ input_ids: [[1]] }, { seed: -1 }, /integer from 0 to .* for seed but received -1/],
  ])("%j with %j is refused", (request, options, message) => {
    expect(() => one(chain, { ...request, options })).toThrow(message);
  });
});

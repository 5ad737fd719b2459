import { describe, expect, it } from "vitest";
import {
  type NativeGenerateRequest,
  type NativeGenerateResult,
  type NativeLlamaEngine,
  native,
} from "../../lib/native.js";
import { load, read_case, relative_error, rows } from "./fixture.js";

const model = "m27-llama";
const { inputs, greedy } = read_case(model);

const padded: NativeGenerateRequest = {
  input_ids: rows(inputs.padded_ids),
  attention_mask: inputs.attention_mask.map((row) => Uint8Array.from(row)),
  options: { max_length: inputs.padded_ids[0]!.length + greedy.max_new_tokens },
};

interface Run {
  result: Promise<NativeGenerateResult>;
  tokens: number[];
  rows: number[];
  calls: number;
  cancel(): void;
}

function run(engine: NativeLlamaEngine, request: NativeGenerateRequest): Run {
  const record: Run = { result: undefined as never, tokens: [], rows: [], calls: 0, cancel: () => {} };
  record.result = new Promise((on_done, on_error) => {
    record.cancel = engine.generate(request, {
      on_tokens(tokens, of) {
        record.tokens.push(...tokens);
        record.rows.push(...of);
        record.calls++;
      },
      on_done,
      on_error,
    }).cancel;
  });
  record.result.catch(() => {});
  return record;
}

const long = (length: number): NativeGenerateRequest => ({
  input_ids: rows([[5, 6, 7]]),
  options: { max_length: length },
});

describe.each([
  "m27-llama",
  "m28-qwen2-chat",
  "mistral",
  "mistral-sliding",
  "qwen3",
  "m29-llama-aligned-f16",
  "llama-tied-bf16",
])("greedy generation of %s", (name) => {
  it("makes Python's tokens, alone and beside other requests", async () => {
    const engine = await load(name);
    const one = read_case(name);
    const request: NativeGenerateRequest = {
      input_ids: rows(one.inputs.padded_ids),
      attention_mask: one.inputs.attention_mask.map((row) => Uint8Array.from(row)),
      options: {
        max_length: one.inputs.padded_ids[0]!.length + one.greedy.max_new_tokens,
        eos_token_id: one.greedy.eos_token_id,
        pad_token_id: 0,
      },
    };
    const alone = await run(engine, request).result;
    expect(alone.sequences.map((row) => [...row])).toEqual(one.greedy.sequences);
    const together = await Promise.all(Array.from({ length: 5 }, () => run(engine, request).result));
    for (const { sequences } of together) expect(sequences.map((row) => [...row])).toEqual(one.greedy.sequences);
    await engine.dispose();
  });
});

describe("generate", () => {
  it("tells the tokens of each step in row order, before it is done", async () => {
    const engine = await load(model);
    const record = run(engine, padded);
    await record.result;
    const steps = greedy.sequences.map((row) => row.slice(inputs.padded_ids[0]!.length));
    expect(record.rows).toEqual(steps[0]!.flatMap(() => [0, 1]));
    expect(record.tokens).toEqual(steps[0]!.flatMap((_, step) => steps.map((row) => row[step])));
    await engine.dispose();
  });

  it("gives scores, and a cache that continues", async () => {
    const engine = await load(model);
    const options = { ...padded.options, output_scores: true, output_logits: true, return_dict_in_generate: true };
    const { scores, logits, cache } = await run(engine, { ...padded, options }).result;
    expect(scores).toHaveLength(greedy.max_new_tokens);
    expect(logits![0]).toEqual(scores![0]);
    expect(scores![0]).toHaveLength(2 * engine.info().n_vocab);
    const more = greedy.sequences.map((row) => Int32Array.from(row));
    const mask = inputs.attention_mask.map((row) =>
      Uint8Array.from([...row, ...new Array(greedy.max_new_tokens).fill(1)]),
    );
    const length = more[0]!.length;
    const continued = await run(engine, {
      input_ids: more,
      attention_mask: mask,
      options: { max_length: length + 5 },
      cache: cache!,
    }).result;
    const whole = await run(engine, { input_ids: more, attention_mask: mask, options: { max_length: length + 5 } })
      .result;
    expect(continued.sequences).toEqual(whole.sequences);
    engine.release_cache(cache!);
    await engine.dispose();
  });

  it("calls processors and criteria of the user, in place or with a result", async () => {
    const engine = await load(model);
    const seen: number[][] = [];
    const { sequences } = await run(engine, {
      ...padded,
      hooks: {
        logits_processor(ids, scores, count) {
          seen.push([ids.length, scores.length, count]);
          if (seen.length % 2)
            scores
              .fill(0)
              .fill(9, 7, 8)
              .fill(9, 384 + 8, 384 + 9);
          return seen.length % 2 ? undefined : new Float32Array(scores.length).fill(1, 3, 4).fill(1, 384 + 4, 384 + 5);
        },
        stopping_criteria: (ids, _, count) => ids.length / count >= 23,
      },
    }).result;
    expect(seen).toEqual([
      [40, 768, 2],
      [42, 768, 2],
      [44, 768, 2],
    ]);
    expect(sequences.map((row) => [...row.slice(20)])).toEqual([
      [7, 3, 7],
      [8, 4, 8],
    ]);
    await engine.dispose();
  });

  it("samples with the user's uniforms and asks which tokens are allowed", async () => {
    const engine = await load(model);
    let drawn = 0;
    const { sequences } = await run(engine, {
      ...padded,
      options: { max_length: 24, do_sample: true },
      hooks: {
        uniform: () => [0.1, 0.9][drawn++ % 2] as number,
        prefix_allowed_tokens_fn: (batch_id) => Int32Array.of(50 + batch_id),
      },
    }).result;
    expect(drawn).toBe(8);
    expect(sequences.map((row) => [...row.slice(20)])).toEqual([
      [50, 50, 50, 50],
      [51, 51, 51, 51],
    ]);
    await engine.dispose();
  });

  it("hands on what a hook throws as it is, and stays usable", async () => {
    const engine = await load(model);
    const thrown = new Error("mine");
    const failing = run(engine, {
      ...padded,
      hooks: {
        logits_processor: () => {
          throw thrown;
        },
      },
    });
    await expect(failing.result).rejects.toBe(thrown);
    await expect(run(engine, { ...padded, hooks: { stopping_criteria: () => [true] } }).result).rejects.toThrow(
      "each of 2 rows",
    );
    await expect(
      run(engine, { ...padded, options: { max_length: 30, do_sample: true }, hooks: { uniform: () => 2 } }).result,
    ).rejects.toThrow(RangeError);
    expect((await run(engine, padded).result).sequences.map((row) => [...row])).toEqual(greedy.sequences);
    await engine.dispose();
  });

  it("can be cancelled, alone or while others go on", async () => {
    const engine = await load(model, { max_positions: 1 << 16 });
    const cancelled = run(engine, long(60000));
    const other = run(engine, padded);
    expect((await other.result).sequences.map((row) => [...row])).toEqual(greedy.sequences);
    cancelled.cancel();
    cancelled.cancel();
    await expect(cancelled.result).rejects.toMatchObject({ code: "aborted" });
    cancelled.cancel();
    const in_hook = run(engine, {
      ...long(100),
      hooks: {
        logits_processor: () => {
          in_hook.cancel();
        },
      },
    } as NativeGenerateRequest);
    await expect(in_hook.result).rejects.toMatchObject({ code: "aborted" });
    await engine.dispose();
  });

  it("does not end a forward pass when another request is cancelled", async () => {
    const engine = await load(model, { max_positions: 1 << 16 });
    const input_ids = [Int32Array.from({ length: 3000 }, (_, i) => i % 384)];
    const alone = (await engine.forward({ input_ids, logits_to_keep: 1 })).logits!;
    const cancelled = run(engine, long(60000));
    const forward = engine.forward({ input_ids, logits_to_keep: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    cancelled.cancel();
    // which tokens share a batch depends on time, and the last bits on that
    expect(relative_error((await forward).logits!, alone)).toBeLessThan(1e-5);
    await engine.dispose();
  });

  it("ends with code disposed when the engine is disposed of, even from a callback", async () => {
    const engine = await load(model, { max_positions: 1 << 16 });
    const waiting = [run(engine, long(60000)), run(engine, long(60000))];
    let disposal: Promise<void> | undefined;
    const hooked = run(engine, {
      ...long(60000),
      hooks: {
        stopping_criteria() {
          disposal ??= engine.dispose();
          return false;
        },
      },
    });
    await expect(hooked.result).rejects.toMatchObject({ code: "disposed" });
    for (const one of waiting) await expect(one.result).rejects.toMatchObject({ code: "disposed" });
    await disposal;
    expect(() => run(engine, padded)).not.toThrow();
    await expect(run(engine, padded).result).rejects.toThrow("disposed");
  });

  it("names what is wrong with a request", async () => {
    const engine = await load(model);
    const events = { on_done() {}, on_error() {} };
    expect(() => engine.generate({ ...padded, input_ids: [] }, events)).toThrow("at least one token");
    expect(() => engine.generate({ ...padded, input_ids: rows([[1], [1, 2]]) }, events)).toThrow("rows of one length");
    expect(() => engine.generate({ ...padded, options: { top_k: 1.5 } }, events)).toThrow("an integer for top_k");
    await expect(run(engine, { ...padded, options: { max_length: 30, stop_strings: "x" } }).result).rejects.toThrow(
      TypeError,
    );
    expect(() => engine.generate(padded, {} as never)).toThrow("a function for on_done");
    await expect(run(engine, { input_ids: rows([[384]]), options: {} }).result).rejects.toThrow("384");
    await expect(run(engine, { input_ids: [new Int32Array(65)], options: { max_length: 70 } }).result).rejects.toThrow(
      "64",
    );
    await engine.dispose();
  });

  it("stops at a stop string", async () => {
    const engine = await load(model);
    const strings = Array.from({ length: 384 }, (_, id) => `<${id}>`);
    const [first] = greedy.sequences.map((row) => row.slice(20));
    const options = {
      max_length: 44,
      stop_strings: [`<${first![2]}><${first![3]}>`],
      token_strings: new (native().TokenStrings)(strings),
    };
    const request = { input_ids: [padded.input_ids[0]!], attention_mask: [padded.attention_mask![0]!], options };
    const { sequences } = await run(engine, request).result;
    expect([...sequences[0]!.slice(20)]).toEqual(first!.slice(0, 4));
    await engine.dispose();
  });
});

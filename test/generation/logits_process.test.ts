// The processors' classes: constructed by callers, called by themselves, and in generate().
import { describe, expect, it, vi } from "vitest";
import * as library from "../../lib/index.js";
import {
  LogitsProcessor,
  LogitsProcessorList,
  MinLengthLogitsProcessor,
  NoRepeatNGramLogitsProcessor,
  PrefixConstrainedLogitsProcessor,
  RepetitionPenaltyLogitsProcessor,
  SuppressTokensLogitsProcessor,
  TemperatureLogitsWarper,
  Tensor,
  TopKLogitsWarper,
  TopPLogitsWarper,
} from "../../lib/index.js";
import { read_json, read_tensors } from "../fixtures.js";
import { loader } from "./cases.js";

type Named = Record<string, unknown>;
interface Case {
  name: string;
  class: string;
  kwargs: Named;
  input_ids: number[][];
  encoder_input_ids?: number[][];
}
interface HostCase extends Omit<Case, "kwargs"> {
  args: unknown[];
  call: unknown[];
}

const { cases, refused, host, vocab_size } = read_json<{
  vocab_size: number;
  cases: Case[];
  refused: { class: string; kwargs: Named; message: string }[];
  host: HostCase[];
}>("processors", "cases.json");
const tensors = read_tensors("processors", "cases.safetensors");

/** The order of arguments that come by position; the others are options. */
const POSITIONS = [
  ...["temperature", "top_k", "top_p", "min_p", "mass", "epsilon", "penalty", "ngram_size", "encoder_ngram_size"],
  ...["encoder_input_ids", "bad_words_ids", "sequence_bias", "min_length", "prompt_length_to_skip", "min_new_tokens"],
  ...["bos_token_id", "max_length", "exponential_decay_length_penalty", "eos_token_id", "input_ids_seq_length"],
  ...["suppress_tokens", "begin_suppress_tokens", "begin_index", "prompt_ignore_length", "diversity_penalty"],
  ...["num_beams", "num_beam_groups", "guidance_scale"],
];

function make(name: string, kwargs: Named): (ids: number[][], scores: Tensor, ...more: unknown[]) => Tensor {
  const named = new Map(Object.entries(kwargs));
  const args: unknown[] = name === "WatermarkLogitsProcessor" ? [vocab_size] : [];
  for (const position of POSITIONS) {
    if (!named.has(position)) continue;
    args.push(named.get(position));
    named.delete(position);
  }
  if (named.size > 0) args.push(Object.fromEntries(named));
  const type = (library as unknown as Record<string, new (...args: unknown[]) => never>)[name];
  return new type(...args);
}

function check({ name }: { name: string }, ids: number[][], processor: ReturnType<typeof make>, ...more: unknown[]) {
  const { data, shape } = tensors[`${name}.scores`];
  const scores = new Tensor("float32", Float32Array.from(data), [...shape]);
  const result = processor(ids, scores, ...more);
  expect(scores.data, `${name}: its argument`).toEqual(data);
  const wanted = tensors[`${name}.expected`];
  expect(result.dims).toEqual(wanted.shape);
  wanted.data.forEach((value, i) => {
    const given = (result.data as Float32Array)[i];
    if (Number.isFinite(value)) expect(given, name).toBeCloseTo(value, 4);
    else expect(given, name).toBe(value);
  });
}

describe("Processors by themselves", () => {
  for (const name of new Set(cases.map((one) => one.class)))
    it(`${name} gives Python's scores, in a tensor of its own`, () => {
      for (const one of cases.filter((each) => each.class === name)) {
        const { allowed, num_beams, ...kwargs } = one.kwargs as { allowed?: number[][]; num_beams?: number };
        const by_table = (batch: number, ids: number[]) =>
          (allowed as number[][])[(batch + (ids.at(-1) as number)) % (allowed as number[][]).length];
        const processor = allowed
          ? (new PrefixConstrainedLogitsProcessor(by_table, num_beams as number) as unknown as ReturnType<typeof make>)
          : make(name, {
              ...kwargs,
              ...(one.encoder_input_ids ? { encoder_input_ids: one.encoder_input_ids } : {}),
            });
        check(one, one.input_ids, processor);
      }
    });

  it.each(host)("$class gives Python's scores", (one) => {
    const type = (library as unknown as Record<string, new (...args: unknown[]) => ReturnType<typeof make>>)[one.class];
    check(one, one.input_ids, new type(...one.args), ...one.call);
  });

  it.each(refused)("$class refuses $kwargs", ({ class: name, kwargs, message }) => {
    // Numbers are spelled by Python there: 1.5, (0.5,), and the text ends as it likes.
    const encoder = name.startsWith("Encoder") ? { encoder_input_ids: [[1, 2]] } : {};
    expect(() => make(name, { ...kwargs, ...encoder })).toThrow(
      message.split(/ but is | but found |, got /)[0].slice(0, 60),
    );
  });

  it("in a list run one after another", () => {
    const list = new LogitsProcessorList([new TemperatureLogitsWarper(0.5), new TopKLogitsWarper(2)]);
    list.append(new SuppressTokensLogitsProcessor([1]));
    expect(list.length).toBe(3);
    expect((list([[1, 2]], new Tensor("float32", Float32Array.of(1, 4, 3, 2), [1, 4])) as Tensor).tolist()).toEqual([
      [-Infinity, -Infinity, 6, -Infinity],
    ]);
  });

  it("refuse rows that do not fit the scores", () => {
    const scores = new Tensor("float32", new Float32Array(5), [1, 5]);
    expect(() => new TopKLogitsWarper(2)([[1], [2]], scores)).toThrow(/scores of shape \[2, vocab_size\]/);
  });
});

describe("Processors in generate()", () => {
  const load = loader("models");
  const model = () => load("m27-llama");
  const prompt = [[243, 58, 261, 111]];
  const greedy = { do_sample: false, max_new_tokens: 12 };

  it("give what the options give", async () => {
    const llama = await model();
    const plain = await llama.generate(prompt, greedy);
    const pairs: [Named, LogitsProcessor[]][] = [
      [{ repetition_penalty: 1.4 }, [new RepetitionPenaltyLogitsProcessor(1.4)]],
      [{ no_repeat_ngram_size: 1 }, [new NoRepeatNGramLogitsProcessor(1)]],
      [
        { repetition_penalty: 1.4, suppress_tokens: [plain.tolist()[0][4], 3] },
        [new RepetitionPenaltyLogitsProcessor(1.4), new SuppressTokensLogitsProcessor([plain.tolist()[0][4], 3])],
      ],
    ];
    for (const [options, processors] of pairs) {
      const by_option = await llama.generate(prompt, { ...greedy, ...options });
      expect(by_option.tolist()).not.toEqual(plain.tolist());
      const by_class = await llama.generate(prompt, {
        ...greedy,
        logits_processor: new LogitsProcessorList(processors),
      });
      expect(by_class.tolist()).toEqual(by_option.tolist());
      const in_beams = { ...greedy, num_beams: 3 };
      expect((await llama.generate(prompt, { ...in_beams, logits_processor: processors })).tolist()).toEqual(
        (await llama.generate(prompt, { ...in_beams, ...options })).tolist(),
      );
    }
  });

  it("take the place of the one of their class that an option makes", async () => {
    const llama = await model();
    const wanted = await llama.generate(prompt, { ...greedy, repetition_penalty: 1.4 });
    const replaced = await llama.generate(prompt, {
      ...greedy,
      repetition_penalty: 1.01,
      logits_processor: [new RepetitionPenaltyLogitsProcessor(1.4)],
    });
    expect(replaced.tolist()).toEqual(wanted.tolist());
  });

  it("run in their order, the caller's own between them", async () => {
    const llama = await model();
    const seen: number[][] = [];
    class Watch extends LogitsProcessor {
      override _call(_ids: bigint[][], scores: Tensor) {
        const finite = Array.from(scores.data as Float32Array).filter(Number.isFinite);
        seen.push([finite.length, Math.max(...finite)]);
      }
    }
    await llama.generate(prompt, {
      ...greedy,
      max_new_tokens: 1,
      logits_processor: [
        new Watch(),
        new TopKLogitsWarper(7),
        new Watch(),
        new Watch(),
        new TemperatureLogitsWarper(0.5),
        new TopKLogitsWarper(3),
        new Watch(),
      ],
    });
    expect(seen.map(([count]) => count)).toEqual([384, 7, 7, 3]);
    expect(seen[3][1]).toBeCloseTo(2 * seen[2][1], 4);
  });

  it("of a class made from the library's run the caller's code", async () => {
    const call = vi.fn();
    class Own extends TopPLogitsWarper {
      override _call(ids: bigint[][], scores: Tensor) {
        call();
        return super._call(ids, scores);
      }
    }
    const llama = await model();
    const output = await llama.generate(prompt, { ...greedy, logits_processor: [new Own(0.9)] });
    expect(call).toHaveBeenCalledTimes(12);
    expect(output.tolist()).toEqual((await llama.generate(prompt, greedy)).tolist());
  });

  it("hold back the end, given as a class", async () => {
    const llama = await model();
    const plain = await llama.generate(prompt, greedy);
    const eos_token_id = plain.tolist()[0][6];
    const options = { ...greedy, eos_token_id, pad_token_id: 0 };
    expect((await llama.generate(prompt, options)).dims[1]).toBe(7);
    const held = await llama.generate(prompt, {
      ...options,
      logits_processor: new MinLengthLogitsProcessor(10, eos_token_id),
    });
    expect(held.dims[1]).toBeGreaterThanOrEqual(10);
    expect(held.tolist()).toEqual((await llama.generate(prompt, { ...options, min_length: 10 })).tolist());
  });

  it("with ids outside the vocabulary reject, and the model stays usable", async () => {
    const llama = await model();
    const bias = new library.SequenceBiasLogitsProcessor([[[9999], 1]]);
    await expect(llama.generate(prompt, { ...greedy, logits_processor: bias })).rejects.toThrow(
      /vocabulary size is 384/,
    );
    expect((await llama.generate(prompt, { ...greedy, max_new_tokens: 1 })).dims).toEqual([1, 5]);
  });
});

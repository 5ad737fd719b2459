// The criteria's classes, by themselves and in generate().
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AutoTokenizer,
  ConfidenceCriteria,
  EosTokenCriteria,
  MaxLengthCriteria,
  MaxTimeCriteria,
  StoppingCriteria,
  StoppingCriteriaList,
  StopStringCriteria,
  Tensor,
  validate_stopping_criteria,
} from "../../lib/index.js";
import { fixture } from "../fixtures.js";
import { loader } from "./cases.js";

const rows = (length: number) => [new Array(length).fill(5), new Array(length).fill(6), new Array(length).fill(7)];

describe("Criteria by themselves", () => {
  it("in a list: one is enough, for each row", () => {
    const list = new StoppingCriteriaList([new MaxLengthCriteria(10), new MaxTimeCriteria(3600)]);
    expect(list(rows(5))).toEqual([false, false, false]);
    expect(list(rows(9))).toEqual([false, false, false]);
    expect(list(rows(10))).toEqual([true, true, true]);
    list.push(new EosTokenCriteria(6));
    expect(list(rows(5))).toEqual([false, true, false]);
  });

  it("MaxLengthCriteria ends at the length, and speaks of the model's positions", () => {
    const criterion = new MaxLengthCriteria(10);
    expect([5, 9, 10, 11].map((length) => (criterion(rows(length)) as boolean[])[0])).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    new MaxLengthCriteria(10, 4)(rows(5));
    expect(String(warned.mock.calls[0][0])).toContain("exceeded the model's predefined maximum length (4)");
    warned.mockRestore();
  });

  it("MaxTimeCriteria counts from its making, or from the time it is given", () => {
    expect(new MaxTimeCriteria(0.1)(rows(5))).toEqual([false, false, false]);
    expect(new MaxTimeCriteria(0.1, Date.now() / 1000 - 0.2)(rows(5))).toEqual([true, true, true]);
  });

  it("EosTokenCriteria looks at the last token of each row", () => {
    const criterion = new EosTokenCriteria(0);
    expect(
      criterion([
        [1, 0],
        [0, 1],
        [1, 0],
      ]),
    ).toEqual([true, false, true]);
    expect(
      new EosTokenCriteria([0, 1])([
        [1, 0],
        [0, 1],
        [5, 5],
      ]),
    ).toEqual([true, true, false]);
  });

  it("ConfidenceCriteria stops below its threshold, by the scores of the last step", () => {
    const scores = (chosen: number) => [new Tensor("float32", Float32Array.of(chosen, 0, 0, 0), [1, 4])];
    const criterion = new ConfidenceCriteria(0.5);
    expect(criterion([[7, 0]], scores(5))).toBe(false);
    expect(criterion([[7, 0]], scores(-1))).toBe(true);
    expect(() => criterion([[7, 0]])).toThrow(/scores of the last step for scores/);
  });

  it("StopStringCriteria sees strings that end in the last token", async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", "m28-qwen2-chat"));
    const ids = (text: string) => [tokenizer.encode(text, { add_special_tokens: false })];
    const criterion = new StopStringCriteria(tokenizer, ["house", "the end"]);
    expect(criterion(ids("an old house"))).toEqual([true]);
    expect(criterion(ids("the end"))).toEqual([true]);
    expect(criterion(ids("an old house and more of it"))).toEqual([false]);
    expect(criterion(ids("an old garden"))).toEqual([false]);
    expect(new StopStringCriteria(tokenizer, "garden")(ids("an old garden"))).toEqual([true]);
    expect(() => new StopStringCriteria(tokenizer, ["\u{1F9FF}\u{1F9FF}"])).toThrow(/unable to identify tokens/);
  });

  it("validate_stopping_criteria adds a length, and warns of another one", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    validate_stopping_criteria(new StoppingCriteriaList([new MaxLengthCriteria(10)]), 10);
    expect(warned).not.toHaveBeenCalled();
    validate_stopping_criteria(new StoppingCriteriaList([new MaxLengthCriteria(10)]), 11);
    expect(String(warned.mock.calls[0][0])).toContain("different `max_length`");
    const made = validate_stopping_criteria(new StoppingCriteriaList(), 11);
    expect([made.length, made.max_length]).toEqual([1, 11]);
    warned.mockRestore();
  });

  it("of a caller must answer for each row", () => {
    class Wrong extends StoppingCriteria {
      override _call() {
        return [true];
      }
    }
    expect(() => new StoppingCriteriaList([new Wrong()])(rows(2))).toThrow(/a boolean, or 3 of them/);
  });
});

describe("Criteria in generate()", () => {
  const load = loader("models");
  const prompt = [[243, 58, 261, 111]];
  const greedy = { do_sample: false, max_new_tokens: 12, pad_token_id: 0, eos_token_id: null };
  afterEach(() => vi.restoreAllMocks());

  it("MaxLengthCriteria takes the place of the configuration's, shorter or longer", async () => {
    const model = await load("m27-llama");
    for (const length of [7, 30]) {
      const output = await model.generate(prompt, { ...greedy, stopping_criteria: [new MaxLengthCriteria(length)] });
      expect(output.dims).toEqual([1, length]);
    }
    const forced = { ...greedy, forced_eos_token_id: 2, stopping_criteria: [new MaxLengthCriteria(18)] };
    const tokens = (await model.generate(prompt, forced)).tolist()[0];
    expect([tokens.length, tokens[15]]).toEqual([18, 2]);
  });

  it("EosTokenCriteria ends rows and pads them", async () => {
    const model = await load("m27-llama");
    const two = [prompt[0], [...prompt[0]].reverse()];
    const plain = (await model.generate(two, greedy)).tolist();
    const end = plain[0][6];
    const output = await model.generate(two, { ...greedy, stopping_criteria: [new EosTokenCriteria(end)] });
    expect(output.tolist()).toEqual((await model.generate(two, { ...greedy, eos_token_id: end })).tolist());
    expect(output.tolist()[0][6]).toBe(end);
  });

  it("StopStringCriteria stops as stop_strings does", async () => {
    const model = await load("m28-qwen2-chat");
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", "m28-qwen2-chat"));
    const plain = (await model.generate(prompt, greedy)).tolist()[0];
    const stop_strings = tokenizer.convert_tokens_to_string([
      tokenizer.convert_ids_to_tokens(Number(plain[8])) as string,
    ]);
    const by_option = await model.generate(prompt, { ...greedy, stop_strings, tokenizer });
    const criterion = new StopStringCriteria(tokenizer, stop_strings);
    const by_class = await model.generate(prompt, { ...greedy, stopping_criteria: criterion });
    expect(by_class.tolist()).toEqual(by_option.tolist());
    expect(by_class.dims[1]).toBeLessThan(16);
  });

  it("MaxTimeCriteria that has run out ends after one token", async () => {
    const model = await load("m27-llama");
    const over = new MaxTimeCriteria(1, Date.now() / 1000 - 2);
    expect((await model.generate(prompt, { ...greedy, stopping_criteria: over })).dims).toEqual([1, 5]);
  });

  it("ConfidenceCriteria and a caller's own are called with each step's scores, with beams too", async () => {
    const model = await load("m27-llama");
    const sure = new ConfidenceCriteria(0);
    const unsure = new ConfidenceCriteria(1);
    expect((await model.generate(prompt, { ...greedy, stopping_criteria: sure })).dims).toEqual([1, 16]);
    expect((await model.generate(prompt, { ...greedy, stopping_criteria: unsure })).dims).toEqual([1, 5]);
    const beams = { ...greedy, num_beams: 2, stopping_criteria: new MaxLengthCriteria(9) };
    expect((await model.generate(prompt, beams)).dims).toEqual([1, 9]);
  });
});

// What a seed draws: reproducible, and distributed as the model says.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoModelForCausalLM, type CausalLM, type Tensor } from "../../lib/index.js";
import { fixture } from "../fixtures.js";

const PROMPT = [[243, 58, 261, 111]];
const ROWS = 128;
const CALLS = 40;

/** The exact probabilities of the next token at a temperature, in double precision. */
async function distribution(model: CausalLM, temperature: number): Promise<number[]> {
  const { logits } = await model(PROMPT, { logits_to_keep: 1 });
  const scaled = Array.from((logits as Tensor).data as Float32Array, (value) => value / temperature);
  const max = Math.max(...scaled);
  const weights = scaled.map((value) => Math.exp(value - max));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** A chi-square test: cells of five and more are expected to be distributed so; rarer tokens share one. */
function expect_distribution(counts: number[], probabilities: number[]): void {
  const total = counts.reduce((a, b) => a + b);
  let statistic = 0;
  let cells = 0;
  let [rest_count, rest_expected] = [0, 0];
  probabilities.forEach((probability, token) => {
    const wanted = probability * total;
    if (wanted < 5) {
      rest_count += counts[token];
      rest_expected += wanted;
      return;
    }
    statistic += (counts[token] - wanted) ** 2 / wanted;
    cells++;
  });
  statistic += (rest_count - rest_expected) ** 2 / rest_expected;
  const freedom = cells;
  // Wilson and Hilferty: the cube root of chi-square over its freedom is nearly normal; 3.1 is one in a thousand.
  const z = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
  expect(cells).toBeGreaterThan(20);
  expect(z).toBeLessThan(3.1);
}

describe("sampling", () => {
  let model: CausalLM;
  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"), { n_threads: 1 });
  });
  afterAll(() => model.dispose());
  const draw = async (options: Record<string, unknown>) =>
    (
      (await model.generate(PROMPT, {
        do_sample: true,
        top_k: 0,
        max_new_tokens: 1,
        eos_token_id: null,
        pad_token_id: 0,
        ...options,
      })) as Tensor
    )
      .tolist()
      .map((row: number[]) => row.at(-1) as number);

  it("passes a chi-square test against the exact distribution", async () => {
    const temperature = 0.9;
    const probabilities = await distribution(model, temperature);
    const counts = new Array<number>(probabilities.length).fill(0);
    for (let seed = 0; seed < CALLS; seed++)
      for (const token of await draw({ temperature, num_return_sequences: ROWS, seed })) counts[token]++;

    expect_distribution(counts, probabilities);
  });

  it("passes it with an assistant that guesses otherwise, too", async () => {
    const assistant_model = await AutoModelForCausalLM.from_pretrained(fixture("models", "mistral"), { n_threads: 1 });
    assistant_model.generation_config.assistant_confidence_threshold = 0;
    const temperature = 1.3;
    const probabilities = await distribution(model, temperature);
    const counts = new Array<number>(probabilities.length).fill(0);
    // The first of two tokens: a candidate that stays, or what takes its place.
    for (let first = 0; first < 3000; first += 50) {
      const options = {
        do_sample: true,
        top_k: 0,
        temperature,
        max_new_tokens: 2,
        eos_token_id: null,
        pad_token_id: 0,
      };
      const calls = Array.from({ length: 50 }, (_, i) =>
        model.generate(PROMPT, { ...options, assistant_model, seed: first + i }),
      );
      for (const output of await Promise.all(calls)) counts[(output as Tensor).tolist()[0][PROMPT[0].length]]++;
    }
    await assistant_model.dispose();
    expect_distribution(counts, probabilities);
  });

  it("draws the same for the same seed and other tokens for another", async () => {
    const options = { num_return_sequences: 32, temperature: 1.5 };
    const first = await draw({ ...options, seed: 7 });
    expect(await draw({ ...options, seed: 7 })).toEqual(first);
    expect(await draw({ ...options, seed: 8 })).not.toEqual(first);
  });

  it("does not depend on what else the engine does", async () => {
    const alone = await model.generate(PROMPT, { do_sample: true, max_new_tokens: 20, seed: 3 });
    const together = await Promise.all(
      [1, 2, 3, 4].map((seed) =>
        model.generate([[5, 6, 7, 8, 9]].concat(PROMPT).slice(seed === 3 ? 1 : 0, seed === 3 ? 2 : 1), {
          do_sample: true,
          max_new_tokens: 20,
          seed,
        }),
      ),
    );
    expect(together[2].tolist()).toEqual(alone.tolist());
  });

  it("takes the uniforms of a function", async () => {
    const values = [0.1, 0.9, 0.5];
    let at = 0;
    const options = { do_sample: true, max_new_tokens: 3 };
    const by_function = await model.generate(PROMPT, { ...options, generator: () => values[at++] });
    expect(at).toBe(3);
    expect(by_function.tolist()).toEqual((await model.generate(PROMPT, { ...options, generator: values })).tolist());
  });
});

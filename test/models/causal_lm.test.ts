// Every decoder family against Python: test/fixtures/models, made by scripts/fixtures.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AutoModelForCausalLM,
  type CausalLMOutputWithPast,
  type PreTrainedModel,
  type Tensor,
} from "../../lib/index.js";
import { fixture, folders, read_json, read_tensors, relative_error } from "../fixtures.js";

interface Case {
  class: string;
  dtype: string;
  inputs: { input_ids: number[][]; padded_ids: number[][]; attention_mask: number[][]; labels: number[][] };
  cache_steps: number[];
  greedy: { max_new_tokens: number; eos_token_id: number | null; sequences: number[][] };
}

const TOLERANCE = 1e-4;

/** The values of one row's visible positions. */
function visible(logits: { shape: number[]; data: ArrayLike<number> }, mask: number[][]): number[] {
  const [, length, size] = logits.shape;
  return mask.flatMap((row, r) =>
    row.flatMap((bit, t) =>
      bit ? Array.from({ length: size }, (_, i) => logits.data[(r * length + t) * size + i]) : [],
    ),
  );
}

describe.each(folders("models"))("%s", (name) => {
  const { class: type, inputs, cache_steps, greedy } = read_json<Case>("models", name, "case.json");
  const expected = read_tensors("models", name, "expected.safetensors");
  let model: Awaited<ReturnType<typeof AutoModelForCausalLM.from_pretrained>>;
  const forward = (ids: unknown, options?: object) =>
    model.forward(ids, { ...options }) as Promise<CausalLMOutputWithPast>;

  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(fixture("models", name), { dtype: "float32", n_threads: 1 });
  });
  afterAll(() => model.dispose());

  it("loads as Python's class, in evaluation mode", () => {
    expect(model.constructor.name).toBe(type);
    expect(model.training).toBe(false);
    expect(model.dtype).toBe("float32");
  });

  it("gives Python's logits, hidden states and loss", async () => {
    const output = await forward(inputs.input_ids, { labels: inputs.labels, output_hidden_states: true });
    expect(output.logits.dims).toEqual(expected["logits"].shape);
    expect(relative_error(output.logits.data as Float32Array, expected["logits"].data)).toBeLessThan(TOLERANCE);
    expect(output.loss?.item()).toBeCloseTo(expected["loss"].data[0], 4);
    const layers = Object.keys(expected).filter((key) => key.startsWith("hidden_states."));
    expect(output.hidden_states?.length).toBe(layers.length);
    layers.forEach((_, i) => {
      const states = output.hidden_states?.[i] as Tensor;
      expect(states.dims).toEqual(expected[`hidden_states.${i}`].shape);
      expect(relative_error(states.data as Float32Array, expected[`hidden_states.${i}`].data)).toBeLessThan(TOLERANCE);
    });
  });

  it("gives Python's logits for a left-padded batch", async () => {
    const { logits } = await model({ input_ids: inputs.padded_ids, attention_mask: inputs.attention_mask });
    const ours = logits as Tensor;
    const error = relative_error(
      visible({ shape: [...ours.dims], data: ours.data as Float32Array }, inputs.attention_mask),
      visible(expected["padded.logits"], inputs.attention_mask),
    );
    expect(error).toBeLessThan(TOLERANCE);
  });

  it("goes on from past_key_values as if it had seen everything at once", async () => {
    let past_key_values: unknown = null;
    let from = 0;
    for (const count of cache_steps) {
      const ids = inputs.input_ids.map((row) => row.slice(from, from + count));
      const output = await forward(ids, { past_key_values, use_cache: true });
      past_key_values = output.past_key_values;
      const [rows, length, size] = expected["logits"].shape;
      for (let r = 0; r < rows; r++) {
        const part = expected["logits"].data.subarray((r * length + from) * size, (r * length + from + count) * size);
        const ours = (output.logits.data as Float32Array).subarray(r * count * size, (r + 1) * count * size);
        expect(relative_error(ours, part)).toBeLessThan(TOLERANCE);
      }
      from += count;
    }
  });

  it("generates Python's greedy tokens, and streams the same", async () => {
    const call = model.generate(inputs.padded_ids, {
      attention_mask: inputs.attention_mask,
      max_new_tokens: greedy.max_new_tokens,
      eos_token_id: greedy.eos_token_id,
      do_sample: false,
    });
    const steps: number[][] = [];
    for await (const step of call) steps.push(step);
    expect(((await call) as Tensor).tolist()).toEqual(greedy.sequences);
    const prompt = inputs.padded_ids[0].length;
    expect(steps).toEqual(
      Array.from({ length: greedy.max_new_tokens }, (_, i) => greedy.sequences.map((row) => row[prompt + i])),
    );
  });

  it("is the same model after save_pretrained", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    let copy: PreTrainedModel | undefined;
    try {
      await model.save_pretrained(folder);
      copy = await AutoModelForCausalLM.from_pretrained(folder, { n_threads: 1 });
      const { logits } = (await copy.forward(inputs.input_ids)) as CausalLMOutputWithPast;
      expect(relative_error(logits.data as Float32Array, expected["logits"].data)).toBeLessThan(TOLERANCE);
    } finally {
      await copy?.dispose();
      rmSync(folder, { recursive: true });
    }
  });
});

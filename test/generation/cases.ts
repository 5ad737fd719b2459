// The recorded calls of generate() that scripts/fixtures/generate_cases.py writes, and the models that they are for.
import { afterAll, expect } from "vitest";
import type { GenerateOutput } from "../../lib/generation/outputs.js";
import {
  AutoConfig,
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  type CausalLM,
  type Tensor,
} from "../../lib/index.js";
import { fixture, type read_tensors, relative_error } from "../fixtures.js";

export interface GenerateCase {
  name: string;
  key?: string;
  model: string;
  options: Record<string, unknown>;
  input_ids: number[][];
  attention_mask?: number[][];
  uniforms?: number[];
  sequences: number[][];
  sequences_scores?: number[];
  beam_indices?: number[][];
  error?: string;
  message?: string;
}

/** Loads models of a folder of fixtures, each once; they are freed after the file's tests. */
export function loader(folder: string): (name: string) => Promise<CausalLM> {
  const models = new Map<string, Promise<CausalLM>>();
  afterAll(async () => {
    for (const model of models.values()) await (await model).dispose();
  });
  const load = async (path: string): Promise<CausalLM> => {
    const { is_encoder_decoder } = await AutoConfig.from_pretrained(path);
    const loaded = is_encoder_decoder
      ? AutoModelForSeq2SeqLM.from_pretrained(path, { n_threads: 1 })
      : AutoModelForCausalLM.from_pretrained(path, { n_threads: 1 });
    return (await loaded) as unknown as CausalLM;
  };
  return (name) => {
    const model = models.get(name) ?? load(fixture(folder, name));
    models.set(name, model);
    return model;
  };
}

/** Values of all steps and layers. The llama engine computes nothing for padding, so rows have none there. */
const flat = (steps: Tensor[][]) => steps.flat().flatMap((layer) => Array.from(layer.data as Float32Array));

/** The states of each step and layer are Python's, `tensors` of the case; `layers`: shapes of each step's first layer. */
export function expect_states(
  output: GenerateOutput,
  { key, layers }: { key?: string; layers: Record<string, number[][]> },
  tensors: ReturnType<typeof read_tensors>,
): void {
  for (const [field, shapes] of Object.entries(layers)) {
    const steps = output[field] as Tensor[][];
    expect(
      steps.map(([layer]) => layer.dims),
      field,
    ).toEqual(shapes);
    expect(relative_error(flat(steps), tensors[`${key}.${field}`].data), field).toBeLessThan(1e-4);
  }
}

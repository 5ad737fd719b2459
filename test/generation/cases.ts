// The recorded calls of generate() that scripts/fixtures/generate_cases.py writes, and the models that they are for.
import { afterAll } from "vitest";
import { AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, type CausalLM } from "../../lib/index.js";
import { fixture } from "../fixtures.js";

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

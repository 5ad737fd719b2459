// The model that ships, against Python: test/fixtures/shipped, made by scripts/fixtures.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLM,
  type Message,
  type Tensor,
  TextStreamer,
} from "../../lib/index.js";
import { read_json, read_tensors, relative_error } from "../fixtures.js";

interface Case {
  prompt?: string;
  messages?: Message[];
  options: Record<string, unknown>;
  uniforms?: number[];
  input_ids: number[][];
  sequences: number[][];
  /** Of one row, and of several. */
  text?: string;
  texts?: string[];
  chunks?: [string, boolean][];
}

const folder = fileURLToPath(new URL("../../models/kjv-llama-5m", import.meta.url));
const { cases } = read_json<{ cases: Case[] }>("shipped", "cases.json");
const strings = read_json<{ cases: { text: string; ids: number[] }[] }>("shipped", "strings.json").cases;
const expected = read_tensors("shipped", "expected.safetensors");

describe("kjv-llama-5m", () => {
  let model: CausalLM;
  let tokenizer: Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>;
  beforeAll(async () => {
    tokenizer = await AutoTokenizer.from_pretrained(folder);
    model = await AutoModelForCausalLM.from_pretrained(folder);
  });
  afterAll(() => model.dispose());

  it.each(strings)("tokenizes $text", ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
  });

  it.each(cases)("writes what Python writes after $prompt$messages", async (one) => {
    const encoded = one.messages
      ? tokenizer.apply_chat_template(one.messages, { add_generation_prompt: true })
      : tokenizer.encode(one.prompt as string);
    expect(encoded).toEqual(one.input_ids[0]);
    const chunks: [string, boolean][] = [];
    const streamer = new TextStreamer(tokenizer, { skip_prompt: true, skip_special_tokens: true });
    streamer.on_finalized_text = (text, stream_end = false) => chunks.push([text, stream_end]);
    const output = await model.generate(one.input_ids, {
      ...one.options,
      ...(one.uniforms ? { generator: one.uniforms } : {}),
      ...(one.chunks ? { streamer } : {}),
    });
    expect(output.tolist()).toEqual(one.sequences);
    if (one.chunks) expect(chunks).toEqual(one.chunks);
    if (one.text === undefined) return;
    const fresh = one.sequences[0].slice(one.input_ids[0].length);
    expect(tokenizer.decode(fresh, { skip_special_tokens: true })).toBe(one.text);
  });

  it("gives Python's logits, hidden states and loss", async () => {
    const ids = [Array.from(expected["input_ids"].data)];
    const output = await model(ids, { output_hidden_states: true, labels: ids });
    expect(relative_error(output.logits.data as Float32Array, expected["logits"].data)).toBeLessThan(1e-4);
    expect(output.loss?.item()).toBeCloseTo(expected["loss"].data[0], 4);
    const states = output.hidden_states as Tensor[];
    expect(relative_error(states[0].data as Float32Array, expected["hidden_states.0"].data)).toBeLessThan(1e-4);
    expect(relative_error(states.at(-1)?.data as Float32Array, expected["hidden_states.last"].data)).toBeLessThan(1e-4);
  });
});

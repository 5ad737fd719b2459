// Chunks of text as Python's TextStreamer gives them: test/fixtures/generate/streamers.json.
import { describe, expect, it } from "vitest";
import { AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer, TextStreamer } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";

interface Case {
  tokenizer: string;
  text: string;
  settings: Record<string, unknown>;
  prompt: number[];
  ids: number[];
  chunks: [string, boolean][];
}

/** A case that a model generates. */
interface GeneratedCase extends Omit<Case, "tokenizer" | "text" | "ids"> {
  model: string;
  options: Record<string, unknown>;
  sequences: number[][];
}

const all = read_json<{ cases: (Case | GeneratedCase)[] }>("generate", "streamers.json").cases;
const cases = all.filter((one): one is Case => "tokenizer" in one);
const generated = all.filter((one): one is GeneratedCase => "model" in one);

/** A streamer that writes down what it finalises. */
function recorder(tokenizer: Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>, settings: object) {
  const received: [string, boolean][] = [];
  const streamer = new TextStreamer(tokenizer, settings as Record<string, unknown>);
  streamer.on_finalized_text = (text, stream_end = false) => received.push([text, stream_end]);
  return { streamer, received };
}
const tokenizers = [...new Set(cases.map(({ tokenizer }) => tokenizer))];

describe.each(tokenizers)("TextStreamer over %s", (name) => {
  const own = cases.filter(({ tokenizer }) => tokenizer === name);
  it.each(own)("$text $settings", async ({ settings, prompt, ids, chunks }) => {
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("tokenizers", name));
    const { streamer, received } = recorder(tokenizer, settings);
    streamer.put([prompt]);
    for (const id of ids) streamer.put([[id]]);
    streamer.end();
    expect(received).toEqual(chunks);
  });
});

describe("generate() with a streamer", () => {
  it.each(generated)(
    "$model $settings $options",
    async ({ model: name, settings, options, prompt, sequences, chunks }) => {
      const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", name));
      const model = await AutoModelForCausalLM.from_pretrained(fixture("models", name), { n_threads: 1 });
      const { streamer, received } = recorder(tokenizer, settings);
      const output = await model.generate([prompt], { ...options, streamer });
      await model.dispose();
      expect(output.tolist()).toEqual(sequences);
      expect(received).toEqual(chunks);
    },
  );
});

describe("TextIteratorStreamer", () => {
  it("gives the same text to whoever iterates", async () => {
    const { tokenizer: name, prompt, ids, chunks } = cases[0];
    const streamer = new TextIteratorStreamer(await AutoTokenizer.from_pretrained(fixture("tokenizers", name)));
    setTimeout(() => {
      streamer.put([prompt]);
      for (const id of ids) streamer.put([[id]]);
      streamer.end();
    });
    let text = "";
    for await (const chunk of streamer) text += chunk;
    expect(text).toBe(chunks.map(([chunk]) => chunk).join(""));
  });

  it("throws when no text comes within the timeout", async () => {
    const streamer = new TextIteratorStreamer({ decode: () => "" }, { timeout: 0.01 });
    await expect(streamer[Symbol.asyncIterator]().next()).rejects.toThrow("No text within");
  });
});

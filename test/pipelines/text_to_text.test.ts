// summarization, translation and text2text-generation against Python's: test/fixtures/text_to_text.
import { afterAll, describe, expect, it } from "vitest";
import {
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  type Message,
  type Pipeline,
  pipeline,
  SummarizationPipeline,
  Text2TextGenerationPipeline,
  TranslationPipeline,
} from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";
import { close_to, type PipelineCase, warnings_of } from "./cases.js";

interface Case extends PipelineCase {
  task: string;
  made_with: Record<string, unknown>;
}
type Any = Pipeline & ((inputs: unknown, options?: object) => Promise<unknown>);

const { cases } = read_json<{ cases: Case[] }>("text_to_text", "cases.json");
const loaded = new Map<string, Promise<Any>>();

function load(task: string, model: string, made_with: object = {}): Promise<Any> {
  const key = JSON.stringify([task, model, made_with]);
  const path = fixture("text_to_text", "checkpoints", model);
  const pipe = loaded.get(key) ?? (pipeline(task, path, { n_threads: 1, ...made_with }) as unknown as Promise<Any>);
  loaded.set(key, pipe);
  return pipe;
}
afterAll(async () => {
  for (const pipe of loaded.values()) await (await pipe).dispose();
});

describe.each(["bart", "t5", "marian", "mbart"])("%s", (name) => {
  const own = cases.filter(({ model }) => model === name);
  const right = own.filter(({ error }) => !error);
  it.each(right)("$task: $name", async ({ task, model, made_with, inputs, options, expected }) => {
    const pipe = await load(task, model, made_with);
    expect(await pipe(inputs, options)).toEqual(expected);
  });

  const wrong = own.filter(({ error }) => error);
  it.each(wrong)("$task refuses: $name", async ({ task, model, made_with, inputs, options, message }) => {
    const pipe = await load(task, model, made_with);
    // Python names a variable of its own, or torch says what went wrong.
    const text = /args\[0\]|out of range|reshape tensor/.test(message ?? "") ? "Expected" : message?.slice(0, 40);
    await expect((async () => pipe(inputs, options))()).rejects.toThrow(text);
  });
});

describe("tasks", () => {
  it("are classes of their own", async () => {
    expect(await load("summarization", "bart")).toBeInstanceOf(SummarizationPipeline);
    expect(await load("translation_en_to_de", "t5")).toBeInstanceOf(TranslationPipeline);
    expect(await load("text2text-generation", "t5")).toBeInstanceOf(Text2TextGenerationPipeline);
  });

  it("of a translation name two languages", async () => {
    await expect(pipeline("translation" as string)).rejects.toThrow('You probably meant "translation_xx_to_yy"');
    await expect(pipeline("translation_en_fr")).rejects.toThrow(
      "Invalid translation task translation_en_fr, use 'translation_XX_to_YY' format",
    );
    await expect(pipeline("translation_en_to_xx" as string)).rejects.toThrow("('en', 'xx')");
  });

  it("take the first translation that the configuration knows", async () => {
    expect((await load("translation", "t5")).task).toBe("translation_en_to_de");
    expect((await load("translation", "marian")).task).toBe("translation");
  });

  it("warn of lengths that look wrong", async () => {
    const translator = await load("translation_en_to_de", "marian");
    const summarizer = await load("summarization", "bart");
    const said = await warnings_of(async () => {
      await translator("The old house stands near the river and the garden.", { max_length: 11, max_new_tokens: 3 });
      await summarizer("A text.", { max_length: 24 });
    });
    expect(said).toMatch(/Your input_length: \d+ is bigger than 0.9 \* max_length: 11/);
    expect(said).toMatch(/Your max_length is set to 24, but your input_length is only/);
  });

  it("give results one by one for an iterable", async () => {
    const translator = await load("translation_en_to_de", "marian");
    const results: unknown[] = [];
    const texts = (function* () {
      yield "The old house.";
      yield "A boat.";
    })();
    for await (const result of (await translator(texts, { max_new_tokens: 3 })) as AsyncIterable<unknown>)
      results.push(result);
    expect(results).toHaveLength(2);
    expect(results[0]).toEqual([{ translation_text: expect.any(String) }]);
  });
});

const { chats, zero_shot } = read_json<{
  chats: { model: string; template: string; messages: Message[]; options: object; response: string }[];
  zero_shot: PipelineCase[];
}>("text_to_text", "uses.json");

describe("zero-shot-classification by BART", () => {
  it.each(zero_shot)("$name", async ({ inputs, options, expected, error, message }) => {
    const pipe = await load("zero-shot-classification", "bart-nli");
    if (error) await expect((async () => pipe(inputs, options))()).rejects.toThrow(message?.slice(0, 60));
    else close_to(await pipe(inputs, options), expected);
  });
});

describe("chat() with a model that has an encoder", () => {
  it.each(chats)("$model, $options", async ({ model: name, template, messages, options, response }) => {
    const path = fixture("text_to_text", "checkpoints", name);
    const model = await AutoModelForSeq2SeqLM.from_pretrained(path, { n_threads: 1 });
    const tokenizer = await AutoTokenizer.from_pretrained(path);
    tokenizer.chat_template = template;
    const answered = [...messages, { role: "assistant", content: response }];
    expect(await model.chat({ tokenizer, messages, ...options })).toEqual([response, answered]);
    const { content: query } = messages.at(-1) as { content: string };
    const history = messages.slice(0, -1);
    expect(await model.chat({ tokenizer, query, history, ...options })).toEqual([response, answered]);
    await model.dispose();
  });
});

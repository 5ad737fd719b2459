// What is the same for all pipelines: how they are made, registered and called.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Fields,
  PIPELINE_REGISTRY,
  Pipeline,
  pipeline,
  type Tensor,
  TextClassificationPipeline,
  type TextPair,
} from "../../lib/index.js";
import { fixture } from "../fixtures.js";
import { type AnyPipeline, close_to, count_calls, warnings_of } from "./cases.js";

const checkpoint = (name: string) => fixture("language", "checkpoints", name);
const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
const made: AnyPipeline[] = [];
async function make(task: string, model: string, options: object = {}): Promise<AnyPipeline> {
  const pipe = (await pipeline(task, checkpoint(model), { n_threads: 1, ...options })) as AnyPipeline;
  made.push(pipe);
  return pipe;
}
afterEach(async () => {
  vi.restoreAllMocks();
  for (const pipe of made.splice(0)) await pipe.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

const TEXTS = ["I love this garden.", "It was terrible", "The old house stands near the river, and nobody cared."];

describe("pipeline()", () => {
  it("knows the tasks and their aliases", () => {
    const tasks = PIPELINE_REGISTRY.get_supported_tasks();
    expect(tasks).toEqual([...tasks].sort());
    for (const [alias, task] of [
      ["sentiment-analysis", "text-classification"],
      ["ner", "token-classification"],
      ["embeddings", "feature-extraction"],
    ])
      expect(PIPELINE_REGISTRY.check_task(alias)[0]).toBe(task);
  });

  it.each([
    ["feature-extraction", "distilbert/distilbert-base-cased", "6ea8117"],
    ["fill-mask", "distilbert/distilroberta-base", "fb53ab8"],
    ["ner", "dbmdz/bert-large-cased-finetuned-conll03-english", "4c53496"],
    ["question-answering", "distilbert/distilbert-base-cased-distilled-squad", "564e9b5"],
    ["sentiment-analysis", "distilbert/distilbert-base-uncased-finetuned-sst-2-english", "714eb0f"],
    ["text-generation", "openai-community/gpt2", "607a30d"],
    ["zero-shot-classification", "facebook/bart-large-mnli", "d7645e1"],
  ])("takes Python's model for %s when none is given, and says so", async (task, model, revision) => {
    const auto = PIPELINE_REGISTRY.check_task(task)[1].auto_model;
    const load = vi.spyOn(auto, "from_pretrained").mockRejectedValue(new Error("not loaded"));
    const warnings = await warnings_of(() => expect(pipeline(task)).rejects.toThrow("not loaded"));
    expect(load).toHaveBeenCalledWith(model, expect.objectContaining({ revision }));
    expect(warnings).toContain(`No model was supplied, defaulted to ${model} and revision ${revision}`);
  });

  it("lists the tasks when it does not know one", async () => {
    await expect(pipeline("text-classify" as string)).rejects.toThrow(
      /Unknown task text-classify.*text-classification/,
    );
  });

  it("takes models and tokenizers that are loaded already", async () => {
    const model = await AutoModelForSequenceClassification.from_pretrained(checkpoint("sentiment"));
    const tokenizer = await AutoTokenizer.from_pretrained(checkpoint("sentiment"));
    const pipe = await pipeline("sentiment-analysis", { model, tokenizer });
    expect([pipe.task, pipe.model, pipe.tokenizer, pipe.dtype]).toEqual([
      "sentiment-analysis",
      model,
      tokenizer,
      "float32",
    ]);
    expect(await (await pipeline("sentiment-analysis", model))(TEXTS)).toEqual(await pipe(TEXTS));
    await expect(pipeline("sentiment-analysis", model, { n_threads: 2 })).rejects.toThrow("n_threads");
    expect(await warnings_of(() => pipeline("fill-mask", { model, tokenizer: checkpoint("masks") }))).toContain(
      "The model 'DistilBertForSequenceClassification' is not supported for fill-mask",
    );
    await pipe.dispose();
  });

  it("refuses a tokenizer without a model, and frameworks other than PyTorch's", async () => {
    await expect(pipeline("ner", { tokenizer: checkpoint("entities") })).rejects.toThrow(
      "tokenizer specified but not the model",
    );
    await expect(pipeline("ner", checkpoint("entities"), { framework: "tf" as "pt" })).rejects.toThrow("framework");
  });

  it("takes the dtype from one place only", async () => {
    const pipe = await make("sentiment-analysis", "sentiment", { model_kwargs: { dtype: "bfloat16" } });
    expect(pipe.dtype).toBe("bfloat16");
    expect((await make("sentiment-analysis", "sentiment", { torch_dtype: "float16" })).dtype).toBe("float16");
    await expect(
      make("sentiment-analysis", "sentiment", { dtype: "float16", model_kwargs: { dtype: "bfloat16" } }),
    ).rejects.toThrow("use only one");
  });

  it("takes the number of threads from transformers.js's session_options", async () => {
    const load = vi.spyOn(
      PIPELINE_REGISTRY.check_task("ner")[1].auto_model as unknown as { class_of: () => unknown },
      "class_of",
    );
    const class_ = { from_pretrained: vi.fn().mockRejectedValue(new Error("not loaded")) };
    load.mockReturnValue(class_);
    const session_options = { intraOpNumThreads: 3 };
    await expect(pipeline("ner", checkpoint("entities"), { session_options })).rejects.toThrow("not loaded");
    expect(class_.from_pretrained.mock.calls[0][1]).toMatchObject({ n_threads: 3 });
  });

  it("saves what it loads", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    await pipe.save_pretrained(join(folder, "saved"));
    const again = await pipeline("sentiment-analysis", join(folder, "saved"));
    close_to(await again(TEXTS), await pipe(TEXTS));
    await again.dispose();
  });
});

describe("a call", () => {
  it("gives results one by one for an iterable, as batch_size says", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    const expected = await pipe(TEXTS);
    const source = (async function* () {
      yield* TEXTS;
    })();
    for (const [inputs, options, calls_expected] of [
      [source, {}, [1, 1, 1]],
      [new Set(TEXTS), { batch_size: 2 }, [2, 1]],
    ] as const) {
      const calls = count_calls(pipe.model);
      const results: unknown[] = [];
      for await (const one of (await pipe(inputs, options)) as AsyncIterable<unknown>) results.push(one);
      close_to(results, expected);
      expect(calls()).toEqual(calls_expected);
    }
  });

  it("stops reading an iterable whose results nobody wants any more", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    let ended = false;
    const source = (function* () {
      try {
        for (;;) yield TEXTS[0];
      } finally {
        ended = true;
      }
    })();
    for await (const _ of (await pipe(source)) as AsyncIterable<unknown>) break;
    expect(ended).toBe(true);
  });

  it("brings a list to the model in one call, unless batch_size says otherwise", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    const calls = count_calls(pipe.model);
    const together = await pipe(TEXTS);
    close_to(await pipe(TEXTS, { batch_size: 1 }), together);
    close_to(await pipe(TEXTS, { batch_size: 2 }), together);
    expect(calls()).toEqual([3, 1, 1, 1, 2, 1]);
  });

  it("brings texts one by one to the model where padding would change them", async () => {
    const pipe = await make("sentiment-analysis", "topics");
    if (pipe.tokenizer) pipe.tokenizer.padding_side = "left";
    const calls = count_calls(pipe.model);
    await pipe(TEXTS);
    expect(calls()).toEqual([1, 1, 1]);
  });

  it("brings all labels of a text to the model in one call", async () => {
    const pipe = await make("zero-shot-classification", "nli");
    const calls = count_calls(pipe.model);
    await pipe("The train stops.", { candidate_labels: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] });
    expect(calls()).toEqual([10]);
  });

  it("brings all parts of a text to the model in one call", async () => {
    const pipe = await make("question-answering", "answers");
    const calls = count_calls(pipe.model);
    await pipe({ question: "Who?", context: TEXTS.join(" ").repeat(4) }, { max_seq_len: 32, doc_stride: 8 });
    const [rows, ...others] = calls();
    expect(rows).toBeGreaterThan(2);
    expect(others).toEqual([]);
  });

  it("asks a question in every form", async () => {
    const pipe = await make("question-answering", "answers");
    const [question, context] = ["Who cared?", TEXTS[2]];
    const expected = await pipe({ question, context });
    const loose = pipe as unknown as (...args: unknown[]) => Promise<unknown>;
    expect(await loose(question, context)).toEqual(expected);
    expect(await loose([question], [context])).toEqual(expected);
    // Rows that share a call may be summed in another order.
    const near = { ...(expected as object), score: expect.closeTo((expected as { score: number }).score, 6) };
    expect(await loose([question, question], context)).toEqual([near, near]);
    expect(await loose(question, context, { top_k: 2 })).toEqual(await loose({ question, context, top_k: 2 }));
    const source = (function* () {
      yield { question, context };
    })();
    for await (const one of (await loose(source)) as AsyncIterable<unknown>) expect(one).toEqual(expected);
  });

  it("says so when a question leaves no room for the context", async () => {
    const pipe = await make("question-answering", "answers");
    for (const words of [7, 30])
      await expect(
        (async () =>
          pipe(
            { question: "house ".repeat(words), context: TEXTS.join(" ").repeat(3) },
            { max_seq_len: 32, doc_stride: 24 },
          ))(),
      ).rejects.toThrow("The question leaves no room");
  });

  it("asks zero-shot labels as transformers.js does", async () => {
    const pipe = (await make("zero-shot-classification", "nli")) as unknown as (...args: unknown[]) => Promise<unknown>;
    const expected = await pipe(TEXTS, { candidate_labels: ["a", "b"], multi_label: true });
    expect(await pipe(TEXTS, ["a", "b"], { multi_label: true })).toEqual(expected);
  });

  it("is what predict and transform do", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    expect(await pipe.predict(TEXTS)).toEqual(await pipe(TEXTS));
    expect(await pipe.transform(TEXTS[0])).toEqual(await pipe(TEXTS[0]));
  });

  it("warns of num_workers, which does nothing", async () => {
    const pipe = await make("sentiment-analysis", "sentiment");
    expect(await warnings_of(() => pipe(TEXTS, { num_workers: 0 }))).toBe("");
    expect(await warnings_of(() => pipe(TEXTS, { num_workers: 2 }))).toContain("num_workers");
  });

  it.each([
    ["text-classification", "sentiment", "a", {}],
    ["token-classification", "entities", "a", {}],
    ["question-answering", "answers", { question: "a", context: "b" }, {}],
    ["fill-mask", "masks", "a [MASK]", {}],
    ["zero-shot-classification", "nli", "a", { candidate_labels: ["b"] }],
    ["feature-extraction", "features", "a", {}],
  ])("of %s refuses options that do not exist or have wrong values", async (task, model, input, options) => {
    const pipe = await make(task, model);
    const call = async (more: object) => pipe(input, { ...options, ...more });
    await expect(call({ no_such_option: 1 })).rejects.toThrow("no_such_option");
    await expect(call({ batch_size: 0 })).rejects.toThrow("batch_size");
    await expect(call({ num_workers: "many" })).rejects.toThrow("num_workers");
    await expect(make(task, model, { no_such_option: 1 })).rejects.toThrow("no_such_option");
    await expect((async () => pipe(input, 3 as never))()).rejects.toThrow(TypeError);
  });
});

describe("a pipeline of one's own", () => {
  /** How sure a model is that two texts belong together: Python's example of a custom pipeline, in TypeScript. */
  class PairPipeline extends Pipeline<TextPair, { label: string; logits: number[] }> {
    override _sanitize_parameters({ second_text, ...rest }: Record<string, unknown>) {
      if (Object.keys(rest).length > 0) throw new TypeError(`unknown options: ${Object.keys(rest)}`);
      return { preprocess: second_text === undefined ? {} : { second_text } };
    }
    override preprocess(input: TextPair, { second_text }: { second_text?: string }): Fields {
      return this.require_tokenizer()(input.text, second_text ?? input.text_pair, { return_tensors: "pt" });
    }
    override _forward(batch: Fields) {
      return this.run_model(batch);
    }
    override postprocess(outputs: Fields) {
      const logits = (outputs["logits"] as Tensor)[0];
      return { label: this.model.config.id2label[logits.argmax().item()], logits: logits.tolist() };
    }
  }

  it("is registered and made by its name", async () => {
    PIPELINE_REGISTRY.register_pipeline("pair-classification", PairPipeline, {
      pt_model: AutoModelForSequenceClassification,
      default: { pt: ["a/checkpoint", "main"] },
    });
    const pipe = await make("pair-classification", "nli");
    expect(pipe).toBeInstanceOf(PairPipeline);
    const pairs = TEXTS.map((text) => ({ text, text_pair: "Nobody cared." }));
    const one_by_one = await Promise.all(pairs.map((pair) => pipe(pair)));
    close_to(await pipe(pairs, { batch_size: 3 }), one_by_one);
    close_to(await pipe({ text: TEXTS[0] }, { second_text: "Nobody cared." }), one_by_one[0]);
    await expect((async () => pipe(pairs, { third_text: "" }))()).rejects.toThrow("third_text");
  });

  it("replaces a task with a warning", async () => {
    const register = () =>
      PIPELINE_REGISTRY.register_pipeline("pair-classification", PairPipeline, {
        pt_model: AutoModelForSequenceClassification,
      });
    expect(await warnings_of(register)).toContain("pair-classification is already registered");
  });

  it("can stand in for a task's own", async () => {
    class Loud extends TextClassificationPipeline {
      override async _call(inputs: unknown, options?: Record<string, unknown>) {
        return [await super._call(inputs, options), "!"];
      }
    }
    const pipe = await make("sentiment-analysis", "sentiment", { pipeline_class: Loud });
    expect((await pipe("a")) as unknown[]).toContain("!");
  });

  it.each([
    ["", PairPipeline, { pt_model: AutoModelForSequenceClassification }, "task"],
    ["x", {}, { pt_model: AutoModelForSequenceClassification }, "pipeline_class"],
    ["x", PairPipeline, {}, "pt_model"],
  ])("is refused if it lacks something: %#", (task, class_, options, message) => {
    expect(() => PIPELINE_REGISTRY.register_pipeline(task, class_ as never, options)).toThrow(message);
  });
});

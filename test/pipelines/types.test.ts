// The types of pipelines and their results, by task, input and options: `tsc` checks this file.
import { describe, expectTypeOf, it } from "vitest";
import type {
  AliasType,
  FeatureExtractionLists,
  FillMaskOutput,
  Pipeline,
  PipelineType,
  QuestionAnsweringOutput,
  SummarizationOutput,
  Text2TextGenerationOutput,
  TextClassificationOutput,
  TextClassificationPipeline,
  TextClassificationSingle,
  TextGenerationChatOutput,
  TextGenerationStringOutput,
  TokenClassificationGroup,
  TokenClassificationOutput,
  TokenClassificationPipeline,
  TokenClassificationRaw,
  TranslationOutput,
  TranslationPipeline,
  TranslationTokens,
  ZeroShotClassificationOutput,
} from "../../lib/index.js";
import { pipeline, type Tensor } from "../../lib/index.js";

// Never called: only its types are looked at.
const of = <T>(): T => undefined as T;
type Awaitable<T> = { result: Awaited<T> };
const result = <T>(_call: () => T) => ({}) as Awaitable<T>;
const texts = (): AsyncIterable<string> => of();

describe("a task's name", () => {
  it("gives the class of the pipeline", () => {
    expectTypeOf(result(() => pipeline("text-classification")).result).toEqualTypeOf<TextClassificationPipeline>();
    expectTypeOf(
      result(() => pipeline("sentiment-analysis", "a/model")).result,
    ).toEqualTypeOf<TextClassificationPipeline>();
    expectTypeOf(result(() => pipeline("ner")).result).toExtend<TokenClassificationPipeline>();
    expectTypeOf<"ner" | "sentiment-analysis" | "embeddings">().toEqualTypeOf<AliasType>();
    expectTypeOf<"zero-shot-classification">().toExtend<PipelineType>();
  });

  it("that only the registry knows gives any pipeline", () => {
    expectTypeOf(result(() => pipeline("my-task" as string)).result).toExtend<Pipeline>();
  });
});

describe("text-classification", () => {
  const pipe = of<TextClassificationPipeline>();
  it("gives a list for one text, a label for each of several", () => {
    expectTypeOf(result(() => pipe("a")).result).toEqualTypeOf<TextClassificationOutput>();
    expectTypeOf(result(() => pipe(["a", "b"])).result).toEqualTypeOf<TextClassificationSingle[]>();
    expectTypeOf(result(() => pipe({ text: "a", text_pair: "b" })).result).toEqualTypeOf<TextClassificationSingle>();
    expectTypeOf(result(() => pipe(texts())).result).toEqualTypeOf<AsyncGenerator<TextClassificationSingle>>();
  });

  it("gives lists of labels with top_k", () => {
    expectTypeOf(result(() => pipe("a", { top_k: 3 })).result).toEqualTypeOf<TextClassificationOutput>();
    expectTypeOf(result(() => pipe(["a"], { top_k: null })).result).toEqualTypeOf<TextClassificationOutput[]>();
  });

  it("knows its options", () => {
    // @ts-expect-error no such function
    result(() => pipe("a", { function_to_apply: "tanh" }));
    // @ts-expect-error no such option
    result(() => pipe("a", { topk: 3 }));
    // @ts-expect-error no text
    result(() => pipe(3));
  });
});

describe("token-classification", () => {
  const pipe = of<TokenClassificationPipeline>();
  it("gives tokens, or entities with a strategy", () => {
    expectTypeOf(result(() => pipe("a")).result).toEqualTypeOf<TokenClassificationRaw[]>();
    expectTypeOf(result(() => pipe("a", { aggregation_strategy: "none" })).result).toEqualTypeOf<
      TokenClassificationRaw[]
    >();
    expectTypeOf(result(() => pipe("a", { aggregation_strategy: "max" })).result).toEqualTypeOf<
      TokenClassificationGroup[]
    >();
    expectTypeOf(result(() => pipe(["a"], { aggregation_strategy: "simple" })).result).toEqualTypeOf<
      TokenClassificationGroup[][]
    >();
    expectTypeOf(result(() => pipe(["a", "b"], { is_split_into_words: true })).result).toEqualTypeOf<
      TokenClassificationRaw[][]
    >();
    expectTypeOf<TokenClassificationOutput>().toEqualTypeOf<(TokenClassificationRaw | TokenClassificationGroup)[]>();
  });

  it("takes the strategy from the construction", () => {
    const configured = result(() => pipeline("ner", { model: "a/model", aggregation_strategy: "simple" })).result;
    const other = result(() => pipeline("token-classification", "a/model", { aggregation_strategy: "first" })).result;
    expectTypeOf(result(() => configured("a")).result).toEqualTypeOf<TokenClassificationGroup[]>();
    expectTypeOf(result(() => other(["a"])).result).toEqualTypeOf<TokenClassificationGroup[][]>();
    expectTypeOf(result(() => configured("a", { aggregation_strategy: "none" })).result).toEqualTypeOf<
      TokenClassificationRaw[]
    >();
  });
});

describe("question-answering", () => {
  const pipe = result(() => pipeline("question-answering")).result;
  it("gives an answer, or one for each question", () => {
    expectTypeOf(result(() => pipe("q", "c")).result).toEqualTypeOf<QuestionAnsweringOutput>();
    expectTypeOf(result(() => pipe({ question: "q", context: "c" })).result).toEqualTypeOf<QuestionAnsweringOutput>();
    expectTypeOf(result(() => pipe(["q", "q"], ["c", "c"])).result).toEqualTypeOf<QuestionAnsweringOutput[]>();
    expectTypeOf(result(() => pipe({ question: ["q", "q"], context: "c" })).result).toEqualTypeOf<
      QuestionAnsweringOutput[]
    >();
  });

  it("gives several with top_k, if there are several", () => {
    expectTypeOf(result(() => pipe("q", "c", { top_k: 2 })).result).toEqualTypeOf<
      QuestionAnsweringOutput | QuestionAnsweringOutput[]
    >();
    expectTypeOf(result(() => pipe("q", "c", { top_k: 1 })).result).toEqualTypeOf<QuestionAnsweringOutput>();
  });
});

describe("fill-mask, zero-shot-classification and text-generation", () => {
  const fill = result(() => pipeline("fill-mask")).result;
  const zero = result(() => pipeline("zero-shot-classification")).result;
  const generate = result(() => pipeline("text-generation")).result;
  it("give one result for a text and a list for a list", () => {
    expectTypeOf(result(() => fill("a [MASK]")).result).toEqualTypeOf<FillMaskOutput>();
    expectTypeOf(result(() => fill(["a [MASK]", "b [MASK]"])).result).toEqualTypeOf<FillMaskOutput[]>();
    expectTypeOf(result(() => zero("a", ["x", "y"])).result).toEqualTypeOf<ZeroShotClassificationOutput>();
    expectTypeOf(result(() => zero(["a"], "x, y", { multi_label: true })).result).toEqualTypeOf<
      ZeroShotClassificationOutput[]
    >();
    expectTypeOf(
      result(() => zero("a", { candidate_labels: ["x"] })).result,
    ).toEqualTypeOf<ZeroShotClassificationOutput>();
    expectTypeOf(result(() => generate("a")).result).toEqualTypeOf<TextGenerationStringOutput>();
    expectTypeOf(result(() => generate(["a"])).result).toEqualTypeOf<TextGenerationStringOutput[]>();
    expectTypeOf(
      result(() => generate([{ role: "user", content: "a" }])).result,
    ).toEqualTypeOf<TextGenerationChatOutput>();
  });
});

describe("summarization, translation and text2text-generation", () => {
  const summarize = result(() => pipeline("summarization")).result;
  const translate = result(() => pipeline("translation_en_to_fr")).result;
  const rewrite = result(() => pipeline("text2text-generation", "a/model")).result;
  it("give a list for one text and for several", () => {
    expectTypeOf(translate).toEqualTypeOf<TranslationPipeline>();
    expectTypeOf(result(() => summarize("a")).result).toEqualTypeOf<SummarizationOutput>();
    expectTypeOf(result(() => summarize(["a", "b"], { min_length: 3 })).result).toEqualTypeOf<SummarizationOutput>();
    expectTypeOf(result(() => translate("a", { src_lang: "en_XX" })).result).toEqualTypeOf<TranslationOutput>();
    expectTypeOf(result(() => rewrite(texts())).result).toEqualTypeOf<AsyncGenerator<Text2TextGenerationOutput>>();
  });

  it("give ids with return_tensors, and lists of lists for several sequences", () => {
    expectTypeOf(result(() => translate("a", { return_tensors: true })).result).toEqualTypeOf<TranslationTokens[]>();
    expectTypeOf(result(() => translate(["a"], { num_return_sequences: 2 })).result).toEqualTypeOf<
      TranslationOutput[]
    >();
  });
});

describe("feature-extraction", () => {
  const pipe = result(() => pipeline("feature-extraction", "a/model")).result;
  it("gives nested lists as Python, or one Tensor as transformers.js", () => {
    expectTypeOf(result(() => pipe("a")).result).toEqualTypeOf<FeatureExtractionLists>();
    expectTypeOf(result(() => pipe(["a"])).result).toEqualTypeOf<FeatureExtractionLists[]>();
    expectTypeOf(result(() => pipe(["a"], { return_tensors: true })).result).toEqualTypeOf<Tensor[]>();
    expectTypeOf(result(() => pipe("a", { pooling: "mean", normalize: true })).result).toEqualTypeOf<Tensor>();
    expectTypeOf(result(() => pipe(["a"], { pooling: "cls" })).result).toEqualTypeOf<Tensor>();
    expectTypeOf(result(() => pipe(texts(), { pooling: "cls" })).result).toEqualTypeOf<AsyncGenerator<Tensor>>();
  });

  it("takes the pooling from the construction", () => {
    const configured = result(() => pipeline("embeddings", { model: "a/model", pooling: "mean" })).result;
    expectTypeOf(result(() => configured(["a"])).result).toEqualTypeOf<Tensor>();
  });
});

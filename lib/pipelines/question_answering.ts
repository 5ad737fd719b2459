// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/question_answering.py
import { expected, TransformersError, warn_once } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import type { Encoding, OffsetsUnit, Span } from "../tokenization/encoding.js";
import type { PaddingOption } from "../tokenization/options.js";
import { to_tensor } from "../tokenization/tensors.js";
import {
  ChunkPipeline,
  check_kwargs,
  type Fields,
  given,
  type Kwargs,
  type NoOptions,
  no_more,
  type PipelineCallOptions,
  type StageParameters,
} from "./base.js";
import { is_iterable } from "./batching.js";
import { check_unit, in_unit } from "./offsets.js";
import { best_spans } from "./spans.js";

export interface QuestionAnsweringOutput {
  /** The probability of the answer; of answers with equal text, the sum. */
  score: number;
  /** Where the answer is in the context: `context.slice(start, end)`. */
  start: number;
  end: number;
  answer: string;
}

export interface QuestionAnsweringInput {
  question: string;
  context: string;
}

export interface QuestionAnsweringPipelineOptions extends PipelineCallOptions {
  /** How many answers at most. Default: 1. */
  top_k?: number;
  /** Tokens that the parts of a long context share. Default: min(max_seq_len / 2, 128). */
  doc_stride?: number;
  /** Tokens of a part with the question. Default: min(model_max_length, 384). */
  max_seq_len?: number;
  /** Tokens of the longest answer. Default: 15. */
  max_answer_len?: number;
  /** No effect, as with Python's fast tokenizers. */
  max_question_len?: number;
  /** The empty answer takes part. Default: false. */
  handle_impossible_answer?: boolean;
  /** Answers begin and end at words, where the tokenizer knows them. Default: true. */
  align_to_words?: boolean;
  padding?: PaddingOption;
  /** Of `start` and `end`. Default: "utf16". */
  offsets_unit?: OffsetsUnit;
}

/** With `top_k` a list, unless there is only one answer: then that one, as in Python. */
type One<O> = O extends { top_k: infer K }
  ? [K] extends [1]
    ? QuestionAnsweringOutput
    : QuestionAnsweringOutput | QuestionAnsweringOutput[]
  : QuestionAnsweringOutput;
/** A list of one question gives its answer, not a list of one, as in Python. */
export type QuestionAnsweringPipelineResult<Q, O = NoOptions> = Q extends string | QuestionAnsweringInput
  ? One<O>
  : Q extends readonly [unknown]
    ? One<O>
    : Q extends readonly unknown[]
      ? One<O>[]
      : AsyncGenerator<One<O>>;

export interface QuestionAnsweringPipeline {
  <Q extends string | readonly string[], const O extends QuestionAnsweringPipelineOptions = NoOptions>(
    question: Q,
    context: string | Q,
    options?: O,
  ): Promise<QuestionAnsweringPipelineResult<Q, O>>;
  <
    Q extends QuestionAnsweringInput | Iterable<QuestionAnsweringInput> | AsyncIterable<QuestionAnsweringInput>,
    const O extends QuestionAnsweringPipelineOptions = NoOptions,
  >(
    inputs: Q,
    options?: O,
  ): Promise<QuestionAnsweringPipelineResult<Q, O>>;
  <const O extends QuestionAnsweringPipelineOptions = NoOptions>(
    inputs: { question: readonly string[]; context: string | readonly string[] },
    options?: O,
  ): Promise<One<O>[]>;
}

/**
 * Finds the answer to a question in a text, by an `AutoModelForQuestionAnswering`. A long text is read in overlapping parts,
 * all in one call of the model.
 *
 * ```ts
 * const qa = await pipeline("question-answering");
 * await qa({ question: "Where do I live?", context: "My name is Wolfgang and I live in Berlin" });
 * await qa("Where do I live?", "My name is Wolfgang and I live in Berlin");   // { score, start: 34, end: 40, answer: "Berlin" }
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
export class QuestionAnsweringPipeline extends ChunkPipeline<
  QuestionAnsweringInput,
  QuestionAnsweringOutput | QuestionAnsweringOutput[]
> {
  static override rows_are_independent = true;

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { padding, doc_stride, max_seq_len, max_question_len, ...others } = kwargs;
    const {
      topk,
      top_k = topk,
      max_answer_len,
      handle_impossible_answer,
      align_to_words,
      offsets_unit,
      ...rest
    } = others;
    no_more(rest, this.task);
    if (topk !== undefined) warn_once("topk parameter is deprecated, use top_k instead");
    if (max_question_len !== undefined && max_question_len !== null)
      warn_once("`max_question_len` has no effect with fast tokenizers, as in Python: questions are not shortened.");
    at_least_one(top_k, "top_k");
    at_least_one(max_answer_len, "max_answer_len");
    at_least_one(max_seq_len, "max_seq_len");
    if (
      doc_stride !== undefined &&
      doc_stride !== null &&
      !(Number.isInteger(doc_stride) && (doc_stride as number) >= 0)
    )
      throw expected("a whole number from 0", "doc_stride", doc_stride);
    check_unit(offsets_unit);
    return {
      preprocess: given({ padding, doc_stride, max_seq_len }),
      postprocess: given({ top_k, max_answer_len, handle_impossible_answer, align_to_words, offsets_unit }),
    };
  }

  /** `(question, context, options)`, or `(inputs, options)` with { question, context } or several of them. */
  override async _call(inputs: unknown, second?: unknown, third?: Kwargs): Promise<unknown> {
    const positional = typeof second === "string" || Array.isArray(second);
    const given_inputs = positional ? { question: inputs, context: second } : inputs;
    let options = check_kwargs((positional ? third : second) ?? {});
    if (is_iterable(given_inputs) && !Array.isArray(given_inputs)) return super._call(given_inputs, options);
    let examples: QuestionAnsweringInput[];
    if (Array.isArray(given_inputs)) examples = given_inputs.map(example);
    else {
      if (typeof given_inputs !== "object" || given_inputs === null)
        throw expected("{ question, context }, or a question and a context,", "inputs", given_inputs);
      // Python's keywords: options may stand beside the question.
      const { question, context, ...keywords } = given_inputs as Kwargs;
      options = { ...keywords, ...options };
      examples = pairs(question, context).map(example);
    }
    const results = (await super._call(examples, options)) as unknown[];
    return examples.length === 1 ? results[0] : results;
  }

  override *preprocess(input: QuestionAnsweringInput, parameters: Kwargs): Generator<Fields> {
    const { question, context } = example(input);
    const tokenizer = this.require_tokenizer();
    const {
      padding = "do_not_pad",
      max_seq_len = Math.min(tokenizer.model_max_length, 384),
      doc_stride = Math.min(Math.floor(max_seq_len / 2), 128),
    } = parameters as { padding?: PaddingOption; max_seq_len?: number; doc_stride?: number };
    if (doc_stride > max_seq_len)
      throw new RangeError(`\`doc_stride\` (${doc_stride}) is larger than \`max_seq_len\` (${max_seq_len})`);
    const question_first = tokenizer.padding_side === "right";
    const [text, pair] = question_first ? [question, context] : [context, question];
    const encoded = with_room(max_seq_len, doc_stride, () =>
      tokenizer(text, pair, {
        padding,
        truncation: question_first ? "only_second" : "only_first",
        max_length: max_seq_len,
        stride: doc_stride,
        return_token_type_ids: true,
        return_overflowing_tokens: true,
      }),
    );
    for (const [i, encoding] of (encoded.encodings as Encoding[]).entries()) {
      // What cannot be in the answer. With padding on the left Python leaves out nothing.
      const p_mask = encoding.sequence_ids.map((sequence) => (question_first && sequence !== 1 ? 1 : 0));
      const ids: number[] = encoded["input_ids"][i];
      ids.forEach((id, position) => {
        if (id === tokenizer.cls_token_id) p_mask[position] = 0; // stands for "no answer"
      });
      const rows = Object.keys(encoded)
        .filter((name) => name === "token_type_ids" || tokenizer.model_input_names.includes(name))
        .map((name) => [name, to_tensor([encoded[name][i]])]);
      yield { ...Object.fromEntries(rows), p_mask: to_tensor([p_mask]), encoding, context };
    }
  }

  override async _forward(batch: Fields): Promise<Fields> {
    const { start_logits, end_logits } = await this.run_model(batch);
    return { ...batch, start_logits, end_logits };
  }

  override postprocess(outputs: Fields[], parameters: Kwargs): QuestionAnsweringOutput | QuestionAnsweringOutput[] {
    const {
      top_k = 1,
      handle_impossible_answer = false,
      max_answer_len = 15,
      align_to_words = true,
      offsets_unit = "utf16",
    } = parameters as QuestionAnsweringPipelineOptions;
    const tokenizer = this.require_tokenizer();
    const context = outputs[0]["context"] as string;
    const answers = new Map<string, QuestionAnsweringOutput>();
    let null_score = 1_000_000;
    for (const output of outputs) {
      const fields = output as Record<string, Tensor>;
      const found = best_spans({
        start: fields["start_logits"].data as Float32Array,
        end: fields["end_logits"].data as Float32Array,
        p_mask: numbers(fields["p_mask"]),
        attention_mask: fields["attention_mask"] && numbers(fields["attention_mask"]),
        count: align_to_words ? top_k * 2 + 10 : top_k, // aligning makes some of them equal
        max_answer_len,
      });
      null_score = Math.min(null_score, found.null_score);
      const encoding = output["encoding"] as Encoding;
      const left = tokenizer.padding_side === "left";
      const padding = left ? fields["input_ids"].dims[1] - encoding.length : 0;
      for (const { first, last, score } of found.spans) {
        const span = [first - padding, last - padding] as Span;
        const [start, end] = characters(encoding, span, left ? 0 : 1, align_to_words);
        const answer = context.slice(start, end);
        const key = answer.toLowerCase();
        const same = answers.get(key);
        if (same) same.score += score;
        else answers.set(key, { score, start, end, answer });
      }
    }
    const all = [...answers.values()];
    if (handle_impossible_answer) all.push({ score: null_score, start: 0, end: 0, answer: "" });
    const best = all.sort((a, b) => b.score - a.score).slice(0, top_k);
    for (const answer of best) {
      answer.start = in_unit(context, answer.start, offsets_unit);
      answer.end = in_unit(context, answer.end, offsets_unit);
    }
    return best.length === 1 ? best[0] : best;
  }
}

const numbers = (tensor: Tensor): number[] => tensor.tolist()[0];

/** Python's `question=` and `context=`: one or several questions, with a context for all or for each. */
function pairs(question: unknown, context: unknown): unknown[] {
  if (Array.isArray(question) && Array.isArray(context)) {
    if (question.length !== context.length) throw new RangeError("Questions and contexts don't have the same lengths");
    return question.map((one, i) => ({ question: one, context: context[i] }));
  }
  if (Array.isArray(question)) return question.map((one) => ({ question: one, context }));
  if (Array.isArray(context)) throw new TypeError("Arguments can't be understood: several contexts for one question");
  return [{ question, context }];
}

/** Checks one input. */
function example(input: unknown): QuestionAnsweringInput {
  if (typeof input !== "object" || input === null)
    throw expected("an object { question, context }", "each of the inputs", input);
  for (const key of ["question", "context"] as const) {
    const value = (input as Kwargs)[key];
    if (value === undefined)
      throw new TypeError("You need to provide a dictionary with keys {question:..., context:...}");
    if (value === null) throw new TypeError(`\`${key}\` cannot be None`);
    if (value === "") throw new RangeError(`\`${key}\` cannot be empty`);
    if (typeof value !== "string") throw expected("a string", key, value);
  }
  return input as QuestionAnsweringInput;
}

function at_least_one(value: unknown, name: string): void {
  if (value === undefined || value === null) return;
  if (!Number.isInteger(value)) throw expected("a whole number", name, value);
  if ((value as number) < 1) throw new RangeError(`${name} parameter should be >= 1 (got ${value})`);
}

/** Where the question leaves no room for a part of the context, Python ends with a message of the tokenizer's, or a panic. */
function with_room<T>(max_seq_len: number, doc_stride: number, encode: () => T): T {
  try {
    return encode();
  } catch (cause) {
    const truncation = cause instanceof TransformersError ? cause.code === "truncation" : cause instanceof RangeError;
    if (!truncation) throw cause;
    throw new TransformersError(
      `The question leaves no room for the context: of \`max_seq_len\` (${max_seq_len}) tokens more than \`doc_stride\`` +
        ` (${doc_stride}) must remain. Give a shorter question, a larger \`max_seq_len\` or a smaller \`doc_stride\`.`,
      "truncation",
      cause,
    );
  }
}

/** The characters of the tokens from first to last; of their whole words, where both have one. */
function characters(encoding: Encoding, [first, last]: Span, sequence: number, align_to_words: boolean): Span {
  if (align_to_words) {
    const words = [encoding.token_to_word(first), encoding.token_to_word(last)];
    const [start, end] = words.map((word) => (word === null ? null : encoding.word_to_chars(word, sequence)));
    if (start && end) return [start[0], end[1]];
  }
  return [encoding.offsets[first][0], encoding.offsets[last][1]];
}

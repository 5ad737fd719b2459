// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text_classification.py
import { expected, out_of_range, warn_once } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import { check_options, type EncodeOptions } from "../tokenization/options.js";
import {
  type Fields,
  type Kwargs,
  type NoOptions,
  Pipeline,
  type PipelineCallOptions,
  type Results,
  type StageParameters,
} from "./base.js";

export interface TextClassificationSingle {
  label: string;
  /** The probability of the label, or what `function_to_apply` makes of the model's output. */
  score: number;
}
export type TextClassificationOutput = TextClassificationSingle[];

/** Two texts that are classified together. */
export interface TextPair {
  text: string;
  text_pair?: string;
}
export type TextClassificationInput = string | TextPair;

const FUNCTIONS = ["sigmoid", "softmax", "none"] as const;
export type ClassificationFunction = (typeof FUNCTIONS)[number];

/** Besides these, the options of a tokenizer: `truncation`, `max_length`, … */
export interface TextClassificationPipelineOptions extends PipelineCallOptions, EncodeOptions {
  /** How many labels, best first; null: all. Without it one label for each text. */
  top_k?: number | null;
  /** Default: none for regression, sigmoid for one label or independent ones, else softmax. */
  function_to_apply?: ClassificationFunction;
  /** @deprecated `top_k: null` */
  return_all_scores?: boolean;
}

/**
 * As in Python: one text gives a list of one label; several texts a label for each. With `top_k` each text has a list.
 */
export type TextClassificationPipelineResult<Q, O = NoOptions> = O extends { top_k: number | null }
  ? Results<Q, TextClassificationOutput>
  : Results<Q, Q extends string ? TextClassificationOutput : TextClassificationSingle, TextClassificationSingle>;

export interface TextClassificationPipeline {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  <
    Q extends TextClassificationInput | Iterable<TextClassificationInput> | AsyncIterable<TextClassificationInput>,
    const O extends TextClassificationPipelineOptions = NoOptions,
  >(
    texts: Q,
    options?: O,
  ): Promise<TextClassificationPipelineResult<Q, O>>;
}

/**
 * Labels for texts (sentiments, topics, relevance of pairs) by an `AutoModelForSequenceClassification`.
 *
 * ```ts
 * const classifier = await pipeline("sentiment-analysis");
 * await classifier("I love this movie!");                    // [{ label: "POSITIVE", score: 0.9998 }]
 * await classifier(["Great.", "Awful."]);                    // [{ label: "POSITIVE", … }, { label: "NEGATIVE", … }]
 * await classifier("Great.", { top_k: null });               // all labels, best first
 * await classifier({ text: "A question", text_pair: "A passage" });
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class TextClassificationPipeline extends Pipeline<
  TextClassificationInput,
  TextClassificationSingle | TextClassificationOutput
> {
  static override rows_are_independent = true;

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { top_k, function_to_apply, return_all_scores, ...tokenizer_kwargs } = kwargs;
    check_options(tokenizer_kwargs);
    const postprocess: Kwargs = {};
    const all_scores =
      return_all_scores ?? (this.model.config as unknown as Record<string, unknown>)["return_all_scores"];
    if (top_k !== undefined) {
      if (top_k !== null && typeof top_k !== "number") throw expected("a number or null", "top_k", top_k);
      if (top_k !== null && (!Number.isInteger(top_k) || top_k < 0))
        throw out_of_range("a whole number from 0", "top_k", top_k);
      Object.assign(postprocess, { top_k, legacy: false });
    } else if (all_scores !== undefined && all_scores !== null) {
      warn_once(
        "`return_all_scores` is now deprecated,  if want a similar functionality use `top_k=None` instead of" +
          " `return_all_scores=True` or `top_k=1` instead of `return_all_scores=False`.",
      );
      postprocess["top_k"] = all_scores ? null : 1;
    }
    if (function_to_apply !== undefined && function_to_apply !== null) {
      const name = String(function_to_apply).toLowerCase() as ClassificationFunction;
      if (!FUNCTIONS.includes(name))
        throw expected(`one of ${FUNCTIONS.join(", ")}`, "function_to_apply", function_to_apply);
      postprocess["function_to_apply"] = name;
    }
    return { preprocess: tokenizer_kwargs, postprocess };
  }

  override async _call(inputs: unknown, options: Kwargs = {}): Promise<unknown> {
    const result = await super._call(inputs, options);
    return typeof inputs === "string" && options?.["top_k"] === undefined ? [result] : result;
  }

  override preprocess(input: TextClassificationInput, parameters: Kwargs): Fields {
    const options = { ...parameters, return_tensors: "pt" };
    const tokenizer = this.require_tokenizer();
    if (Array.isArray(input)) {
      const [pair] = input;
      if (input.length === 1 && Array.isArray(pair) && pair.length === 2) return tokenizer(pair[0], pair[1], options);
      throw new TypeError(
        "The pipeline received invalid inputs, if you are trying to send text pairs, you can try to send a" +
          ' dictionary `{"text": "My text", "text_pair": "My pair"}` in order to send a text pair.',
      );
    }
    if (typeof input !== "object" || input === null) return tokenizer(input, options);
    const { text, ...rest } = input;
    return tokenizer(text, { ...rest, ...options });
  }

  override _forward(batch: Fields): Promise<Fields> {
    return this.run_model(batch);
  }

  /** What fits the model's problem. */
  private get function_to_apply(): ClassificationFunction {
    const { problem_type, num_labels } = this.model.config;
    if (problem_type === "regression") return "none";
    return problem_type === "multi_label_classification" || num_labels === 1 ? "sigmoid" : "softmax";
  }

  override postprocess(outputs: Fields, parameters: Kwargs): TextClassificationSingle | TextClassificationOutput {
    const {
      function_to_apply = this.function_to_apply,
      top_k = 1,
      legacy = true,
    } = parameters as { function_to_apply?: ClassificationFunction; top_k?: number | null; legacy?: boolean };
    const logits = (outputs["logits"] as Tensor)[0];
    const scores = function_to_apply === "none" ? logits : logits[function_to_apply]();
    const { id2label } = this.model.config;
    const all = Array.from(scores.data as Float32Array, (score, i) => ({ label: id2label[i], score }));
    if (legacy && top_k === 1) return all[scores.argmax().item()];
    if (legacy) return all;
    return all.sort((a, b) => b.score - a.score).slice(0, top_k ?? undefined);
  }
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/zero_shot_classification.py
import { expected, out_of_range, warn_once } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import { softmax } from "../tensor/index.js";
import type { BatchEncoding } from "../tokenization/index.js";
import {
  ChunkPipeline,
  type Fields,
  given,
  type Kwargs,
  no_more,
  type PipelineCallOptions,
  type PipelineParts,
  type Results,
  type StageParameters,
} from "./base.js";

export interface ZeroShotClassificationOutput {
  sequence: string;
  /** Likeliest first. */
  labels: string[];
  scores: number[];
}

export interface ZeroShotClassificationPipelineOptions extends PipelineCallOptions {
  /** Default: "This example is {}." */
  hypothesis_template?: string;
  /** Each label on its own, instead of one of all. */
  multi_label?: boolean;
}

export type ZeroShotClassificationPipelineResult<T> = Results<T, ZeroShotClassificationOutput>;

export interface ZeroShotClassificationPipeline {
  <T extends string | Iterable<string> | AsyncIterable<string>>(
    sequences: T,
    candidate_labels: string | readonly string[],
    options?: ZeroShotClassificationPipelineOptions,
  ): Promise<ZeroShotClassificationPipelineResult<T>>;
  <T extends string | Iterable<string> | AsyncIterable<string>>(
    sequences: T,
    options: ZeroShotClassificationPipelineOptions & { candidate_labels?: string | readonly string[] },
  ): Promise<ZeroShotClassificationPipelineResult<T>>;
}

/**
 * Labels that the model was not trained on: a model of natural language inference says how much each follows from the text.
 * All labels of a text go through the model in one call.
 *
 * ```ts
 * const classifier = await pipeline("zero-shot-classification", "facebook/bart-large-mnli");
 * await classifier("I want to fly to Rome.", ["travel", "cooking"]);   // { sequence, labels, scores }
 * ```
 * `candidate_labels` may be one string with commas, and may stand among the options.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
export class ZeroShotClassificationPipeline extends ChunkPipeline<string, ZeroShotClassificationOutput> {
  static override rows_are_independent = true;

  constructor(parts: PipelineParts, options: Kwargs = {}) {
    super(parts, options);
    if (this.entailment_id === -1)
      warn_once(
        "Failed to determine 'entailment' label id from the label2id mapping in the model config. Setting to -1." +
          " Define a descriptive label2id mapping in the model config to ensure correct outputs.",
      );
  }

  /** The class of the model that says that a label follows; -1, the last one, if none is called so. */
  get entailment_id(): number {
    const found = Object.entries(this.model.config.label2id as Record<string, number>).find(([label]) =>
      /^entail/i.test(label),
    );
    return found ? found[1] : -1;
  }

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { candidate_labels, hypothesis_template, multi_class, multi_label = multi_class, ...rest } = kwargs;
    no_more(rest, this.task);
    if (multi_class !== undefined)
      warn_once("The `multi_class` argument has been deprecated and renamed to `multi_label`.");
    if (hypothesis_template !== undefined && typeof hypothesis_template !== "string")
      throw expected("a string", "hypothesis_template", hypothesis_template);
    const labels = candidate_labels === undefined ? undefined : parse_labels(candidate_labels);
    return {
      preprocess: given({ candidate_labels: labels, hypothesis_template }),
      postprocess: given({ multi_label }),
    };
  }

  /** `(sequences, candidate_labels, options)` or `(sequences, { candidate_labels, … })`. */
  override _call(sequences: unknown, labels_or_options?: unknown, options?: Kwargs): Promise<unknown> {
    if (typeof labels_or_options === "string" || Array.isArray(labels_or_options))
      return super._call(sequences, { ...options, candidate_labels: labels_or_options });
    return super._call(sequences, (labels_or_options ?? options) as Kwargs | undefined);
  }

  override *preprocess(sequence: string, parameters: Kwargs): Generator<Fields> {
    const { candidate_labels, hypothesis_template = "This example is {}." } = parameters as {
      candidate_labels?: string[];
      hypothesis_template?: string;
    };
    if (candidate_labels === undefined) throw expected("labels", "candidate_labels", candidate_labels);
    if (typeof sequence !== "string") throw expected("a text or a list of texts", "sequences", sequence);
    if (candidate_labels.length === 0 || sequence === "")
      throw new RangeError("You must include at least one label and at least one sequence.");
    if (format(hypothesis_template, candidate_labels[0]) === hypothesis_template)
      throw new RangeError(
        `The provided hypothesis_template "${hypothesis_template}" was not able to be formatted with the target labels. ` +
          "Make sure the passed template includes formatting syntax such as {} where the label should go.",
      );
    for (const label of candidate_labels)
      yield { ...this.tokenize(sequence, format(hypothesis_template, label)), label, sequence };
  }

  /** Only the sequence may be cut; where even that is not enough, nothing is. */
  private tokenize(sequence: string, hypothesis: string): BatchEncoding {
    const tokenizer = this.require_tokenizer();
    if (tokenizer.pad_token === null) {
      warn_once(
        "Tokenizer was not supporting padding necessary for zero-shot, attempting to use  `pad_token=eos_token`",
      );
      tokenizer.pad_token = tokenizer.eos_token;
    }
    try {
      // As a batch: there an empty hypothesis is a text.
      return tokenizer([[sequence, hypothesis]], { return_tensors: "pt", truncation: "only_first" });
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("too short")) throw error;
      return tokenizer([[sequence, hypothesis]], { return_tensors: "pt" });
    }
  }

  override async _forward(batch: Fields): Promise<Fields> {
    const { logits } = await this.run_model(batch);
    return { logits, label: batch["label"], sequence: batch["sequence"] };
  }

  override postprocess(outputs: Fields[], parameters: Kwargs): ZeroShotClassificationOutput {
    const rows = outputs.map(({ logits }) => (logits as Tensor)[0]);
    const entailment = this.entailment_id;
    const logit = (row: Tensor, id: number) => row[id].item();
    const scores =
      parameters["multi_label"] || rows.length === 1
        ? rows.map((row) => softmax([logit(row, entailment === 0 ? -1 : 0), logit(row, entailment)])[1])
        : softmax(rows.map((row) => logit(row, entailment)));
    // Of equal scores the later label comes first, as in numpy's reversed argsort.
    const order = [...scores.keys()].sort((a, b) => scores[a] - scores[b]).reverse();
    return {
      sequence: outputs[0]["sequence"] as string,
      labels: order.map((i) => outputs[i]["label"] as string),
      scores: order.map((i) => scores[i]),
    };
  }
}

function parse_labels(labels: unknown): string[] {
  if (typeof labels === "string")
    return labels
      .split(",")
      .map((label) => label.trim())
      .filter((label) => label !== "");
  if (Array.isArray(labels) && labels.every((label) => typeof label === "string")) return labels;
  throw expected("a string or a list of strings", "candidate_labels", labels);
}

/** Python's `template.format(label)`, for templates with one place. */
function format(template: string, label: string): string {
  let places = 0;
  return template.replace(/\{\{|\}\}|\{(0?)\}/g, (match, number: string | undefined) => {
    if (match === "{{" || match === "}}") return match[0];
    if (number === "" && places++ > 0) throw out_of_range("a template with one {}", "hypothesis_template", template);
    return label;
  });
}

// Losses of the heads. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/loss/loss_utils.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, out_of_range } from "../errors.js";
import { is_tensor, type Tensor } from "../tensor/index.js";
import { to_rows } from "./inputs.js";

/** Targets that do not count. */
const IGNORED = -100;

/** Minus the log probability of `target` under the softmax of `logits[start, start + size)`. */
function negative_log_likelihood(logits: Float32Array, start: number, size: number, target: number): number {
  let max = -Infinity;
  for (let i = 0; i < size; i++) if (logits[start + i] > max) max = logits[start + i];
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.exp(logits[start + i] - max);
  return max + Math.log(sum) - logits[start + target];
}

/**
 * Mean cross entropy of `targets`, one for each row of `logits` [rows, size], flat; -100 and `ignore_index` do not count.
 * NaN when no target counts, as in torch.
 */
export function cross_entropy(
  logits: Float32Array,
  size: number,
  targets: ArrayLike<number>,
  ignore_index = IGNORED,
): number {
  let sum = 0;
  let count = 0;
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row];
    if (target === ignore_index) continue;
    if (target < 0 || target >= size)
      throw out_of_range(`labels from 0 to ${size - 1}, or ${ignore_index}`, "labels", target);
    sum += negative_log_likelihood(logits, row * size, size, target);
    count++;
  }
  return sum / count;
}

/** Integers of any shape, `count` of them, flat. */
export function label_ids(labels: unknown, count: number, name = "labels"): Int32Array {
  const rows = to_rows(
    is_tensor(labels) ? { ...labels, dims: [1, labels.data.length], data: labels.data } : labels,
    name,
  );
  const flat = rows.length === 1 ? rows[0] : Int32Array.from(rows.flatMap((row) => Array.from(row)));
  if (flat.length !== count) throw out_of_range(`${count} labels`, name, flat.length);
  return flat;
}

/** Cross entropy of logits [..., size] and one label for each row of them. */
export function classification_loss(logits: Tensor, labels: unknown, name = "labels"): number {
  const size = logits.dims[logits.dims.length - 1];
  return cross_entropy(logits.data as Float32Array, size, label_ids(labels, logits.data.length / size, name));
}

/**
 * Mean cross entropy of predicting each label from the position before it; labels of -100 do not count.
 * `logits`: [rows, length, size], flat.
 */
export function causal_lm_loss(logits: Float32Array, size: number, labels: Int32Array[]): number {
  const targets = labels.flatMap((row) => [...row.subarray(1), IGNORED]);
  return cross_entropy(logits, size, targets);
}

/** The loss of a causal model for logits [rows, length, size]. */
export function next_token_loss(logits: Tensor, labels: unknown): number {
  const [rows, length, size] = logits.dims;
  const targets = to_rows(labels, "labels");
  if (targets.length !== rows || targets[0].length !== length)
    throw out_of_range(
      `the shape of the tokens, [${rows}, ${length}]`,
      "labels",
      `shape [${targets.length}, ${targets[0].length}]`,
    );
  return causal_lm_loss(logits.data as Float32Array, size, targets);
}

/**
 * The loss that `problem_type` names; unset, it follows from the labels: one label is a regression, integers are
 * classes, floats are independent labels. It is written into the configuration, as in Python.
 */
export function sequence_classification_loss(config: PretrainedConfig, logits: Tensor, labels: unknown): number {
  const num_labels = config["num_labels"] as number;
  config["problem_type"] ??= infer_problem_type(num_labels, labels, logits.data.length);
  const values = logits.data as Float32Array;
  if (config["problem_type"] === "single_label_classification") return classification_loss(logits, labels);
  const targets = float_labels(labels, values.length);
  const mean = (term: (logit: number, target: number) => number) =>
    values.reduce((sum, logit, i) => sum + term(logit, targets[i]), 0) / values.length;
  if (config["problem_type"] === "regression") return mean((logit, target) => (logit - target) ** 2);
  // Binary cross entropy of the sigmoid, without overflow.
  return mean((logit, target) => Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit))));
}

/** Lists do not say whether 1 is a float: with a number for each of `logits`, they are independent labels. */
function infer_problem_type(num_labels: number, labels: unknown, logits: number): string {
  if (num_labels === 1) return "regression";
  const is_classes = (values: number[]) => values.every(Number.isInteger) && values.length !== logits;
  const classes = is_tensor(labels) ? !labels.type.startsWith("float") : is_classes(flat_numbers(labels));
  return classes ? "single_label_classification" : "multi_label_classification";
}

function flat_numbers(value: unknown): number[] {
  if (is_tensor(value)) return Array.from(value.data as ArrayLike<number>, Number);
  if (typeof value === "number" || typeof value === "bigint") return [Number(value)];
  if (Array.isArray(value)) return value.flatMap(flat_numbers);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, Number);
  throw expected("numbers", "labels", value);
}

function float_labels(labels: unknown, count: number): number[] {
  const flat = flat_numbers(labels);
  if (flat.length !== count) throw out_of_range(`${count} labels`, "labels", flat.length);
  return flat;
}

/**
 * Half the cross entropies of the answer's first and last token, for logits [rows, length]. Positions beyond the row
 * do not count.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bert/modeling_bert.py `BertForQuestionAnswering.forward`
 */
export function question_answering_loss(
  { start_logits, end_logits }: Record<string, Tensor>,
  { start_positions, end_positions }: Record<string, unknown>,
): number | undefined {
  if (start_positions === undefined || end_positions === undefined) return undefined;
  const [rows, length] = start_logits.dims;
  const one = (logits: Tensor, positions: unknown, name: string) => {
    const targets = label_ids(positions, rows, name).map((at) => Math.min(Math.max(at, 0), length));
    return cross_entropy(logits.data as Float32Array, length, targets, length);
  };
  return (one(start_logits, start_positions, "start_positions") + one(end_logits, end_positions, "end_positions")) / 2;
}

// Losses of the heads. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/loss/loss_utils.py
import { out_of_range } from "../errors.js";

/** Minus the log probability of `target` under the softmax of `logits[start, start + size)`. */
function negative_log_likelihood(logits: Float32Array, start: number, size: number, target: number): number {
  let max = -Infinity;
  for (let i = 0; i < size; i++) if (logits[start + i] > max) max = logits[start + i];
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.exp(logits[start + i] - max);
  return max + Math.log(sum) - logits[start + target];
}

/**
 * Mean cross entropy of predicting each label from the position before it; labels of -100 do not count.
 * `logits`: [rows, length, size], flat. NaN when no label counts, as in torch.
 */
export function causal_lm_loss(logits: Float32Array, size: number, labels: Int32Array[]): number {
  let sum = 0;
  let count = 0;
  labels.forEach((row, r) => {
    for (let t = 1; t < row.length; t++) {
      const target = row[t];
      if (target === -100) continue;
      if (target < 0 || target >= size) throw out_of_range(`labels from 0 to ${size - 1}, or -100`, "labels", target);
      sum += negative_log_likelihood(logits, (r * row.length + t - 1) * size, size, target);
      count++;
    }
  });
  return sum / count;
}

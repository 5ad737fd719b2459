// The scores of the tokens that generate() chose.
import { expected, out_of_range } from "../errors.js";
import { to_rows } from "../models/inputs.js";
import { is_tensor, Tensor } from "../tensor/index.js";

/** log_softmax of one row, in double precision. */
function log_softmax(row: Float32Array): Float64Array {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = row.reduce((total, score) => total + Math.exp(score - most), 0);
  return Float64Array.from(row, (score) => score - most - Math.log(sum));
}

/**
 * The score of each token that generate() chose: float32 [sequences, steps], zero after a beam's end.
 * `scores`: one [rows, vocabulary] for each step; `beam_indices` [sequences, steps]: the row that each token came from.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `compute_transition_scores`
 */
export function transition_scores(
  sequences: unknown,
  scores: readonly Tensor[],
  beam_indices: unknown,
  normalize_logits: boolean,
): Tensor {
  const ids = to_rows(sequences, "sequences");
  if (
    !Array.isArray(scores) ||
    scores.length === 0 ||
    !scores.every((step) => is_tensor(step) && step.dims.length === 2)
  )
    throw expected("a list of tensors [rows, vocabulary], one for each step", "scores", scores);
  const indices =
    beam_indices === undefined || beam_indices === null
      ? ids.map((_, row) => new Int32Array(scores.length).fill(row))
      : to_rows(beam_indices, "beam_indices");
  if (indices.length !== ids.length)
    throw out_of_range(`${ids.length} rows, as in sequences`, "beam_indices", indices.length);
  const steps = Math.max(...indices.map((row) => row.filter((index) => index >= 0).length));
  const first = ids[0].length - steps;
  if (first < 0 || steps > scores.length)
    throw out_of_range(`scores of the ${steps} steps of sequences`, "scores", `${scores.length} steps`);
  const data = new Float32Array(ids.length * steps);
  for (const [row, beams] of indices.entries())
    for (let step = 0; step < steps; step++) {
      if (beams[step] < 0) continue;
      const [rows, vocab_size] = scores[step].dims;
      const token = ids[row][first + step];
      if (beams[step] >= rows) throw out_of_range(`rows below ${rows}`, "beam_indices", beams[step]);
      if (token < 0 || token >= vocab_size) throw out_of_range(`token ids below ${vocab_size}`, "sequences", token);
      const all = (scores[step].data as Float32Array).subarray(
        beams[step] * vocab_size,
        (beams[step] + 1) * vocab_size,
      );
      data[row * steps + step] = (normalize_logits ? log_softmax(all) : all)[token];
    }
  return new Tensor("float32", data, [ids.length, steps]);
}

// The likeliest spans of tokens by the scores of their ends.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/question_answering.py `select_starts_ends`, `decode_spans`

export interface SpanRequest {
  /** A logit for each token. */
  start: Float32Array;
  end: Float32Array;
  /** 1 for tokens that cannot be in a span. */
  p_mask: ArrayLike<number>;
  attention_mask: ArrayLike<number> | undefined;
  /** How many spans. */
  count: number;
  /** Tokens of the longest. */
  max_answer_len: number;
}

export interface ScoredSpan {
  first: number;
  last: number;
  score: number;
}

/** Softmax over the wanted tokens; the others get nothing. */
function probabilities(logits: Float32Array, wanted: Uint8Array): Float32Array {
  const result = new Float32Array(logits.length);
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (wanted[i] && logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    if (!wanted[i]) continue;
    result[i] = Math.exp(logits[i] - max);
    sum += result[i];
  }
  for (let i = 0; i < logits.length; i++) result[i] /= sum;
  return result;
}

/**
 * The `count` best spans, best first, and the probability of none (both ends at the first token, [CLS]).
 * Candidates are kept in a sorted list, so the time is that of looking at each once: tokens x max_answer_len.
 */
export function best_spans(request: SpanRequest): { spans: ScoredSpan[]; null_score: number } {
  const { p_mask, attention_mask, count, max_answer_len } = request;
  const length = request.start.length;
  const wanted = Uint8Array.from({ length }, (_, i) => (p_mask[i] === 0 && attention_mask?.[i] !== 0 ? 1 : 0));
  const start = probabilities(request.start, wanted);
  const end = probabilities(request.end, wanted);
  const null_score = start[0] * end[0];
  start[0] = 0;
  end[0] = 0;

  const spans: ScoredSpan[] = [];
  for (let first = 0; first < length; first++) {
    if (!wanted[first] || start[first] === 0) continue;
    const stop = Math.min(length, first + max_answer_len);
    for (let last = first; last < stop; last++) {
      const score = Math.fround(start[first] * end[last]);
      if (!wanted[last] || score === 0) continue;
      if (spans.length === count && score <= spans[count - 1].score) continue;
      let at = spans.length;
      while (at > 0 && spans[at - 1].score < score) at--;
      spans.splice(at, 0, { first, last, score });
      if (spans.length > count) spans.pop();
    }
  }
  return { spans, null_score };
}

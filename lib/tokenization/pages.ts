// What tokenizers of pages share: those of words with boxes, and of nodes.
import { BatchEncoding } from "./batch_encoding.js";
import type { Encoding } from "./encoding.js";

/** What a call gives: all rows of `encoded`, as tensors if they are asked for; or of a single page the first of each field. */
export function page_encoding(
  encoded: BatchEncoding,
  encodings: Encoding[],
  { has_rows, tensors }: { has_rows: boolean; tensors: unknown },
): BatchEncoding {
  if (has_rows || tensors) return new BatchEncoding(encoded.data, encodings, { tensor_type: tensors });
  const rows = Object.entries(encoded.data).map(([key, value]) => {
    const [first] = value as unknown[];
    return [key, Array.isArray(first) ? first : value];
  });
  return new BatchEncoding(Object.fromEntries(rows), encodings);
}

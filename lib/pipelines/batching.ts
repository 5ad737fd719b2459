// From single inputs to the batches that models take, and back.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/base.py `pad_collate_fn`
import { expected, TransformersError } from "../errors.js";
import { cat, Tensor } from "../tensor/index.js";
import { allocate, is_wide } from "../tensor/types.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";

/** What flows between the stages: Tensors whose first axis is the batch, and anything else, in a list for each input. */
export type Fields = Record<string, unknown>;

/** True for lists and other iterables, also asynchronous ones; a text is one input. */
export function is_iterable(inputs: unknown): boolean {
  return typeof inputs === "object" && inputs !== null && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs);
}

export function iterable<T>(inputs: unknown): Iterable<T> | AsyncIterable<T> {
  if (is_iterable(inputs)) return inputs as Iterable<T>;
  throw expected("an input, a list of inputs or an iterable of inputs", "inputs", inputs);
}

/** Lists of `size` inputs; the last one may be shorter. */
export async function* batches<T>(inputs: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const input of inputs) {
    batch.push(input);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** What the padding of a field is filled with. */
function filler(key: string, tokenizer: PreTrainedTokenizerFast | undefined): number {
  if (key === "p_mask" || key === "special_tokens_mask") return 1;
  if (key !== "input_ids") return 0;
  const pad = tokenizer?.pad_token_id;
  if (pad !== undefined && pad !== null) return pad;
  throw new TransformersError(
    "Pipeline with tokenizer without pad_token cannot do batching. You can try to set it with `pipe.tokenizer.pad_token_id = model.config.eos_token_id`.",
    "no_pad_token",
  );
}

/** Tensors [rows, length, …] to one [all rows, longest, …]. */
function pad(tensors: Tensor[], value: number, side: "left" | "right"): Tensor {
  const [{ type, dims }] = tensors;
  const longest = Math.max(...tensors.map((tensor) => tensor.dims[1]));
  const inner = dims.slice(2).reduce((product, size) => product * size, 1);
  const step = longest * inner;
  const rows = tensors.reduce((sum, tensor) => sum + tensor.dims[0], 0);
  const data = allocate(type, rows * step) as Float32Array;
  if (value !== 0) data.fill((is_wide(type) ? BigInt(value) : value) as number);
  let start = 0;
  for (const tensor of tensors) {
    const width = tensor.dims[1] * inner;
    for (let row = 0; row < tensor.dims[0]; row++, start += step) {
      const part = tensor.data.subarray(row * width, (row + 1) * width) as Float32Array;
      data.set(part, side === "left" ? start + step - width : start);
    }
  }
  return new Tensor(type, data, [rows, longest, ...dims.slice(2)]);
}

/**
 * One batch of the inputs `items`: Tensors are padded to the longest along their second axis, on the tokenizer's side;
 * other values come in lists.
 */
export function collate(items: Fields[], tokenizer: PreTrainedTokenizerFast | undefined): Fields {
  const keys = Object.keys(items[0]);
  const batch: Fields = {};
  for (const item of items) {
    if (keys.length === Object.keys(item).length && keys.every((key) => key in item)) continue;
    throw new TransformersError(
      `The elements of the batch contain different keys. Cannot batch them ({${Object.keys(item)}} != {${keys}})`,
      "different_keys",
    );
  }
  for (const key of keys) {
    const values = items.map((item) => item[key]);
    if (values.every((value): value is Tensor => value instanceof Tensor)) {
      const even = values.every(({ dims }) => dims.length < 2 || dims[1] === values[0].dims[1]);
      batch[key] = even
        ? values.length === 1
          ? values[0]
          : cat(values)
        : pad(values, filler(key, tokenizer), tokenizer?.padding_side ?? "right");
    } else batch[key] = values;
  }
  return batch;
}

/** Fields of a model's output that hold one Tensor for each layer. */
const BY_LAYER = new Set(["hidden_states", "attentions"]);

function row_of(key: string, value: unknown, row: number): unknown {
  if (value instanceof Tensor) return value.dims.length === 0 ? value : value[row].unsqueeze(0);
  if (BY_LAYER.has(key) && Array.isArray(value)) return value.map((layer: Tensor) => layer[row].unsqueeze(0));
  return Array.isArray(value) ? value[row] : value;
}

/** The opposite of `collate`, for what `_forward` made of a batch. Tensors keep a first axis, of size 1. */
export function separate(batch: object, count: number): Fields[] {
  const entries = Object.entries(batch).filter(([key]) => key !== "past_key_values");
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(entries.map(([key, value]) => [key, row_of(key, value, row)])),
  );
}

import { expected } from "../errors.js";
import { is_tensor } from "../tensor/index.js";
import { BatchEncoding } from "./batch_encoding.js";
import { check_numbers, type PadOptions, type Side, strategies } from "./options.js";
import { to_lists } from "./tensors.js";

type Row = Record<string, number[]>;
type Fields = Record<string, unknown>;

interface Padder {
  readonly model_input_names: string[];
  readonly padding_side: Side;
  readonly pad_token: string | null;
  readonly pad_token_id: number | null;
  readonly pad_token_type_id: number;
  readonly model_max_length: number;
  readonly pad_values: Record<string, unknown>;
}

/** Pads one row to `length`, with or without a new attention mask (Python's _pad). */
function pad_row(row: Row, tokenizer: Padder, length: number | null, side: Side, with_mask: boolean): Row {
  const main = tokenizer.model_input_names[0]!;
  const ids = row[main]!;
  const padded: Row = { ...row };
  if (with_mask && !padded["attention_mask"]) padded["attention_mask"] = ids.map(() => 1);
  const missing = length === null ? 0 : length - ids.length;
  if (missing <= 0) return padded;
  const fill = {
    [main]: tokenizer.pad_token_id!,
    token_type_ids: tokenizer.pad_token_type_id,
    special_tokens_mask: 1,
    ...tokenizer.pad_values,
  };
  for (const [key, value] of Object.entries({ ...fill, ...(with_mask && { attention_mask: 0 }) })) {
    if (!padded[key]) continue;
    const padding = new Array<unknown>(missing).fill(value) as number[];
    padded[key] = side === "right" ? [...padded[key], ...padding] : [...padding, ...padded[key]];
  }
  return padded;
}

/**
 * Python's `tokenizer.pad`: one encoded input, a batch of them, or a list of inputs, to one length.
 * Tensors go in and, unless `return_tensors` says otherwise, come out.
 */
export function pad(tokenizer: Padder, inputs: Fields | readonly Fields[], options: PadOptions = {}): BatchEncoding {
  check_numbers(options);
  const main = tokenizer.model_input_names[0]!;
  const given: Fields = Array.isArray(inputs)
    ? Object.fromEntries(Object.keys(inputs[0] ?? {}).map((key) => [key, inputs.map((input: Fields) => input[key])]))
    : { ...inputs };
  if (given[main] === undefined) {
    throw new TypeError(
      "You should supply an encoding or a list of encodings to this method that includes " +
        `${main}, but you provided ${Object.keys(given).join(", ") || "nothing"}`,
    );
  }
  const had_tensors = Object.values(given).some(
    (value) => is_tensor(value) || (Array.isArray(value) && value.some(is_tensor)),
  );
  const fields = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, to_lists(value)])) as Record<
    string,
    number[] | number[][]
  >;
  const required = fields[main]!;
  if (!Array.isArray(required)) throw expected("a list of token ids, or a list of such lists", main, given[main]);
  const with_mask = options.return_attention_mask ?? tokenizer.model_input_names.includes("attention_mask");
  const tensor_type = options.return_tensors ?? options.return_tensor ?? (had_tensors ? "pt" : null);
  if (required.length === 0)
    return new BatchEncoding({ ...fields, ...(options.return_attention_mask && { attention_mask: [] }) });

  const { padding, max_length } = strategies(
    { ...options, padding: options.padding ?? true, truncation: false },
    tokenizer,
  );
  const single = !Array.isArray(required[0]);
  const rows = single
    ? [fields as Row]
    : required.map((_, i) => pick(fields as Record<string, number[][]>, i, required.length));
  const longest = Math.max(...rows.map((row) => row[main]!.length));
  const multiple = options.pad_to_multiple_of ?? 1;
  const target =
    padding === "do_not_pad" ? null : Math.ceil((padding === "longest" ? longest : max_length!) / multiple) * multiple;
  const padded = rows.map((row) =>
    pad_row(row, tokenizer, target, options.padding_side ?? tokenizer.padding_side, with_mask),
  );
  const data = single
    ? padded[0]!
    : Object.fromEntries(Object.keys(padded[0]!).map((key) => [key, padded.map((row) => row[key])]));
  return new BatchEncoding(data, null, { tensor_type });
}

function pick(fields: Record<string, number[][]>, row: number, rows: number): Row {
  return Object.fromEntries(
    Object.entries(fields).map(([key, values]) => {
      if (values.length !== rows) throw expected(`${rows} rows, as many as the other fields have,`, key, values);
      return [key, values[row]!];
    }),
  );
}

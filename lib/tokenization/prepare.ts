import { warn_once } from "../errors.js";
import type { PreTrainedTokenizerBase } from "./base.js";
import { BatchEncoding } from "./batch_encoding.js";
import {
  check_numbers,
  check_options,
  type EncodeOptions,
  type Side,
  type Strategies,
  strategies,
  type TruncationStrategy,
} from "./options.js";

export interface TruncateOptions {
  num_tokens_to_remove?: number;
  truncation_strategy?: TruncationStrategy;
  stride?: number;
}

/** What is left of one row, and the window that was cut off. */
function cut(ids: readonly number[], count: number, stride: number, side: Side): [number[], number[]] {
  const window = Math.min(ids.length, stride + count);
  if (side === "left") return [ids.slice(count), ids.slice(0, window)];
  return [ids.slice(0, Math.max(ids.length - count, 0)), ids.slice(ids.length - window)];
}

/** Python's truncate_sequences: `[ids, pair_ids, overflowing]`. What cannot be cut short enough stays, with a warning. */
export function truncate_sequences(
  ids: readonly number[],
  pair_ids: readonly number[] | null,
  options: TruncateOptions,
  side: Side,
): [number[], number[] | null, number[]] {
  const { num_tokens_to_remove: count = 0, truncation_strategy: strategy = "longest_first", stride = 0 } = options;
  const pair = pair_ids && [...pair_ids];
  if (count <= 0 || strategy === "do_not_truncate") return [[...ids], pair, []];
  const too_short = (which: string, length: number, other?: string) => {
    const advice =
      other &&
      `Please select another truncation strategy than TruncationStrategy.${strategy.toUpperCase()}, for instance 'longest_first' or '${other}'.`;
    warn_once(
      `We need to remove ${count} to truncate the input but the ${which} sequence has a length ${length}. ${advice ?? ""}`,
    );
  };
  if (strategy === "only_first" || (strategy === "longest_first" && !pair)) {
    if (ids.length <= count) {
      too_short("first", ids.length, strategy === "only_first" ? "only_second" : undefined);
      return [[...ids], pair, []];
    }
    const [kept, over] = cut(ids, count, stride, side);
    return [kept, pair, over];
  }
  if (strategy === "only_second") {
    if (!pair || pair.length <= count) {
      if (pair) too_short("second", pair.length, "only_first");
      return [[...ids], pair, []];
    }
    const [kept, over] = cut(pair, count, stride, side);
    return [[...ids], kept, over];
  }
  warn_once(
    "Be aware, overflowing tokens are not returned for the setting you have chosen, i.e. sequence pairs with the" +
      " 'longest_first' truncation strategy. So the returned list will always be empty even if some tokens have been removed.",
  );
  // The longer one gives way down to the other's length, then both in turn.
  const difference = Math.min(Math.abs(pair!.length - ids.length), count);
  const half = Math.floor((count - difference) / 2);
  const rest = count - difference - half;
  const [from_ids, from_pair] = ids.length > pair!.length ? [difference + half, rest] : [half, difference + rest];
  return [cut(ids, from_ids, 0, side)[0], cut(pair!, from_pair, 0, side)[0], []];
}

/** What else a model's input holds, of the rows as truncation left them. */
export type Beside = (ids: readonly number[], pair_ids: readonly number[] | null, plan: Strategies) => object;

/** Python's prepare_for_model: ids, already made, to a model's input; `beside` adds fields behind the ids. */
export function prepare_for_model(
  tokenizer: PreTrainedTokenizerBase,
  ids: readonly number[],
  pair_ids: readonly number[] | null,
  options: EncodeOptions & { prepend_batch_axis?: boolean },
  beside?: Beside,
): BatchEncoding {
  const { add_special_tokens = true, stride = 0, prepend_batch_axis = false, ...rest } = options;
  check_options(rest);
  check_numbers(options);
  const plan = strategies(rest, tokenizer);
  const { padding, truncation, max_length } = plan;
  if (options.return_token_type_ids && !add_special_tokens) {
    throw new TypeError(
      "Asking to return token_type_ids while setting add_special_tokens to False results in an undefined behavior." +
        " Please set add_special_tokens to True or set return_token_type_ids to None.",
    );
  }
  if (options.return_overflowing_tokens && truncation === "longest_first" && pair_ids) {
    throw new TypeError(
      "Not possible to return overflowing tokens for pair of sequences with the `longest_first`. Please select another" +
        " truncation strategy than `longest_first`, for instance `only_second` or `only_first`.",
    );
  }
  const special = add_special_tokens ? tokenizer.num_special_tokens_to_add(pair_ids !== null) : 0;
  const total = ids.length + (pair_ids?.length ?? 0) + special;
  const count = truncation !== "do_not_truncate" && max_length ? total - max_length : 0;
  const truncate = { num_tokens_to_remove: count, truncation_strategy: truncation, stride };
  const [first, second, overflowing] = tokenizer.truncate_sequences(ids, pair_ids, truncate);

  const data: Record<string, unknown> = {};
  if (options.return_overflowing_tokens) {
    data["overflowing_tokens"] = overflowing;
    data["num_truncated_tokens"] = total - (max_length ?? 0);
  }
  const pair = second ?? undefined;
  const row = add_special_tokens
    ? tokenizer.build_inputs_with_special_tokens(first, pair)
    : [...first, ...(pair ?? [])];
  data["input_ids"] = row;
  Object.assign(data, beside?.(first, second, plan));
  if (options.return_token_type_ids ?? tokenizer.model_input_names.includes("token_type_ids")) {
    data["token_type_ids"] = add_special_tokens
      ? tokenizer.create_token_type_ids_from_sequences(first, pair)
      : row.map(() => 0);
  }
  if (options.return_special_tokens_mask) {
    data["special_tokens_mask"] = add_special_tokens
      ? tokenizer.get_special_tokens_mask(first, { token_ids_1: pair })
      : row.map(() => 0);
  }
  const with_mask = options.return_attention_mask ?? tokenizer.model_input_names.includes("attention_mask");
  const padded =
    padding !== "do_not_pad" || with_mask
      ? tokenizer.pad(data, {
          ...rest,
          padding,
          max_length,
          return_attention_mask: with_mask,
          return_tensors: null,
          return_tensor: false,
        }).data
      : data;
  if (options.return_length) padded["length"] = (padded["input_ids"] as number[]).length;
  return new BatchEncoding(padded, null, {
    tensor_type: options.return_tensors ?? options.return_tensor,
    prepend_batch_axis,
  });
}

import { TransformersError, warn_once } from "../errors.js";
import type { MaskOptions } from "./base.js";
import { PreTrainedTokenizer } from "./slow.js";

/** Ids around a text; `between` stands between two, null where nothing does. */
export interface Ends {
  first: readonly number[];
  between: readonly number[] | null;
  last: readonly number[];
}

/** A tokenizer without a fast form that puts special tokens around texts. */
export abstract class TokenizerWithEnds extends PreTrainedTokenizer {
  /** Whether `token_type_ids` are all 0, whatever the number of texts. */
  static readonly types_are_zero: boolean = false;

  protected abstract _ends(has_pair: boolean): Ends;

  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    const { first, between, last } = this._ends(pair !== undefined);
    return pair ? [...first, ...ids, ...(between ?? []), ...pair, ...last] : [...first, ...ids, ...last];
  }

  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (options.already_has_special_tokens) return super.get_special_tokens_mask(ids, options);
    const pair = options.token_ids_1;
    const { first, between, last } = this._ends(pair !== undefined);
    const ones = (row: readonly number[]) => row.map(() => 1);
    const zeros = (row: readonly number[]) => row.map(() => 0);
    const second = pair ? [...ones(between ?? []), ...zeros(pair)] : [];
    return [...ones(first), ...zeros(ids), ...second, ...ones(last)];
  }

  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    if (!(this.constructor as typeof TokenizerWithEnds).types_are_zero)
      return super.create_token_type_ids_from_sequences(ids, pair);
    return new Array<number>(this.build_inputs_with_special_tokens(ids, pair).length).fill(0);
  }
}

/** `text </s>`, where a text that ends so already gets no second one: T5's kind. */
export abstract class TokenizerWithEos extends TokenizerWithEnds {
  static override readonly types_are_zero = true;

  protected override _ends(): Ends {
    return { first: [], between: [this.eos_token_id!], last: [this.eos_token_id!] };
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    return [ids, ...(pair ? [pair] : [])].flatMap((row) => with_eos(this, row));
  }

  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    return new Array<number>(ids.length + 1 + (pair ? pair.length + 1 : 0)).fill(0);
  }
}

/** The row with an eos token at its end, and a warning if it has one. */
export function with_eos(tokenizer: PreTrainedTokenizer, row: readonly number[]): readonly number[] {
  if (row.at(-1) !== tokenizer.eos_token_id) return [...row, tokenizer.eos_token_id!];
  warn_once(
    `This sequence already has ${tokenizer.eos_token}. In future versions this behavior may lead to duplicated eos tokens being added.`,
  );
  return row;
}

/** Pieces are never sampled here. */
export function refuse_sampling(sp_model_kwargs: unknown): void {
  if (Object.keys((sp_model_kwargs ?? {}) as object).length > 0)
    throw new TransformersError("sp_model_kwargs is not supported: pieces are never sampled", "not_supported");
}

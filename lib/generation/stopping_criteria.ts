// Stopping criteria: the base of those that callers write, and the library's own under Python's names.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/stopping_criteria.py
import { Callable } from "../callable.js";
import { expected, warn_once } from "../errors.js";
import { type Ids, to_rows } from "../models/inputs.js";
import type { NativeTokenStrings } from "../native.js";
import { is_tensor, type Tensor } from "../tensor/index.js";
import { flags_of, HookList } from "./hook_list.js";
import type { HookIds } from "./logits_process.js";
import { token_strings } from "./stop_strings.js";

/** The scores of the last step, [rows, vocabulary], or those of all steps. */
export type CriterionScores = Tensor | readonly Tensor[] | null | undefined;
type CriterionIds = HookIds | Ids;

export interface StoppingCriteria {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  (input_ids: CriterionIds, scores?: CriterionScores): boolean[] | boolean | Tensor;
}

/** Says for each row whether it is done. A subclass writes `_call`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
export abstract class StoppingCriteria extends Callable<
  [input_ids: HookIds, scores: Tensor],
  boolean[] | boolean | Tensor
> {
  abstract override _call(input_ids: HookIds, scores: Tensor): boolean[] | boolean | Tensor;
}

export interface StoppingCriteriaList {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  (input_ids: CriterionIds, scores?: CriterionScores): boolean[];
}

/** Criteria of which one is enough; itself to be called like one. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
export class StoppingCriteriaList extends HookList<StoppingCriteria, [CriterionIds, CriterionScores?], boolean[]> {
  override _call(input_ids: CriterionIds, scores?: CriterionScores): boolean[] {
    const rows = row_count(input_ids);
    const done = new Array<boolean>(rows).fill(false);
    for (const criterion of this)
      for (const [row, flag] of flags_of(criterion(input_ids, scores), rows).entries()) done[row] ||= flag;
    return done;
  }

  /** That of the first MaxLengthCriteria; undefined if there is none. */
  get max_length(): number | undefined {
    for (const criterion of this) if (criterion instanceof MaxLengthCriteria) return criterion.max_length;
    return undefined;
  }
}

const row_count = (ids: CriterionIds): number => (is_tensor(ids) ? ids.dims[0] : (ids as ArrayLike<unknown>).length);
const fill = (ids: CriterionIds, done: boolean): boolean[] => new Array<boolean>(row_count(ids)).fill(done);

/** Ends all rows at a length in tokens, the prompt counted. */
export class MaxLengthCriteria extends StoppingCriteria {
  constructor(
    readonly max_length: number,
    readonly max_position_embeddings: number | null = null,
  ) {
    super();
    if (!Number.isInteger(max_length)) throw expected("an integer", "max_length", max_length);
  }

  override _call(input_ids: CriterionIds): boolean[] {
    const length = to_rows(input_ids, "input_ids")[0].length;
    const done = length >= this.max_length;
    if (this.max_position_embeddings !== null && !done && length > this.max_position_embeddings)
      warn_once(
        `This is a friendly reminder - the current text generation call has exceeded the model's predefined maximum length (${this.max_position_embeddings}). Depending on the model, you may observe exceptions, performance degradation, or nothing at all.`,
      );
    return fill(input_ids, done);
  }
}

/** Ends all rows after some seconds, counted from `initial_timestamp` (seconds since 1970; default: now). */
export class MaxTimeCriteria extends StoppingCriteria {
  readonly initial_timestamp: number;

  constructor(
    readonly max_time: number,
    initial_timestamp?: number | null,
  ) {
    super();
    if (typeof max_time !== "number") throw expected("seconds", "max_time", max_time);
    this.initial_timestamp = initial_timestamp ?? Date.now() / 1000;
  }

  /** Seconds that are left. */
  get remaining(): number {
    return this.max_time - (Date.now() / 1000 - this.initial_timestamp);
  }

  override _call(input_ids: CriterionIds): boolean[] {
    return fill(input_ids, this.remaining < 0);
  }
}

/** Ends a row whose last token is one of these. */
export class EosTokenCriteria extends StoppingCriteria {
  readonly eos_token_id: number[];

  constructor(eos_token_id: Ids | number) {
    super();
    this.eos_token_id =
      typeof eos_token_id === "number"
        ? [eos_token_id]
        : to_rows(eos_token_id, "eos_token_id").flatMap((row) => Array.from(row));
  }

  override _call(input_ids: CriterionIds): boolean[] {
    return to_rows(input_ids, "input_ids").map((row) => this.eos_token_id.includes(row[row.length - 1]));
  }
}

/** Ends a row whose text ends with one of these strings, text behind it in the last token allowed. */
export class StopStringCriteria extends StoppingCriteria {
  readonly stop_strings: string[];
  readonly token_strings: NativeTokenStrings;

  constructor(tokenizer: unknown, stop_strings: string | string[]) {
    super();
    this.stop_strings = typeof stop_strings === "string" ? [stop_strings] : stop_strings;
    this.token_strings = token_strings(tokenizer);
    this.token_strings.ends_with(this.stop_strings, []);
  }

  override _call(input_ids: CriterionIds): boolean[] {
    return this.token_strings.ends_with(this.stop_strings, to_rows(input_ids, "input_ids"));
  }
}

/** Ends everything when the first row's last token was less probable than this. */
export class ConfidenceCriteria extends StoppingCriteria {
  constructor(readonly assistant_confidence_threshold: number) {
    super();
  }

  override _call(input_ids: CriterionIds, scores: CriterionScores): boolean {
    const last = is_tensor(scores) ? scores : scores?.[scores.length - 1];
    if (!last) throw expected("the scores of the last step", "scores", scores);
    const [ids] = to_rows(input_ids, "input_ids");
    const row = (last.data as Float32Array).subarray(0, last.dims[last.dims.length - 1]);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, score) => sum + Math.exp(score - most), 0);
    return Math.exp(row[ids[ids.length - 1]] - most) / total < this.assistant_confidence_threshold;
  }
}

/** Stops when the program says so. An AbortSignal does the same without a call for each token. */
export class InterruptableStoppingCriteria extends StoppingCriteria {
  interrupted = false;

  interrupt(): void {
    this.interrupted = true;
  }

  reset(): void {
    this.interrupted = false;
  }

  override _call(input_ids: CriterionIds): boolean[] {
    return fill(input_ids, this.interrupted);
  }
}

/** A list that ends at `max_length` at the latest; warns when its own length is another. */
export function validate_stopping_criteria(criteria: StoppingCriteriaList, max_length: number): StoppingCriteriaList {
  const own = criteria.max_length;
  const result = new StoppingCriteriaList(criteria);
  if (own === undefined) result.push(new MaxLengthCriteria(max_length));
  else if (own !== max_length)
    warn_once("You set different `max_length` for stopping criteria and `max_length` parameter");
  return result;
}

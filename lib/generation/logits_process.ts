// Logits processors: the base of those that callers write, and the library's own under Python's names.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/logits_process.py
import { Callable } from "../callable.js";
import { expected, out_of_range } from "../errors.js";
import { type Ids, to_rows } from "../models/inputs.js";
import { type LogitsProcessorSpec, native } from "../native.js";
import { is_tensor, Tensor, tensor } from "../tensor/index.js";
import { HookList } from "./hook_list.js";
import { check_bad_words, check_sequence_bias, check_temperature } from "./native_options.js";
import type { WatermarkingConfig } from "./watermarking.js";

/** Rows of token ids, as generate() gives them to a processor or criterion (bigint, as in transformers.js). */
export type HookIds = bigint[][];

export interface LogitsProcessor {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  (input_ids: HookIds | Ids, scores: Tensor): Tensor;
}

/**
 * Changes the scores of the next token. A subclass writes `_call`, which may change `scores` [rows, vocabulary] in place
 * or return others.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
// biome-ignore lint/suspicious/noConfusingVoidType: a processor that works in place returns nothing
export abstract class LogitsProcessor extends Callable<[input_ids: HookIds, scores: Tensor], Tensor | void> {
  // biome-ignore lint/suspicious/noConfusingVoidType: a processor that works in place returns nothing
  abstract override _call(input_ids: HookIds, scores: Tensor): Tensor | void;
}

/** A processor that Python runs only when sampling. */
export abstract class LogitsWarper extends LogitsProcessor {}

export interface LogitsProcessorList {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  (input_ids: HookIds | Ids, scores: Tensor, ...more: unknown[]): Tensor;
}

/** Processors one after another; itself to be called like one. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the instances are functions (Callable)
export class LogitsProcessorList extends HookList<LogitsProcessor, [HookIds | Ids, Tensor, ...unknown[]], Tensor> {
  override _call(input_ids: HookIds | Ids, scores: Tensor, ...more: unknown[]): Tensor {
    for (const processor of this) {
      const call = processor as unknown as { _call(...args: unknown[]): Tensor | undefined };
      scores = call._call(input_ids, scores, ...more) ?? scores;
    }
    return scores;
  }
}

type Named = Record<string, unknown>;

/** One of the library's own: generate() runs it in C++. Called by itself it returns new scores. */
export abstract class BuiltInLogitsProcessor extends LogitsProcessor {
  /** Its class in C++ and the arguments. */
  readonly spec: LogitsProcessorSpec;

  constructor(name: string, args: Named) {
    super();
    this.spec = { class: name, ...args };
    native().check_logits_processor(this.spec);
  }

  /** What C++ runs for a processor; undefined for one that a caller wrote, be it a subclass of the library's. */
  static spec_of(processor: unknown): LogitsProcessorSpec | undefined {
    if (!(processor instanceof BuiltInLogitsProcessor)) return undefined;
    return BUILT_IN[processor.spec.class] === processor.constructor ? processor.spec : undefined;
  }

  override _call(input_ids: HookIds | Ids, scores: Tensor): Tensor {
    const rows = to_rows(input_ids, "input_ids");
    const given = is_tensor(scores) ? scores : tensor(scores as unknown as number[][]);
    const data = Float32Array.from(given.data as Float32Array);
    return new Tensor("float32", native().process_logits([this.spec], rows, data), [...given.dims]);
  }
}

/** Of warpers: what removed scores become (default -Infinity), and how many tokens stay at least (default 1). */
export interface FilterOptions {
  filter_value?: number;
  min_tokens_to_keep?: number;
}

type TokenIds = number | number[];

export class TemperatureLogitsWarper extends BuiltInLogitsProcessor {
  constructor(temperature: number) {
    check_temperature(temperature);
    super("TemperatureLogitsWarper", { temperature });
  }
}

export class TopKLogitsWarper extends BuiltInLogitsProcessor {
  constructor(top_k: number, options: FilterOptions = {}) {
    super("TopKLogitsWarper", { top_k, ...options });
  }
}

export class TopPLogitsWarper extends BuiltInLogitsProcessor {
  constructor(top_p: number, options: FilterOptions = {}) {
    super("TopPLogitsWarper", { top_p, ...options });
  }
}

export class MinPLogitsWarper extends BuiltInLogitsProcessor {
  constructor(min_p: number, options: FilterOptions = {}) {
    super("MinPLogitsWarper", { min_p, ...options });
  }
}

export class TypicalLogitsWarper extends BuiltInLogitsProcessor {
  constructor(mass = 0.9, options: FilterOptions = {}) {
    super("TypicalLogitsWarper", { mass, ...options });
  }
}

export class EpsilonLogitsWarper extends BuiltInLogitsProcessor {
  constructor(epsilon: number, options: FilterOptions = {}) {
    check_kept(options);
    super("EpsilonLogitsWarper", { epsilon, ...options });
  }
}

export class EtaLogitsWarper extends BuiltInLogitsProcessor {
  constructor(epsilon: number, options: FilterOptions = {}) {
    check_kept(options);
    super("EtaLogitsWarper", { epsilon, ...options });
  }
}

export class RepetitionPenaltyLogitsProcessor extends BuiltInLogitsProcessor {
  /** `prompt_ignore_length`: tokens at the beginning that are not penalised. */
  constructor(penalty: number, prompt_ignore_length?: number | null) {
    if (prompt_ignore_length !== undefined && prompt_ignore_length !== null)
      check_count(prompt_ignore_length, 0, "`prompt_ignore_length` has to be a positive integer");
    super("RepetitionPenaltyLogitsProcessor", { penalty, prompt_ignore_length: prompt_ignore_length ?? 0 });
  }
}

export class EncoderRepetitionPenaltyLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(penalty: number, encoder_input_ids: Ids) {
    const rows = to_rows(encoder_input_ids, "encoder_input_ids");
    super("EncoderRepetitionPenaltyLogitsProcessor", { penalty, encoder_input_ids: rows });
  }
}

export class NoRepeatNGramLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(ngram_size: number) {
    check_count(ngram_size, 1, "`ngram_size` has to be a strictly positive integer");
    super("NoRepeatNGramLogitsProcessor", { ngram_size });
  }
}

export class EncoderNoRepeatNGramLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(encoder_ngram_size: number, encoder_input_ids: Ids) {
    check_count(encoder_ngram_size, 1, "`encoder_ngram_size` has to be a strictly positive integer");
    const rows = to_rows(encoder_input_ids, "encoder_input_ids");
    super("EncoderNoRepeatNGramLogitsProcessor", { encoder_ngram_size, encoder_input_ids: rows });
  }
}

export class SequenceBiasLogitsProcessor extends BuiltInLogitsProcessor {
  /** Pairs of token ids and the bias of the last of them after the others. */
  constructor(sequence_bias: [number[], number][]) {
    check_sequence_bias(sequence_bias);
    super("SequenceBiasLogitsProcessor", { sequence_bias });
  }
}

export class NoBadWordsLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(bad_words_ids: number[][], eos_token_id: TokenIds | null = null) {
    check_bad_words(bad_words_ids);
    super("NoBadWordsLogitsProcessor", { bad_words_ids, eos_token_id });
  }
}

export class MinLengthLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(min_length: number, eos_token_id: TokenIds) {
    check_count(min_length, 0, "`min_length` has to be a non-negative integer");
    super("MinLengthLogitsProcessor", { min_length, eos_token_id });
  }
}

export class MinNewTokensLengthLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(prompt_length_to_skip: number, min_new_tokens: number, eos_token_id: TokenIds) {
    check_count(prompt_length_to_skip, 0, "`prompt_length_to_skip` has to be a positive integer");
    check_count(min_new_tokens, 0, "`min_new_tokens` has to be a positive integer");
    super("MinNewTokensLengthLogitsProcessor", { prompt_length_to_skip, min_new_tokens, eos_token_id });
  }
}

export class ForcedBOSTokenLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(bos_token_id: number) {
    super("ForcedBOSTokenLogitsProcessor", { bos_token_id });
  }
}

export class ForcedEOSTokenLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(max_length: number, eos_token_id: TokenIds) {
    super("ForcedEOSTokenLogitsProcessor", { max_length, eos_token_id });
  }
}

export class InfNanRemoveLogitsProcessor extends BuiltInLogitsProcessor {
  constructor() {
    super("InfNanRemoveLogitsProcessor", {});
  }
}

export class ExponentialDecayLengthPenalty extends BuiltInLogitsProcessor {
  /** `exponential_decay_length_penalty`: [tokens after the prompt, factor]. */
  constructor(
    exponential_decay_length_penalty: [number, number],
    eos_token_id: TokenIds,
    input_ids_seq_length: number,
  ) {
    const args = { exponential_decay_length_penalty, eos_token_id, input_ids_seq_length };
    super("ExponentialDecayLengthPenalty", args);
  }
}

export class SuppressTokensLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(suppress_tokens: number[]) {
    super("SuppressTokensLogitsProcessor", { suppress_tokens });
  }
}

export class SuppressTokensAtBeginLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(begin_suppress_tokens: number[], begin_index: number) {
    super("SuppressTokensAtBeginLogitsProcessor", { begin_suppress_tokens, begin_index });
  }

  set_begin_index(begin_index: number): void {
    (this.spec as Named)["begin_index"] = begin_index;
  }
}

export class LogitNormalization extends BuiltInLogitsProcessor {
  constructor() {
    super("LogitNormalization", {});
  }
}

export class WatermarkLogitsProcessor extends BuiltInLogitsProcessor {
  constructor(vocab_size: number, settings: Partial<WatermarkingConfig> = {}) {
    super("WatermarkLogitsProcessor", { ...settings, vocab_size });
  }
}

const BUILT_IN: Record<string, unknown> = {
  ...{ TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, MinPLogitsWarper, TypicalLogitsWarper },
  ...{ EpsilonLogitsWarper, EtaLogitsWarper, RepetitionPenaltyLogitsProcessor, NoRepeatNGramLogitsProcessor },
  ...{ EncoderRepetitionPenaltyLogitsProcessor, EncoderNoRepeatNGramLogitsProcessor, SequenceBiasLogitsProcessor },
  ...{ NoBadWordsLogitsProcessor, MinLengthLogitsProcessor, MinNewTokensLengthLogitsProcessor },
  ...{ ForcedBOSTokenLogitsProcessor, ForcedEOSTokenLogitsProcessor, InfNanRemoveLogitsProcessor },
  ...{ ExponentialDecayLengthPenalty, SuppressTokensLogitsProcessor, SuppressTokensAtBeginLogitsProcessor },
  ...{ LogitNormalization, WatermarkLogitsProcessor },
};

/** Rows [rows, vocabulary] of scores, to be read one by one. */
function rows_of(scores: Tensor): Float32Array[] {
  const [rows, size] = scores.dims;
  return Array.from({ length: rows }, (_, i) => (scores.data as Float32Array).subarray(i * size, (i + 1) * size));
}

/** Leaves the tokens that `prefix_allowed_tokens_fn(batch_id, ids)` names for each row. */
export class PrefixConstrainedLogitsProcessor extends LogitsProcessor {
  constructor(
    readonly prefix_allowed_tokens_fn: (batch_id: number, input_ids: number[]) => number[],
    readonly num_beams: number,
  ) {
    super();
    if (typeof prefix_allowed_tokens_fn !== "function")
      throw expected("a function", "prefix_allowed_tokens_fn", prefix_allowed_tokens_fn);
  }

  override _call(input_ids: HookIds | Ids, scores: Tensor): Tensor {
    const result = new Tensor("float32", new Float32Array(scores.data.length).fill(-Infinity), [...scores.dims]);
    const [from, to] = [rows_of(scores), rows_of(result)];
    for (const [row, ids] of to_rows(input_ids, "input_ids").entries()) {
      const batch_id = Math.floor(row / this.num_beams);
      const allowed = this.prefix_allowed_tokens_fn(batch_id, Array.from(ids));
      if (allowed.length === 0)
        throw new TypeError(
          `\`prefix_allowed_tokens_fn\` returned an empty list for batch ID ${batch_id}. This means that the constraint is unsatisfiable. Please check your implementation of \`prefix_allowed_tokens_fn\``,
        );
      for (const token of allowed) {
        if (!(token in to[row])) throw out_of_range(`ids below ${to[row].length}`, "prefix_allowed_tokens_fn", token);
        to[row][token] = from[row][token];
      }
    }
    return result;
  }
}

/**
 * Group beam search of Python's releases before 4.57: tokens that earlier groups of a prompt's beams chose at this step
 * lose `diversity_penalty` for each time.
 */
export class HammingDiversityLogitsProcessor extends LogitsProcessor {
  private readonly group_size: number;

  constructor(
    readonly diversity_penalty: number,
    readonly num_beams: number,
    num_beam_groups: number,
  ) {
    super();
    if (!(diversity_penalty > 0)) throw new RangeError("`diversity_penalty` should be a float strictly larger than 0.");
    for (const [name, value] of Object.entries({ num_beams, num_beam_groups }))
      if (!(Number.isInteger(value) && value > 1))
        throw new RangeError(`\`${name}\` should be an integer strictly larger than 1.`);
    if (num_beam_groups > num_beams) throw new RangeError("`beam_groups` has to be smaller or equal to `num_beams`.");
    this.group_size = Math.floor(num_beams / num_beam_groups);
  }

  /** `scores`: of one group; `current_tokens`: what the groups before it chose, `num_beams` for each prompt. */
  override _call(_ids: HookIds | Ids, scores: Tensor, current_tokens?: Ids, beam_group_idx?: number): Tensor {
    if (current_tokens === undefined || beam_group_idx === undefined)
      throw new TypeError(
        "Make sure that all the required parameters: ['current_tokens', 'beam_group_idx'] are passed to the logits processor.",
      );
    const [tokens] = to_rows(current_tokens, "current_tokens");
    const first = beam_group_idx * this.group_size;
    const size = Math.min(first + this.group_size, this.num_beams) - first;
    const result = new Tensor("float32", Float32Array.from(scores.data as Float32Array), [...scores.dims]);
    for (const [row, values] of rows_of(result).entries()) {
      const prompt = Math.floor(row / size) * this.num_beams;
      for (const token of tokens.subarray(prompt, prompt + first)) values[token] -= this.diversity_penalty;
    }
    return result;
  }
}

/** Moves the first half of the rows away from the second, which was made without the prompt. */
export class ClassifierFreeGuidanceLogitsProcessor extends LogitsProcessor {
  constructor(readonly guidance_scale: number) {
    super();
    if (!(guidance_scale > 1))
      throw new RangeError(
        `Require guidance scale >1 to use the classifier free guidance processor, got guidance scale ${guidance_scale}.`,
      );
  }

  override _call(input_ids: HookIds | Ids, scores: Tensor): Tensor {
    const rows = rows_of(scores);
    const count = to_rows(input_ids, "input_ids").length;
    if (rows.length !== 2 * count)
      throw new RangeError(
        `Logits should have twice the batch size of the input ids, the first half of batches corresponding to the conditional inputs, and the second half of batches corresponding to the unconditional inputs. Got batch size ${rows.length} for the logits and ${count} for the input ids.`,
      );
    const result = new Float32Array(scores.data.length / 2);
    for (let row = 0; row < count; row++)
      for (const [token, other] of rows[row + count].entries())
        result[row * rows[0].length + token] = other + (rows[row][token] - other) * this.guidance_scale;
    return new Tensor("float32", result, [count, rows[0].length]);
  }
}

function check_kept({ min_tokens_to_keep = 1 }: FilterOptions): void {
  check_count(min_tokens_to_keep, 1, "`min_tokens_to_keep` has to be a strictly positive integer");
}

function check_count(value: unknown, least: number, what: string): void {
  if (!(Number.isInteger(value) && (value as number) >= least)) throw new RangeError(`${what}, but is ${value}`);
}

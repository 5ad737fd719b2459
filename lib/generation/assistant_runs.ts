// An assistant that has another tokenizer is asked in JavaScript: its calls, one after another over one cache.
import type { NativeAssistant, NativeGeneratingEngine, NativeGenerationOptions } from "../native.js";
import { run_request } from "./request.js";

/** What an assistant made of a row. */
export interface Continued {
  /** The row with what it added. */
  sequence: number[];
  /** Of each new token the scores of all tokens, where they were asked for. */
  scores: Float32Array[];
}

export class AssistantRuns {
  /** The call under way: the cache is its until it ends. */
  under_way: Promise<unknown> = Promise.resolve();
  private cache: number | undefined;

  /** `min_length`: of the model's row. */
  constructor(
    private readonly engine: NativeGeneratingEngine,
    readonly assistant: Omit<NativeAssistant, "engine">,
    private readonly min_length: number,
    private readonly signals: AbortSignal[],
  ) {}

  /**
   * Continues the assistant's tokens by at most `count`. The first `known` of them are as they were in the call before.
   * `length`: of the model's row, which counts for `min_length`.
   */
  async go_on(
    ids: number[],
    known: number,
    count: number,
    more: NativeGenerationOptions = {},
    length = ids.length,
  ): Promise<Continued> {
    const { options, max_positions, confidence_threshold } = this.assistant;
    const most = Math.min(count, max_positions - ids.length);
    if (most <= 0) return { sequence: ids, scores: [] };
    const own = {
      ...options,
      is_assistant: true,
      assistant_confidence_threshold: confidence_threshold,
      max_length: ids.length + most,
      min_new_tokens: Math.max(Math.min(most, this.min_length - length), 0),
      return_dict_in_generate: true,
      output_scores: false,
      output_logits: false,
      use_cache: true,
      ...more,
    };
    const continued =
      this.cache === undefined ? {} : { cache: this.cache, cache_length: Math.min(known, ids.length - 1) };
    const request = { input_ids: [Int32Array.from(ids)], options: own, ...continued };
    const listeners = { rows: 1, call: { push() {} }, signals: this.signals };
    const result = await run_request(this.engine, request, listeners);
    this.cache = result.cache;
    return { sequence: Array.from(result.sequences[0]), scores: result.scores ?? [] };
  }

  /** Frees the cache, when the last call has ended. */
  end(): void {
    void this.under_way.then(() => this.cache !== undefined && this.engine.release_cache(this.cache));
  }
}

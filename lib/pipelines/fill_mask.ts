// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/fill_mask.py
import { expected, out_of_range, warn_once } from "../errors.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { Tensor } from "../tensor/index.js";
import { top_lines } from "../tensor/topk.js";
import type { EncodeOptions } from "../tokenization/options.js";
import {
  type Fields,
  given,
  type Kwargs,
  no_more,
  Pipeline,
  type PipelineCallOptions,
  PipelineException,
  type StageParameters,
} from "./base.js";

export interface FillMaskSingle {
  /** The probability of the token. */
  score: number;
  token: number;
  token_str: string;
  /** The text with the token in place of the mask. */
  sequence: string;
}
export type FillMaskOutput = FillMaskSingle[];

export interface FillMaskPipelineOptions extends PipelineCallOptions {
  /** How many tokens for each mask. Default: 5. */
  top_k?: number;
  /** Only these tokens; of a word that is no token the first one counts, with a warning. */
  targets?: string | readonly string[];
  tokenizer_kwargs?: EncodeOptions;
}

/** One text with one mask: its tokens. A text with several masks gives a list for each, `FillMaskOutput[]`. */
export type FillMaskPipelineResult<T> = T extends string
  ? FillMaskOutput
  : T extends readonly unknown[]
    ? FillMaskOutput[]
    : AsyncGenerator<FillMaskOutput>;

export interface FillMaskPipeline {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  <T extends string | Iterable<string> | AsyncIterable<string>>(
    texts: T,
    options?: FillMaskPipelineOptions,
  ): Promise<FillMaskPipelineResult<T>>;
}

/**
 * The likeliest tokens for the mask in a text, by an `AutoModelForMaskedLM`.
 *
 * ```ts
 * const unmasker = await pipeline("fill-mask", "google-bert/bert-base-uncased");
 * await unmasker("The man worked as a [MASK].");            // [{ score, token, token_str, sequence }, …], five of them
 * await unmasker("It was a [MASK] day.", { targets: ["good", "bad"] });
 * ```
 * As in Python, a list of one text gives that text's result, not a list of one.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class FillMaskPipeline extends Pipeline<string, FillMaskOutput | FillMaskOutput[]> {
  static override rows_are_independent = true;

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { top_k, targets, tokenizer_kwargs, ...rest } = kwargs;
    no_more(rest, this.task);
    const tokenizer = this.require_tokenizer();
    if (top_k !== undefined && top_k !== null && !(Number.isInteger(top_k) && (top_k as number) >= 0))
      throw expected("a whole number from 0", "top_k", top_k);
    if (tokenizer_kwargs !== undefined && (typeof tokenizer_kwargs !== "object" || Array.isArray(tokenizer_kwargs)))
      throw expected("an object of the tokenizer's options", "tokenizer_kwargs", tokenizer_kwargs);
    const target_ids = targets === undefined || targets === null ? undefined : this.get_target_ids(targets);
    if (tokenizer.mask_token_id === null) throw this.exception("The tokenizer does not define a `mask_token`.");
    return { preprocess: given({ tokenizer_kwargs }), postprocess: given({ top_k, target_ids }) };
  }

  private exception(reason: string): PipelineException {
    return new PipelineException(
      "fill-mask",
      (this.model.constructor as typeof PreTrainedModel).base_model_prefix,
      reason,
    );
  }

  private get_target_ids(targets: unknown): number[] {
    const list: unknown[] = Array.isArray(targets) ? targets : [targets];
    const tokenizer = this.require_tokenizer();
    const vocabulary = tokenizer.get_vocab();
    const ids = new Set<number>();
    for (const target of list) {
      if (typeof target !== "string") throw expected("a string or a list of strings", "targets", targets);
      if (Object.hasOwn(vocabulary, target)) {
        ids.add(vocabulary[target]);
        continue;
      }
      const [first] = tokenizer.encode(target, { add_special_tokens: false });
      if (first === undefined) {
        warn_once(
          `The specified target token \`${target}\` does not exist in the model vocabulary. We cannot replace it with anything meaningful, ignoring it`,
        );
        continue;
      }
      warn_once(
        `The specified target token \`${target}\` does not exist in the model vocabulary. Replacing with \`${tokenizer.convert_ids_to_tokens(first)}\`.`,
      );
      ids.add(first);
    }
    if (ids.size === 0) throw new RangeError("At least one target must be provided when passed.");
    return [...ids];
  }

  override async _call(inputs: unknown, options: Kwargs = {}): Promise<unknown> {
    const outputs = await super._call(inputs, options);
    return Array.isArray(inputs) && inputs.length === 1 ? (outputs as unknown[])[0] : outputs;
  }

  override preprocess(input: string, parameters: Kwargs): Fields {
    if (typeof input !== "string") throw expected("a text or a list of texts", "inputs", input);
    const tokenizer = this.require_tokenizer();
    const encoded = tokenizer(input, { ...(parameters["tokenizer_kwargs"] as object), return_tensors: "pt" });
    if (this.masks_of(encoded["input_ids"].tolist()[0]).length === 0)
      throw this.exception(`No mask_token (${tokenizer.mask_token}) found on the input`);
    return encoded;
  }

  private masks_of(ids: number[]): number[] {
    const mask = this.require_tokenizer().mask_token_id;
    return ids.flatMap((id, position) => (id === mask ? [position] : []));
  }

  override async _forward(batch: Fields): Promise<Fields> {
    const { logits } = await this.run_model(batch);
    return { logits, input_ids: batch["input_ids"] };
  }

  override postprocess(outputs: Fields, parameters: Kwargs): FillMaskOutput | FillMaskOutput[] {
    const { top_k = 5, target_ids } = parameters as { top_k?: number; target_ids?: number[] };
    const tokenizer = this.require_tokenizer();
    const logits = (outputs["logits"] as Tensor)[0];
    const [ids] = (outputs["input_ids"] as Tensor).tolist() as number[][];
    const vocabulary = logits.dims[1];
    if (!target_ids && top_k > vocabulary) throw out_of_range(`a number up to ${vocabulary}`, "top_k", top_k);
    const masks = this.masks_of(ids);
    const rows = masks.map((position) => {
      const scores = logits[position].softmax().data as Float32Array;
      return best(scores, target_ids, top_k).map((token) => {
        const filled = ids.with(position, token).filter((id) => id !== tokenizer.pad_token_id);
        return {
          score: scores[token],
          token,
          token_str: tokenizer.decode([token]),
          sequence: tokenizer.decode(filled, { skip_special_tokens: masks.length === 1 }),
        };
      });
    });
    return rows.length === 1 ? rows[0] : rows;
  }
}

/** The ids of the highest scores, best first, among the candidates or all. */
function best(scores: Float32Array, candidates: number[] | undefined, top_k: number): number[] {
  if (candidates) return [...candidates].sort((a, b) => scores[b] - scores[a]).slice(0, top_k);
  const [, indices] = top_lines({ type: "float32", dims: [scores.length], data: scores }, top_k);
  return Array.from(indices.data as BigInt64Array, Number);
}

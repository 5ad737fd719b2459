// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/token_classification.py
import { expected, warn_once } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import type { OffsetsUnit, Span } from "../tokenization/encoding.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { to_tensor } from "../tokenization/tensors.js";
import {
  ChunkPipeline,
  check_kwargs,
  type Fields,
  given,
  type Kwargs,
  type NoOptions,
  no_more,
  type PipelineCallOptions,
  type Results,
  type StageParameters,
} from "./base.js";
import {
  type AggregationStrategy,
  type Grouped,
  group,
  type Labelled,
  label,
  label_words,
  STRATEGIES,
  type TokenScores,
  type Vocabulary,
  without_overlaps,
} from "./entities.js";
import { check_unit, code_points, in_unit } from "./offsets.js";

export type { AggregationStrategy } from "./entities.js";

export interface TokenClassificationPipelineOptions extends PipelineCallOptions {
  /**
   * - "none" (default): the label of each token.
   * - "simple": neighbouring tokens of one tag are an entity; "B-" begins a new one.
   * - "first", "average", "max": the same over words, so that no word is split. A word has the label of its first token,
   *   of the mean of its tokens' probabilities, or of its surest token.
   */
  aggregation_strategy?: AggregationStrategy;
  /** Labels (of groups: without "B-" and "I-") that are left out. Default: ["O"]. */
  ignore_labels?: readonly string[];
  /** Reads a long text in parts that share as many tokens, instead of cutting it. Needs a strategy. */
  stride?: number;
  /** The input is a list of words. */
  is_split_into_words?: boolean;
  /** Joins the words for the offsets. Default: " ". */
  delimiter?: string;
  /** Offsets to give instead of the tokenizer's, for each input those of its tokens. */
  offset_mapping?: readonly Span[] | readonly (readonly Span[])[];
  /** Of `start` and `end`. Default: "utf16". */
  offsets_unit?: OffsetsUnit;
  /** @deprecated `aggregation_strategy: "simple"` */
  grouped_entities?: boolean;
  /** @deprecated `aggregation_strategy: "first"`, with `grouped_entities` */
  ignore_subwords?: boolean;
}

interface Place {
  /** The token's text, or the entity's as the tokenizer joins its tokens. */
  word: string;
  score: number;
  /** In the text: `text.slice(start, end)`. */
  start: number;
  end: number;
}
export interface TokenClassificationRaw extends Place {
  entity: string;
  /** The token's place in the row that the model reads. */
  index: number;
  entity_group?: undefined;
}
export interface TokenClassificationGroup extends Place {
  entity_group: string;
  entity?: undefined;
  index?: undefined;
}

type Element<O> = O extends { aggregation_strategy: infer A }
  ? [A] extends ["none"]
    ? TokenClassificationRaw
    : "none" extends A
      ? TokenClassificationRaw | TokenClassificationGroup
      : TokenClassificationGroup
  : TokenClassificationRaw;
/** What one text gives under the options `O`; without them, either form. */
export type TokenClassificationOutput<O = { aggregation_strategy: AggregationStrategy }> = Element<O>[];

/** Options of the call go over those of the construction. */
type Merged<Defaults, O> = O extends { aggregation_strategy: unknown } ? O : Defaults;
type Result<Q, O> = O extends { is_split_into_words: true }
  ? TokenClassificationOutput<O>[]
  : Results<Q, TokenClassificationOutput<O>>;

export interface TokenClassificationPipeline<Defaults = NoOptions> {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  <
    Q extends
      | string
      | Iterable<string>
      | AsyncIterable<string>
      | Iterable<readonly string[]>
      | AsyncIterable<readonly string[]>,
    const O extends TokenClassificationPipelineOptions = NoOptions,
  >(
    texts: Q,
    options?: O,
  ): Promise<Result<Q, Merged<Defaults, O>>>;
}

/**
 * Labels for the tokens of a text, such as names of persons and places, by an `AutoModelForTokenClassification`.
 *
 * ```ts
 * const ner = await pipeline("ner", { model: "dslim/bert-base-NER", aggregation_strategy: "simple" });
 * await ner("My name is Wolfgang and I live in Berlin");
 * // [{ entity_group: "PER", score: 0.998, word: "Wolfgang", start: 11, end: 19 }, { entity_group: "LOC", … }]
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
// biome-ignore lint/correctness/noUnusedVariables: the type of the call uses it
export class TokenClassificationPipeline<Defaults = NoOptions> extends ChunkPipeline<
  string | readonly string[],
  (Labelled | Grouped)[]
> {
  static override rows_are_independent = true;

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { ignore_labels, is_split_into_words, delimiter, offset_mapping, stride, offsets_unit, ...others } = kwargs;
    const { aggregation_strategy, grouped_entities, ignore_subwords, ...rest } = others;
    no_more(rest, this.task);
    check_unit(offsets_unit);
    const strategy = strategy_of(aggregation_strategy, grouped_entities, ignore_subwords);
    const tokenizer = this.require_tokenizer();
    if (strategy && !["none", "simple"].includes(strategy) && !tokenizer.is_fast)
      throw new TypeError(
        'Slow tokenizers cannot handle subwords. Please set the `aggregation_strategy` option to `"simple"` or use a fast tokenizer.',
      );
    if (ignore_labels !== undefined && ignore_labels !== null && !Array.isArray(ignore_labels))
      throw expected("a list of labels", "ignore_labels", ignore_labels);
    if (stride !== undefined && stride !== null) check_stride(stride, strategy, tokenizer);
    return {
      preprocess: given({ is_split_into_words, delimiter, offset_mapping, stride }),
      postprocess: given({ aggregation_strategy: strategy, ignore_labels, offsets_unit }),
    };
  }

  override async _call(inputs: unknown, options: Kwargs = {}): Promise<unknown> {
    if (Array.isArray(inputs) && inputs.length === 0) throw new RangeError("At least one input is required.");
    const { offset_mapping, ...kwargs } = check_kwargs(options);
    const is_split_into_words = kwargs["is_split_into_words"] ?? this.parameters.preprocess["is_split_into_words"];
    const one =
      typeof inputs === "string" || (is_split_into_words && Array.isArray(inputs) && !inputs.every(Array.isArray));
    const mappings =
      Array.isArray(offset_mapping) && Array.isArray(offset_mapping[0]?.[0]) ? offset_mapping : [offset_mapping];
    if (offset_mapping && mappings.length !== (one || !Array.isArray(inputs) ? 1 : inputs.length))
      throw new RangeError("offset_mapping should have the same batch size as the input");
    const given_inputs = one && Array.isArray(inputs) ? [inputs] : inputs;
    return super._call(given_inputs, offset_mapping ? { ...kwargs, offset_mapping: mappings[0] } : kwargs);
  }

  override *preprocess(input: string | readonly string[], parameters: Kwargs): Generator<Fields> {
    const {
      is_split_into_words = false,
      delimiter = " ",
      offset_mapping,
      stride,
    } = parameters as TokenClassificationPipelineOptions;
    if (is_split_into_words && !Array.isArray(input))
      throw new TypeError("When `is_split_into_words=True`, `sentence` must be a list of tokens.");
    if (!is_split_into_words && typeof input !== "string")
      throw new TypeError("When `is_split_into_words=False`, `sentence` must be an untokenized string.");
    const tokenizer = this.require_tokenizer();
    if (is_split_into_words && !tokenizer.is_fast)
      throw new TypeError("is_split_into_words=True is only supported with fast tokenizers.");
    const words = typeof input === "string" ? undefined : input;
    const sentence = words ? words.join(delimiter) : (input as string);
    const overflow = stride === undefined ? {} : { return_overflowing_tokens: true, padding: true, stride };
    const encoded = tokenizer(words ? [words] : [sentence], {
      truncation: tokenizer.model_max_length > 0,
      return_special_tokens_mask: true,
      return_offsets_mapping: tokenizer.is_fast,
      is_split_into_words,
      ...overflow,
    });
    const names = [...tokenizer.model_input_names, "special_tokens_mask"].filter((name) => name in encoded);
    for (let i = 0; i < encoded["input_ids"].length; i++) {
      let offsets = (offset_mapping ?? encoded["offset_mapping"]?.[i] ?? null) as readonly Span[] | null;
      if (offsets && words) offsets = in_sentence(offsets, encoded.word_ids(i), words, delimiter);
      yield {
        ...Object.fromEntries(names.map((name) => [name, to_tensor([encoded[name][i]])])),
        offsets,
        sentence,
      };
    }
  }

  override async _forward(batch: Fields): Promise<Fields> {
    const { logits } = await this.run_model(batch);
    return { ...batch, logits };
  }

  override postprocess(outputs: Fields[], parameters: Kwargs): (Labelled | Grouped)[] {
    const {
      aggregation_strategy: strategy = "none",
      ignore_labels = ["O"],
      offsets_unit = "utf16",
    } = parameters as TokenClassificationPipelineOptions;
    const tokenizer = this.require_tokenizer();
    const vocabulary: Vocabulary = {
      id2label: this.model.config.id2label,
      join: (words) => tokenizer.convert_tokens_to_string(words),
    };
    const sentence = outputs[0]["sentence"] as string;
    let entities: (Labelled | Grouped)[] = [];
    for (const output of outputs) {
      const tokens = this.tokens_of(output, strategy);
      if (strategy === "none") {
        const labelled = tokens.map((token) => ({ ...label(token, vocabulary), index: token.index }));
        entities.push(...labelled.filter(({ entity }) => !ignore_labels.includes(entity)).map(in_order));
      } else {
        const labelled =
          strategy === "simple"
            ? tokens.map((token) => label(token, vocabulary))
            : label_words(tokens, strategy, vocabulary);
        entities.push(
          ...group(labelled, vocabulary).filter(({ entity_group }) => !ignore_labels.includes(entity_group)),
        );
      }
    }
    if (outputs.length > 1) entities = without_overlaps(entities as Grouped[], sentence);
    if (offsets_unit === "utf16") return entities;
    return entities.map((entity) => ({
      ...entity,
      start: entity.start && in_unit(sentence, entity.start, offsets_unit),
      end: entity.end && in_unit(sentence, entity.end, offsets_unit),
    }));
  }

  /** The tokens of one row, special ones left out (Python's `gather_pre_entities`). */
  private tokens_of(output: Fields, strategy: AggregationStrategy): TokenScores[] {
    const { logits, input_ids, special_tokens_mask } = output as Record<string, Tensor>;
    const offsets = output["offsets"] as readonly Span[] | null;
    const sentence = output["sentence"] as string;
    const tokenizer = this.require_tokenizer();
    const scores = logits[0].softmax();
    const ids = input_ids.tolist()[0] as number[];
    const special = special_tokens_mask.tolist()[0] as number[];
    const words = tokenizer.convert_ids_to_tokens(ids) as string[];
    const has_prefix = Boolean(offsets && tokenizer.continuing_subword_prefix);
    if (offsets && !has_prefix && strategy !== "none" && strategy !== "simple")
      warn_once("Tokenizer does not support real words, using fallback heuristic");
    // Padding on the left moves the tokens, not their offsets.
    const shift = offsets && tokenizer.padding_side === "left" ? ids.length - offsets.length : 0;
    return ids.flatMap((id, index): TokenScores[] => {
      if (special[index]) return [];
      const token = { scores: scores[index].data as Float32Array, index };
      const span = offsets?.[index - shift];
      if (!span) return [{ ...token, word: words[index], start: null, end: null, is_subword: false }];
      const [start, end] = span;
      const text = sentence.slice(start, end);
      if (id === tokenizer.unk_token_id) return [{ ...token, word: text, start, end, is_subword: false }];
      const is_subword = has_prefix
        ? code_points(words[index]) !== code_points(text)
        : start > 0 && !sentence.slice(start - 1, start + 1).includes(" ");
      return [{ ...token, word: words[index], start, end, is_subword }];
    });
  }
}

/** Fields in Python's order. */
function in_order({
  entity,
  score,
  index,
  word,
  start,
  end,
}: Labelled & { index: number }): Labelled & { index: number } {
  return { entity, score, index, word, start, end };
}

/** Offsets in words become offsets in the sentence. */
function in_sentence(
  offsets: readonly Span[],
  word_ids: (number | null)[],
  words: readonly string[],
  delimiter: string,
): Span[] {
  const starts: number[] = [];
  let next = 0;
  for (const word of words) {
    starts.push(next);
    next += word.length + delimiter.length;
  }
  return offsets.map(([start, end], i) => {
    const word = word_ids[i];
    return word === null ? [start, end] : [starts[word] + start, starts[word] + end];
  });
}

/** The strategy that was asked for, also under its older names. */
function strategy_of(given_strategy: unknown, grouped: unknown, subwords: unknown): AggregationStrategy | undefined {
  if (grouped !== undefined || subwords !== undefined) {
    const strategy = grouped ? (subwords ? "first" : "simple") : "none";
    warn_once(
      "`grouped_entities` and `ignore_subwords` are deprecated and will be removed in version v5.0.0, defaulted to" +
        ` \`aggregation_strategy="${strategy}"\` instead.`,
    );
    return strategy;
  }
  if (given_strategy === undefined || given_strategy === null) return undefined;
  const strategy = String(given_strategy).toLowerCase() as AggregationStrategy;
  if (STRATEGIES.includes(strategy)) return strategy;
  throw expected(`one of ${STRATEGIES.join(", ")}`, "aggregation_strategy", given_strategy);
}

function check_stride(
  stride: unknown,
  strategy: AggregationStrategy | undefined,
  tokenizer: PreTrainedTokenizerFast,
): void {
  if (!Number.isInteger(stride) || (stride as number) < 0) throw expected("a whole number from 0", "stride", stride);
  if ((stride as number) >= tokenizer.model_max_length)
    throw new RangeError(
      "`stride` must be less than `tokenizer.model_max_length` (or even lower if the tokenizer adds special tokens)",
    );
  if (strategy === "none")
    throw new TypeError(
      '`stride` was provided to process all the text but `aggregation_strategy="none"`, please select another one instead.',
    );
  if (!tokenizer.is_fast)
    throw new TypeError(
      "`stride` was provided to process all the text but you're using a slow tokenizer. Please use a fast tokenizer.",
    );
}

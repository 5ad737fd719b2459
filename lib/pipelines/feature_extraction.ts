// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/feature_extraction.py
// Pooling is transformers.js's: https://github.com/huggingface/transformers.js/blob/4.3.1/packages/transformers/src/pipelines/feature-extraction.js
import { expected, TransformersError, warn_once } from "../errors.js";
import { cat, mean_pooling, quantize_embeddings, Tensor } from "../tensor/index.js";
import type { EncodeOptions } from "../tokenization/options.js";
import {
  type Fields,
  given,
  type Kwargs,
  type NoOptions,
  no_more,
  Pipeline,
  type PipelineCallOptions,
  type Results,
  ROWS_PER_CALL,
  type StageParameters,
  split_common,
} from "./base.js";
import { batches, collate, iterable } from "./batching.js";

const POOLINGS = ["none", "mean", "cls", "first_token", "eos", "last_token"] as const;
export type Pooling = (typeof POOLINGS)[number];

export interface FeatureExtractionPipelineOptions extends PipelineCallOptions {
  /**
   * One vector for each text: the mean of its tokens, its first token ("cls", "first_token"), or its last one ("eos",
   * "last_token"); padding never counts. "none": a vector for each token.
   */
  pooling?: Pooling;
  /** Vectors of length 1. Default: false. */
  normalize?: boolean;
  /** One bit for each number, eight to a byte. Default: false. */
  quantize?: boolean;
  /** Of the quantized: bytes with sign ("binary", int8; the default) or without ("ubinary", uint8). */
  precision?: "binary" | "ubinary";
  /** Python's: Tensors [1, tokens, size] instead of nested lists. */
  return_tensors?: boolean;
  /** Default: true with pooling, else false. */
  truncation?: boolean;
  /** Further options of the tokenizer. */
  tokenize_kwargs?: EncodeOptions;
}

/** The options that ask for one Tensor, as transformers.js gives. */
const EMBEDDING = ["pooling", "normalize", "quantize", "precision"] as const;
type Embedding<O> = keyof O & (typeof EMBEDDING)[number] extends never ? false : true;

/** Python's nested lists: [1, tokens, size]. */
export type FeatureExtractionLists = number[][][];
/**
 * With one of transformers.js's options one Tensor for all texts; with `return_tensors` a Tensor for each; else nested lists
 * for each, as in Python.
 */
export type FeatureExtractionPipelineResult<Q, O = NoOptions> =
  Embedding<O> extends true
    ? Q extends string | readonly unknown[]
      ? Tensor
      : AsyncGenerator<Tensor>
    : Results<Q, O extends { return_tensors: true } ? Tensor : FeatureExtractionLists>;
export type FeatureExtractionOutput = Tensor | FeatureExtractionLists;

export interface FeatureExtractionPipeline<Defaults = NoOptions> {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  <
    Q extends string | Iterable<string> | AsyncIterable<string>,
    const O extends FeatureExtractionPipelineOptions = NoOptions,
  >(
    texts: Q,
    options?: O,
  ): Promise<FeatureExtractionPipelineResult<Q, Defaults & O>>;
}

/**
 * The hidden states of texts, or one vector for each text (embeddings), by an `AutoModel`.
 *
 * ```ts
 * const extractor = await pipeline("feature-extraction", "sentence-transformers/all-MiniLM-L6-v2");
 * const embeddings = await extractor(["A cat.", "A dog."], { pooling: "mean", normalize: true });   // Tensor [2, 384]
 * embeddings.tolist();
 * await extractor("A cat.");                                  // Python's: nested lists [1][tokens][384]
 * ```
 * A call that names `pooling`, `normalize` or `quantize` does as transformers.js: one Tensor, in float32 [texts, size] or
 * quantized [texts, size / 8], long texts cut at the model's length. Every other call does as Python.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
// biome-ignore lint/correctness/noUnusedVariables: the type of the call uses it
export class FeatureExtractionPipeline<Defaults = NoOptions> extends Pipeline<string, FeatureExtractionOutput> {
  static override rows_are_independent = true;

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { truncation, tokenize_kwargs, return_tensors, pooling, normalize, quantize, precision, ...rest } = kwargs;
    no_more(rest, this.task);
    const tokenizer_options = { ...(tokenize_kwargs as object | undefined) } as Kwargs;
    if (truncation !== undefined && truncation !== null) {
      if ("truncation" in tokenizer_options)
        throw new TypeError(
          "truncation parameter defined twice (given as keyword argument as well as in tokenize_kwargs)",
        );
      tokenizer_options["truncation"] = truncation;
    }
    if (pooling !== undefined && pooling !== null && !POOLINGS.includes(pooling as Pooling))
      throw expected(`one of ${POOLINGS.join(", ")}`, "pooling", pooling);
    if (precision !== undefined && precision !== "binary" && precision !== "ubinary")
      throw expected('"binary" or "ubinary"', "precision", precision);
    return {
      preprocess: tokenizer_options,
      postprocess: given({ return_tensors, pooling, normalize, quantize, precision }),
    };
  }

  override async _call(inputs: unknown, options: Kwargs = {}): Promise<unknown> {
    const { batch_size, kwargs } = split_common(options);
    const { preprocess, postprocess } = this._sanitize_parameters(kwargs);
    const embedding = { ...this.parameters.postprocess, ...postprocess } as FeatureExtractionPipelineOptions;
    if (!EMBEDDING.some((name) => embedding[name] !== undefined)) return super._call(inputs, options);
    if (embedding.precision && !embedding.quantize) warn_once("`precision` does nothing without `quantize`.");
    const encoding = { truncation: true, ...this.parameters.preprocess, ...preprocess };
    const embed = (texts: string[]) => this.embed(texts, encoding, embedding);
    const size = batch_size ?? this.batch_size;
    if (typeof inputs === "string") return embed([inputs]);
    if (!Array.isArray(inputs)) return one_by_one(iterable<string>(inputs), size ?? 1, embed);
    if (inputs.length === 0) throw new RangeError("At least one text is required.");
    const together = size ?? (this.require_tokenizer().pad_token === null ? 1 : ROWS_PER_CALL);
    const tensors: Tensor[] = [];
    for await (const texts of batches(inputs, together)) tensors.push(await embed(texts));
    return tensors.length === 1 ? tensors[0] : (stack_rows(tensors) as Tensor);
  }

  /** One call of the tokenizer, one of the model: a Tensor with a row for each text. Padding stands at the end, whatever the tokenizer's side. */
  private async embed(
    texts: string[],
    encoding: EncodeOptions,
    { pooling = "none", normalize, quantize, precision = "binary" }: FeatureExtractionPipelineOptions,
  ): Promise<Tensor> {
    texts.forEach(check_text);
    const encoded = this.require_tokenizer()(texts, {
      padding: texts.length > 1,
      padding_side: "right",
      return_attention_mask: true,
      ...encoding,
      return_tensors: "pt",
    });
    const outputs = await this.run_model(encoded);
    let result = (outputs["last_hidden_state"] ?? outputs["logits"] ?? outputs["token_embeddings"]) as Tensor;
    if (result?.dims.length !== 3)
      throw new TransformersError(
        `The model '${this.model.constructor.name}' gives no vectors of tokens`,
        "wrong_model",
      );
    const mask = encoded["attention_mask"] as Tensor;
    if (pooling === "none") clear_padding(result, mask);
    else if (pooling === "mean") result = mean_pooling(result, mask);
    else result = token_of_each(result, mask, pooling === "eos" || pooling === "last_token");
    if (normalize) result = result.normalize(2, -1);
    return quantize ? quantize_embeddings(result, precision) : result;
  }

  override preprocess(input: string, parameters: Kwargs): Fields {
    check_text(input);
    const encoded = this.require_tokenizer()(input, { ...parameters, return_tensors: "pt" });
    return { ...encoded, length: encoded["input_ids"].dims[1] };
  }

  override async _forward(batch: Fields): Promise<Fields> {
    const [features] = (await this.run_model(batch)).to_tuple();
    return { features, length: batch["length"] };
  }

  /** Positions that were added to fill up a batch are left out, so that `batch_size` changes no result. */
  override postprocess(outputs: Fields, parameters: Kwargs): FeatureExtractionOutput {
    let features = outputs["features"] as Tensor;
    const length = outputs["length"] as number;
    if (features.dims.length === 3 && features.dims[1] > length)
      features = features.slice(null, this.tokenizer?.padding_side === "left" ? [-length, null] : [0, length]);
    return parameters["return_tensors"] ? features : features.tolist();
  }
}

function check_text(value: unknown): void {
  if (typeof value !== "string") throw expected("a text or a list of texts", "the input", value);
}

/** Tensors of the batches of a list to one; where they hold tokens of several lengths, zeros fill the rows. */
function stack_rows(tensors: Tensor[]): unknown {
  return tensors[0].dims.length === 2
    ? cat(tensors)
    : collate(
        tensors.map((tokens) => ({ tokens })),
        undefined,
      )["tokens"];
}

async function* one_by_one(
  inputs: Iterable<string> | AsyncIterable<string>,
  size: number,
  embed: (texts: string[]) => Promise<Tensor>,
): AsyncGenerator<Tensor> {
  for await (const texts of batches(inputs, size)) for (const row of await embed(texts)) yield row.unsqueeze(0);
}

/** What models give for padding is not defined: zeros. */
function clear_padding(hidden: Tensor, attention_mask: Tensor): void {
  const size = hidden.dims[2];
  attention_mask.data.forEach((kept: number | bigint, token: number) => {
    if (Number(kept) === 0) (hidden.data as Float32Array).fill(0, token * size, (token + 1) * size);
  });
}

/** The vector of the first or of the last token that is no padding, of each row. */
function token_of_each(hidden: Tensor, attention_mask: Tensor, last: boolean): Tensor {
  const [rows, , size] = hidden.dims;
  const mask = attention_mask.tolist() as number[][];
  const data = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const position = Math.max(last ? mask[row].lastIndexOf(1) : mask[row].indexOf(1), 0);
    data.set(hidden[row][position].data as Float32Array, row * size);
  }
  return new Tensor("float32", data, [rows, size]);
}

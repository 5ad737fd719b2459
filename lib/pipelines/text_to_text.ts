// What the pipelines share that make a text of a text, with a model that has an encoder and a decoder.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text2text_generation.py
import { expected, warn_once } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import type { BatchEncoding, PreTrainedTokenizerFast } from "../tokenization/index.js";
import { type Fields, given, type Kwargs, Pipeline, type PipelineCallOptions, type StageParameters } from "./base.js";
import { generative } from "./generation.js";

/** Besides these, every option of `generate`. */
export interface TextToTextPipelineOptions extends PipelineCallOptions {
  /** Ids instead of text. */
  return_tensors?: boolean;
  return_text?: boolean;
  clean_up_tokenization_spaces?: boolean;
  /** How texts are cut that are longer than the tokenizer's `model_max_length`. Default: not at all. */
  truncation?: boolean | "longest_first" | "do_not_truncate";
  /** Generation ends at its first token. */
  stop_sequence?: string;
  /** Goes before every text. Default: the model's configuration says it. */
  prefix?: string;
  [generate_option: string]: unknown;
}

/** What one text gives: texts, or ids with `return_tensors`. */
export type Generated<O, Single, Tokens> = (O extends { return_tensors: true } ? Tokens : Single)[];

/** One text gives a list of what was generated, and so does a list of texts; lists of those, if each has several. */
export type GeneratedFor<T, O, Single, Tokens> = T extends string
  ? Generated<O, Single, Tokens>
  : T extends readonly string[]
    ? O extends { num_return_sequences: infer Count }
      ? Count extends 1
        ? Generated<O, Single, Tokens>
        : number extends Count
          ? Generated<O, Single, Tokens> | Generated<O, Single, Tokens>[]
          : Generated<O, Single, Tokens>[]
      : Generated<O, Single, Tokens>
    : T extends Iterable<string> | AsyncIterable<string>
      ? AsyncGenerator<Generated<O, Single, Tokens>>
      : never;

type Texts = string | Iterable<string> | AsyncIterable<string>;

/** A pipeline that is called with texts. */
export type TextsCall<Options, Single, Tokens> = <T extends Texts, const O extends Options = Options>(
  texts: T,
  options?: O,
) => Promise<GeneratedFor<T, O, Single, Tokens>>;

/** What came of one text, [1, sequences, length]. */
interface Sequences {
  output_ids: number[][];
}

/** A text or its ids, under the name of the task. */
type Result = Record<string, string | number[]>;

export abstract class TextToTextPipeline extends Pipeline<string, Result[], Sequences> {
  static override default_generation_config = { max_new_tokens: 256, num_beams: 4 };
  /** What the fields of results begin with. */
  static return_name: string;

  protected get tok(): PreTrainedTokenizerFast {
    return this.require_tokenizer();
  }

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const {
      return_tensors,
      return_text: _return_text,
      return_type,
      clean_up_tokenization_spaces,
      truncation,
      stop_sequence,
      prefix,
      ...generate_kwargs
    } = kwargs;
    const forward: Kwargs = { ...generate_kwargs };
    if (stop_sequence !== undefined && stop_sequence !== null) {
      if (typeof stop_sequence !== "string") throw expected("a string", "stop_sequence", stop_sequence);
      const ids = this.tok.encode(stop_sequence, { add_special_tokens: false });
      if (ids.length === 0) throw expected("a text of at least one token", "stop_sequence", stop_sequence);
      if (ids.length > 1)
        warn_once(
          "Stopping on a multiple token sequence is not yet supported on transformers. The first token of the stop sequence will be used as the stop sequence string in the interim.",
        );
      forward["eos_token_id"] = ids[0];
    }
    if (generate_kwargs["return_dict_in_generate"])
      throw new TypeError(
        `The ${this.task} pipeline gives texts or ids: \`return_dict_in_generate\` is an option of model.generate()`,
      );
    const returned =
      return_type ??
      (return_tensors === undefined || return_tensors === null ? undefined : return_tensors ? "tensors" : "text");
    return {
      preprocess: given({ truncation, prefix }),
      forward,
      postprocess: given({ return_type: returned, clean_up_tokenization_spaces }),
    };
  }

  /** Several texts give one list, if each gives one result. */
  override async _call(inputs: unknown, options: Kwargs = {}): Promise<unknown> {
    const results = await super._call(inputs, options);
    const is_flat = Array.isArray(inputs) && (results as unknown[][]).every(({ length }) => length === 1);
    return is_flat ? (results as unknown[][]).flat() : results;
  }

  /** Says what looks wrong about the length of an input, for models trained on one task. */
  protected check_inputs(_input_length: number, _min_length: number, _max_length: number): void {}

  override preprocess(text: string, parameters: Kwargs): Fields {
    const { prefix = "", ...options } = parameters;
    check_text(text);
    return this.fields_of(this.tok(`${prefix}${text}`, { return_tensors: "pt", ...options }));
  }

  /** What the model takes of an encoding. */
  protected fields_of(encoding: BatchEncoding): Fields {
    const { token_type_ids: _, ...fields } = { ...encoding } as unknown as Fields;
    return fields;
  }

  override async _forward(batch: Fields, parameters: Kwargs): Promise<Fields> {
    const { input_ids, forced_bos_token_id, ...inputs } = batch as { input_ids: Tensor } & Kwargs;
    const kwargs: Kwargs = { generation_config: this.generation_config, ...parameters };
    const [rows, length] = input_ids.dims;
    const { min_length, max_length } = { ...this.generation_config, ...given(parameters) } as Record<string, number>;
    this.check_inputs(length, min_length ?? 0, max_length ?? Number.POSITIVE_INFINITY);
    // One for each text, and the same for all of them.
    if (forced_bos_token_id) kwargs["forced_bos_token_id"] ??= (forced_bos_token_id as number[])[0];
    if (kwargs["response_format"]) kwargs["tokenizer"] ??= this.tok;
    const output = (await generative(this.model).generate(input_ids, { ...inputs, ...kwargs })) as unknown as Tensor;
    const sequences = output.tolist() as number[][];
    const each = sequences.length / rows;
    return { output_ids: Array.from({ length: rows }, (_, row) => sequences.slice(row * each, (row + 1) * each)) };
  }

  override postprocess({ output_ids }: Sequences, parameters: Kwargs): Result[] {
    const { return_type = "text", clean_up_tokenization_spaces = false } = parameters as {
      return_type?: string;
      clean_up_tokenization_spaces?: boolean;
    };
    const name = (this.constructor as typeof TextToTextPipeline).return_name;
    const decode = (ids: number[]) => this.tok.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces });
    return output_ids.map((ids) =>
      return_type === "tensors" ? { [`${name}_token_ids`]: ids } : { [`${name}_text`]: decode(ids) },
    );
  }
}

/** @throws TypeError for anything but a text. */
export function check_text(text: unknown): asserts text is string {
  if (typeof text !== "string") throw expected("a string or a list of strings", "texts", text);
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text_generation.py
import { expected } from "../errors.js";
import type { GenerateDecoderOnlyOutput } from "../generation/outputs.js";
import { decode_response, parse_response } from "../generation/tool_calls.js";
import { Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import {
  type Fields,
  given,
  type Kwargs,
  type NoOptions,
  Pipeline,
  type PipelineCallOptions,
  type StageParameters,
} from "./base.js";
import { generative } from "./generation.js";

/** A chat: its messages in order. */
export type Chat = Message[];

/** The continuation of a text; with `return_full_text` (the default) the text before it. Further fields as `generate` gives them. */
export interface TextGenerationSingleString {
  generated_text: string;
  [field: string]: unknown;
}
/** A chat with the answer appended. */
export interface TextGenerationSingleChat {
  generated_text: Chat;
  [field: string]: unknown;
}
/** With `return_tensors`. */
export interface TextGenerationSingleTokens {
  generated_token_ids: number[];
  [field: string]: unknown;
}
export type TextGenerationSingle = TextGenerationSingleString | TextGenerationSingleChat;
export type TextGenerationStringOutput = TextGenerationSingleString[];
export type TextGenerationChatOutput = TextGenerationSingleChat[];
export type TextGenerationTokensOutput = TextGenerationSingleTokens[];
export type TextGenerationOutput = TextGenerationSingle[];

/** Whatever the options ask for. */
type TextGenerationAny = (TextGenerationSingleTokens | { generated_text: string | Chat; [field: string]: unknown })[];

/** Besides these, every option of `generate`. */
export interface TextGenerationPipelineOptions extends PipelineCallOptions {
  /** The prompt before the text that came. Default: true. */
  return_full_text?: boolean;
  /** Ids instead of text. */
  return_tensors?: boolean;
  return_text?: boolean;
  clean_up_tokenization_spaces?: boolean;
  skip_special_tokens?: boolean;
  /** Goes before every prompt. */
  prefix?: string;
  /** "hole" cuts the beginning of prompts that leave no room for the new tokens. */
  handle_long_generation?: "hole" | null;
  /** Generation ends after its first token. */
  stop_sequence?: string;
  /** A chat's last message is continued instead of answered. Default: if it is the assistant's. */
  continue_final_message?: boolean;
  add_special_tokens?: boolean;
  tokenizer_encode_kwargs?: Kwargs;
  /** For chats: functions that the model may ask to be called; the answer's message has `tool_calls` then. */
  tools?: readonly object[] | null;
  /** For chats: what the template shows to the model. */
  documents?: readonly object[] | null;
  [generate_option: string]: unknown;
}

type TextGenerationOne<T, O> = O extends { return_tensors: true }
  ? TextGenerationTokensOutput
  : T extends string
    ? TextGenerationStringOutput
    : TextGenerationChatOutput;

/** One text or chat gives a list of one for each returned sequence; a list gives a list of those. */
export type TextGenerationResult<T, O = NoOptions> = T extends string | Chat
  ? TextGenerationOne<T, O>
  : T extends readonly (infer E)[]
    ? TextGenerationOne<E, O>[]
    : T extends Iterable<infer E> | AsyncIterable<infer E>
      ? AsyncGenerator<TextGenerationOne<E, O>>
      : never;

export interface TextGenerationPipeline {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  <
    T extends string | Chat | Iterable<string> | AsyncIterable<string> | Iterable<Chat> | AsyncIterable<Chat>,
    const O extends TextGenerationPipelineOptions = NoOptions,
  >(
    text_inputs: T,
    options?: O,
  ): Promise<TextGenerationResult<T, O>>;
}

type ReturnType = "tensors" | "new_text" | "full_text";

type Prompt = string | Chat;

/** What came of one prompt. */
interface Generated {
  sequences: number[][];
  prompt_ids: number[] | undefined;
  prompt: Prompt;
  /** Other fields of the generation's output, a value for each sequence. */
  extra: Record<string, unknown[]>;
}

const is_chat = (value: unknown): value is Chat =>
  Array.isArray(value) &&
  value.length > 0 &&
  typeof value[0] === "object" &&
  value[0] !== null &&
  !Array.isArray(value[0]);

/** Continues texts, or answers chats. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class TextGenerationPipeline extends Pipeline<Prompt, TextGenerationAny> {
  static override default_generation_config = { max_new_tokens: 256, do_sample: true, temperature: 0.7 };

  protected override is_single(inputs: unknown): boolean {
    return typeof inputs === "string" || is_chat(inputs);
  }

  private get tok(): PreTrainedTokenizerFast {
    return this.require_tokenizer();
  }

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const {
      return_full_text,
      return_tensors,
      return_text,
      return_type,
      clean_up_tokenization_spaces,
      prefix,
      handle_long_generation,
      stop_sequence,
      truncation,
      max_length,
      continue_final_message,
      skip_special_tokens,
      tokenizer_encode_kwargs,
      add_special_tokens,
      padding,
      tools,
      documents,
      ...generate_kwargs
    } = kwargs;
    const forward: Record<string, unknown> = given({ ...generate_kwargs, max_length });
    if (typeof prefix === "string" && prefix !== "")
      forward["prefix_length"] = this.tok.encode(prefix, { add_special_tokens: !!add_special_tokens }).length;
    if (handle_long_generation !== undefined && handle_long_generation !== null && handle_long_generation !== "hole")
      throw new TypeError(
        `${handle_long_generation} is not a valid value for \`handle_long_generation\` parameter expected [null, 'hole']`,
      );
    const preprocess = given({
      add_special_tokens,
      padding,
      truncation,
      max_length,
      prefix,
      handle_long_generation,
      continue_final_message,
      tokenizer_encode_kwargs,
      tools,
      documents,
      max_new_tokens: generate_kwargs["max_new_tokens"],
    });
    if (stop_sequence !== undefined && stop_sequence !== null) {
      if (typeof stop_sequence !== "string") throw expected("a string", "stop_sequence", stop_sequence);
      forward["eos_token_id"] = this.tok.encode(stop_sequence, { add_special_tokens: false });
    }
    const postprocess = given({
      return_type: return_type ?? what_to_return(return_full_text, return_tensors, return_text),
      clean_up_tokenization_spaces,
      continue_final_message,
      skip_special_tokens,
      tools,
    });
    return { preprocess, forward, postprocess };
  }

  override preprocess(input: Prompt, parameters: Kwargs): Fields {
    const { prefix = "", handle_long_generation, add_special_tokens, truncation, padding, max_length } = parameters;
    const encode_kwargs = {
      return_tensors: "pt",
      ...given({ truncation, padding, max_length }),
      ...((parameters["tokenizer_encode_kwargs"] as object | undefined) ?? {}),
    };
    let encoded: { input_ids: Tensor; attention_mask?: Tensor };
    if (is_chat(input)) {
      const continued =
        (parameters["continue_final_message"] as boolean | undefined) ?? input.at(-1)?.role === "assistant";
      encoded = this.tok.apply_chat_template(input, {
        add_generation_prompt: !continued,
        continue_final_message: continued,
        return_dict: true,
        ...given({ tools: parameters["tools"], documents: parameters["documents"] }),
        ...encode_kwargs,
      }) as unknown as typeof encoded;
    } else if (typeof input === "string") {
      encoded = this.tok(`${prefix}${input}`, {
        ...given({ add_special_tokens }),
        ...encode_kwargs,
      }) as unknown as typeof encoded;
    } else throw expected("a string or a chat (a list of {role, content})", "text_inputs", input);

    let { input_ids, attention_mask } = encoded;
    if (handle_long_generation === "hole") {
      const keep = this.hole(input_ids.dims[1], parameters);
      input_ids = input_ids.slice(null, [-keep, null]);
      attention_mask = attention_mask?.slice(null, [-keep, null]);
    }
    return { input_ids, ...(attention_mask ? { attention_mask } : {}), prompt: input };
  }

  /** How many of `length` prompt tokens may stay so that the new ones fit into the tokenizer's `model_max_length`. */
  private hole(length: number, parameters: Kwargs): number {
    const total = (parameters["max_length"] as number | undefined) ?? this.generation_config?.max_length ?? 20;
    const fresh = (parameters["max_new_tokens"] as number | undefined) ?? total - length;
    if (fresh < 0) throw new RangeError("We cannot infer how many new tokens are expected");
    if (length + fresh <= this.tok.model_max_length) return length;
    const keep = this.tok.model_max_length - fresh;
    if (keep <= 0)
      throw new RangeError(
        "We cannot use `hole` to handle this generation the number of desired tokens exceeds the models max length",
      );
    return keep;
  }

  override async _forward(batch: Fields, parameters: Kwargs): Promise<Fields> {
    const { prefix_length = 0, ...kwargs } = parameters as { prefix_length?: number } & Kwargs;
    const { input_ids, attention_mask, prompt } = batch as {
      input_ids: Tensor;
      attention_mask?: Tensor;
      prompt: Prompt[];
    };
    const config = this.generation_config;
    if (prefix_length > 0) {
      const own = kwargs["generation_config"] as { max_new_tokens?: number; min_new_tokens?: number } | undefined;
      if (!("max_new_tokens" in kwargs) && !own?.max_new_tokens)
        kwargs["max_length"] =
          ((kwargs["max_length"] as number | undefined) ?? config?.max_length ?? 20) + prefix_length;
      if (!("min_new_tokens" in kwargs) && !own?.min_new_tokens && typeof kwargs["min_length"] === "number")
        kwargs["min_length"] = kwargs["min_length"] + prefix_length;
    }
    if (!("generation_config" in kwargs)) kwargs["generation_config"] = config;
    // An empty prompt starts from BOS.
    const empty = prompt.length === 1 && input_ids.dims[1] === 0;
    if (kwargs["response_format"]) kwargs["tokenizer"] ??= this.tok;
    const output = await generative(this.model).generate(empty ? undefined : input_ids, {
      ...(attention_mask && !empty ? { attention_mask } : {}),
      ...kwargs,
    });

    const sequences = (
      output instanceof Tensor ? output : (output as GenerateDecoderOnlyOutput).sequences
    ).tolist() as number[][];
    const each = sequences.length / prompt.length;
    return {
      sequences: prompt.map((_, i) => sequences.slice(i * each, (i + 1) * each)),
      prompt_ids: empty ? [undefined] : input_ids.tolist(),
      prompt,
      extra: prompt.map((_, i) =>
        output instanceof Tensor ? {} : rows_of(output as GenerateDecoderOnlyOutput, i * each, each),
      ),
    };
  }

  override postprocess(outputs: Fields, parameters: Kwargs): TextGenerationAny {
    const { sequences, prompt_ids, prompt, extra } = outputs as unknown as Generated;
    const {
      return_type = "full_text",
      clean_up_tokenization_spaces = true,
      skip_special_tokens = true,
    } = parameters as {
      return_type?: ReturnType;
      clean_up_tokenization_spaces?: boolean;
      skip_special_tokens?: boolean;
    };
    const decode = (ids: number[]) => this.tok.decode(ids, { skip_special_tokens, clean_up_tokenization_spaces });
    const others = (row: number) => Object.fromEntries(Object.entries(extra).map(([key, rows]) => [key, rows[row]]));
    if (return_type === "tensors")
      return sequences.map((generated_token_ids, row) => ({ generated_token_ids, ...others(row) }));

    const prompt_length = prompt_ids ? decode(prompt_ids).length : 0;
    return sequences.map((sequence, row) => {
      const text = decode(sequence).slice(prompt_length);
      let generated_text =
        return_type === "full_text" ? with_prompt(prompt, text, parameters["continue_final_message"]) : text;
      if (parameters["tools"] && Array.isArray(generated_text) && generated_text.length > prompt.length) {
        const answer = decode_response(sequence.slice(prompt_ids?.length ?? 0), this.tok);
        generated_text = [...generated_text.slice(0, -1), parse_response(answer, this.tok)];
      }
      return { generated_text, ...others(row) };
    });
  }
}

/** The prompt and what came: one text, or the chat with the answer appended or its last message continued. */
function with_prompt(prompt: Prompt, text: string, continue_final_message: unknown): string | Chat {
  if (typeof prompt === "string") return prompt + text;
  const last = prompt[prompt.length - 1];
  if ((continue_final_message as boolean | undefined) ?? last.role === "assistant")
    return [...prompt.slice(0, -1), { role: last.role, content: `${last.content}${text}` }];
  return [...prompt, { role: "assistant", content: text }];
}

function what_to_return(full_text: unknown, tensors: unknown, text: unknown): ReturnType | undefined {
  const set = (value: unknown) => value !== undefined && value !== null;
  if (set(full_text)) {
    if (set(text)) throw new TypeError("`return_text` is mutually exclusive with `return_full_text`");
    if (set(tensors)) throw new TypeError("`return_full_text` is mutually exclusive with `return_tensors`");
    return full_text ? "full_text" : "new_text";
  }
  if (set(tensors)) {
    if (set(text)) throw new TypeError("`return_text` is mutually exclusive with `return_tensors`");
    return "tensors";
  }
  return undefined;
}

/** The per-row fields of a generation output, such as scores, for `count` rows from `first` on. */
function rows_of(output: GenerateDecoderOnlyOutput, first: number, count: number): Record<string, unknown[]> {
  const result: Record<string, unknown[]> = {};
  for (const [key, value] of output.items()) {
    if (key === "sequences" || key === "past_key_values") continue;
    if (value instanceof Tensor) result[key] = (value.tolist() as unknown[]).slice(first, first + count);
    else if (Array.isArray(value)) {
      const steps = (value as Tensor[]).map((step) => step.tolist() as unknown[]);
      result[key] = Array.from({ length: count }, (_, i) => steps.map((step) => step[first + i]));
    }
  }
  return result;
}

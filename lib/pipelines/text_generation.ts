// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text_generation.py
import { expected, TransformersError } from "../errors.js";
import type { GenerateDecoderOnlyOutput } from "../models/outputs.js";
import { Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { generative, type ModelInputs, Pipeline, type StageParameters } from "./base.js";

/** A chat: its messages in order. */
export type Chat = Message[];

export interface TextGenerationSingle {
  /** The text, or for a chat its messages with the answer at the end. */
  generated_text?: string | Chat;
  generated_token_ids?: number[];
  [field: string]: unknown;
}
export type TextGenerationOutput = TextGenerationSingle[];

type ReturnType = "tensors" | "new_text" | "full_text";

interface Prompt {
  prompt: string | Chat;
  /** Empty prompts start from BOS. */
  empty: boolean;
}

interface Generated {
  sequences: number[][];
  input_ids: number[] | undefined;
  prompt: string | Chat;
  extra: Record<string, unknown>;
}

const is_chat = (value: unknown): value is Chat =>
  Array.isArray(value) &&
  value.length > 0 &&
  typeof value[0] === "object" &&
  value[0] !== null &&
  !Array.isArray(value[0]);

/** Continues texts, or answers chats. */
export class TextGenerationPipeline extends Pipeline<string | Chat, TextGenerationOutput> {
  static override default_generation_config = { max_new_tokens: 256, do_sample: true, temperature: 0.7 };

  protected override is_single(inputs: unknown): boolean {
    return typeof inputs === "string" || is_chat(inputs);
  }

  private get tok(): PreTrainedTokenizerFast {
    if (this.tokenizer) return this.tokenizer;
    throw new TransformersError("The text-generation pipeline needs a tokenizer", "no_tokenizer");
  }

  protected override sanitize_parameters(kwargs: Record<string, unknown>): StageParameters {
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
    });
    return { preprocess, forward, postprocess };
  }

  override preprocess(input: string | Chat, parameters: Record<string, unknown>): ModelInputs {
    const { prefix = "", handle_long_generation, add_special_tokens, truncation, padding, max_length } = parameters;
    const encode_kwargs = {
      ...given({ truncation, padding, max_length }),
      ...((parameters["tokenizer_encode_kwargs"] as object | undefined) ?? {}),
    };
    let encoded: Record<string, unknown>;
    if (is_chat(input)) {
      const continued =
        (parameters["continue_final_message"] as boolean | undefined) ?? input.at(-1)?.role === "assistant";
      encoded = this.tok.apply_chat_template(input, {
        add_generation_prompt: !continued,
        continue_final_message: continued,
        return_dict: true,
        ...encode_kwargs,
      }) as unknown as Record<string, unknown>;
    } else if (typeof input === "string") {
      encoded = this.tok(`${prefix}${input}`, {
        ...given({ add_special_tokens }),
        ...encode_kwargs,
      }) as unknown as Record<string, unknown>;
    } else throw expected("a string or a chat (a list of {role, content})", "text_inputs", input);

    let { input_ids, attention_mask } = encoded as { input_ids: number[]; attention_mask?: number[] };
    if (handle_long_generation === "hole") {
      const keep = this.hole(input_ids.length, parameters);
      input_ids = input_ids.slice(-keep);
      attention_mask = attention_mask?.slice(-keep);
    }
    return {
      rows: { input_ids, ...(attention_mask ? { attention_mask } : {}) },
      extra: { prompt: input, empty: input_ids.length === 0 } satisfies Prompt,
    };
  }

  /** How many of `length` prompt tokens may stay so that the new ones fit into the tokenizer's `model_max_length`. */
  private hole(length: number, parameters: Record<string, unknown>): number {
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

  override async run(batch: ModelInputs[], parameters: Record<string, unknown>): Promise<Generated[]> {
    const { prefix_length = 0, ...kwargs } = parameters as { prefix_length?: number } & Record<string, unknown>;
    const prompts = batch.map((inputs) => inputs.extra as Prompt);
    const padded = this.collate(batch);
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
    const empty = prompts.length === 1 && prompts[0].empty;
    const output = await generative(this.model).generate(empty ? undefined : padded["input_ids"], {
      ...(padded["attention_mask"] && !empty ? { attention_mask: padded["attention_mask"] } : {}),
      ...kwargs,
    });

    const sequences = (
      output instanceof Tensor ? output : (output as GenerateDecoderOnlyOutput).sequences
    ).tolist() as number[][];
    const each = sequences.length / batch.length;
    return prompts.map(({ prompt }, i) => ({
      sequences: sequences.slice(i * each, (i + 1) * each),
      input_ids: empty ? undefined : padded["input_ids"][i],
      prompt,
      extra: output instanceof Tensor ? {} : rows_of(output as GenerateDecoderOnlyOutput, i * each, each),
    }));
  }

  override postprocess(result: unknown, parameters: Record<string, unknown>): TextGenerationOutput {
    const { sequences, input_ids, prompt, extra } = result as Generated;
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
    const others = (row: number) =>
      Object.fromEntries(Object.entries(extra).map(([key, rows]) => [key, (rows as unknown[])[row]]));
    if (return_type === "tensors")
      return sequences.map((generated_token_ids, row) => ({ generated_token_ids, ...others(row) }));

    const prompt_length = input_ids ? decode(input_ids).length : 0;
    return sequences.map((sequence, row) => {
      const text = decode(sequence).slice(prompt_length);
      const generated_text =
        return_type === "full_text" ? with_prompt(prompt, text, parameters["continue_final_message"]) : text;
      return { generated_text, ...others(row) };
    });
  }
}

/** The prompt and what came: one text, or the chat with the answer appended or its last message continued. */
function with_prompt(prompt: string | Chat, text: string, continue_final_message: unknown): string | Chat {
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

/** Without what was not given. */
function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

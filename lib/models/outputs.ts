import { inspect } from "node:util";
import type { Tensor } from "../tensor/index.js";

/**
 * What a model returns: fields by name, by index and in order, as Python's `ModelOutput`.
 * Fields that are absent (undefined or null) do not count, so `output[0]` is the loss when labels were given, else the logits.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/utils/generic.py `ModelOutput`
 */
export class ModelOutput {
  [field: string]: unknown;

  /** `first`: fields that come in this order, before all others. */
  constructor(fields: object, first: readonly string[] = []) {
    const given = fields as Record<string, unknown>;
    for (const name of first) this.set(name, given[name]);
    for (const name in given) if (!first.includes(name)) this.set(name, given[name]);
  }

  private set(name: string, value: unknown): void {
    if (value !== undefined && value !== null) this[name] = value;
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): unknown[] {
    return Object.values(this);
  }

  items(): [string, unknown][] {
    return Object.entries(this);
  }

  /** The present fields in order. */
  to_tuple(): unknown[] {
    return this.values();
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.values()[Symbol.iterator]();
  }

  [inspect.custom](_depth: number, options: object): string {
    return `${this.constructor.name} ${inspect({ ...this }, options)}`;
  }
}

/** More than any model has. */
const MAX_FIELDS = 32;
for (let index = 0; index < MAX_FIELDS; index++)
  Object.defineProperty(ModelOutput.prototype, index, {
    get(this: ModelOutput) {
      return this.values()[index];
    },
  });

/** A `ModelOutput` class; `per_token` names the fields that have one entry for each token. */
export interface OutputClass<Fields extends object = Record<string, unknown>> {
  readonly per_token: readonly string[];
  new (fields: Fields): ModelOutput & Fields;
}

/** Defines a `ModelOutput` class with typed fields. `first`: fields that come in this order, before all others. */
export function output<Fields extends object>(
  name: string,
  per_token: readonly string[] = [],
  first: readonly string[] = [],
): OutputClass<Fields> {
  const type = class extends ModelOutput {
    static readonly per_token = per_token;

    constructor(fields: Fields) {
      super(fields, first);
    }
  };
  Object.defineProperty(type, "name", { value: name });
  return type as unknown as OutputClass<Fields>;
}

/** Hidden states [batch, length, size], embeddings first; attentions [batch, heads, length, length]. */
export interface StatesFields {
  hidden_states?: Tensor[] | undefined;
  attentions?: Tensor[] | undefined;
}

/** last_hidden_state [batch, length, size]; pooler_output [batch, size]. */
export interface BaseFields extends StatesFields {
  last_hidden_state: Tensor;
  pooler_output?: Tensor | undefined;
  past_key_values?: unknown;
}
export const BaseModelOutput = output<BaseFields>("BaseModelOutput", ["last_hidden_state"]);
export const BaseModelOutputWithPooling = output<BaseFields>(
  "BaseModelOutputWithPoolingAndCrossAttentions",
  ["last_hidden_state"],
  ["last_hidden_state", "pooler_output", "hidden_states", "past_key_values"],
);
export const BaseModelOutputWithPast = output<BaseFields>("BaseModelOutputWithPastAndCrossAttentions", [
  "last_hidden_state",
]);
export type BaseModelOutput = ModelOutput & BaseFields;

/** Logits, whose shape is the head's own; the loss when labels were given. */
export interface LogitsFields extends StatesFields {
  loss?: Tensor | undefined;
  logits: Tensor;
}
export const MaskedLMOutput = output<LogitsFields>("MaskedLMOutput", ["logits"]);
export const TokenClassifierOutput = output<LogitsFields>("TokenClassifierOutput", ["logits"]);
export const SequenceClassifierOutput = output<LogitsFields>("SequenceClassifierOutput");
export const SequenceClassifierOutputWithPast = output<LogitsFields>("SequenceClassifierOutputWithPast");
export const MultipleChoiceModelOutput = output<LogitsFields>("MultipleChoiceModelOutput");
export const NextSentencePredictorOutput = output<LogitsFields>("NextSentencePredictorOutput");
export type LogitsOutput = ModelOutput & LogitsFields;

/** Logits [batch, length] of the answer's first and last token. */
export interface QuestionAnsweringFields extends StatesFields {
  loss?: Tensor | undefined;
  start_logits: Tensor;
  end_logits: Tensor;
}
export const QuestionAnsweringModelOutput = output<QuestionAnsweringFields>("QuestionAnsweringModelOutput", [
  "start_logits",
  "end_logits",
]);

/** prediction_logits [batch, length, vocabulary], seq_relationship_logits [batch, 2]. */
export interface PreTrainingFields extends StatesFields {
  loss?: Tensor | undefined;
  prediction_logits: Tensor;
  seq_relationship_logits: Tensor;
}
export const BertForPreTrainingOutput = output<PreTrainingFields>("BertForPreTrainingOutput", ["prediction_logits"]);

/** Logits [batch, length, vocabulary]; the loss when labels were given. */
export interface CausalLMFields extends StatesFields {
  loss?: Tensor | undefined;
  logits: Tensor;
  past_key_values?: unknown;
}
export const CausalLMOutputWithPast = output<CausalLMFields>("CausalLMOutputWithPast", ["logits"]);
export const CausalLMOutputWithCrossAttentions = output<CausalLMFields>("CausalLMOutputWithCrossAttentions", [
  "logits",
]);
export type CausalLMOutputWithPast = ModelOutput & CausalLMFields;

/** What an encoder-decoder gives beside its head's fields. Cross-attentions: [batch, heads, length, encoder's length]. */
export interface Seq2SeqFields {
  loss?: Tensor | undefined;
  past_key_values?: unknown;
  decoder_hidden_states?: Tensor[] | undefined;
  decoder_attentions?: Tensor[] | undefined;
  cross_attentions?: Tensor[] | undefined;
  encoder_last_hidden_state?: Tensor | undefined;
  encoder_hidden_states?: Tensor[] | undefined;
  encoder_attentions?: Tensor[] | undefined;
}
export const Seq2SeqModelOutput = output<Seq2SeqFields & { last_hidden_state: Tensor }>("Seq2SeqModelOutput", [
  "last_hidden_state",
]);
export const Seq2SeqLMOutput = output<Seq2SeqFields & { logits: Tensor }>("Seq2SeqLMOutput", ["logits"]);
export type Seq2SeqLMOutput = ModelOutput & Seq2SeqFields & { logits: Tensor };
export const Seq2SeqSequenceClassifierOutput = output<Seq2SeqFields & { logits: Tensor }>(
  "Seq2SeqSequenceClassifierOutput",
);
export const Seq2SeqQuestionAnsweringModelOutput = output<Seq2SeqFields & { start_logits: Tensor; end_logits: Tensor }>(
  "Seq2SeqQuestionAnsweringModelOutput",
  ["start_logits", "end_logits"],
);

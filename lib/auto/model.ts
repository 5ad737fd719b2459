// The registries: one line for each architecture.
import type { Called } from "../callable.js";
import type { GenerationMixin } from "../generation/mixin.js";
import { type ModelKind, models_of } from "../models/index.js";
import { load_gguf } from "../models/llama/gguf.js";
import { base, causal_lm, type DecoderHead } from "../models/llama/heads.js";
import { type DecoderKind, decoders_of } from "../models/llama/index.js";
import type {
  BaseModelOutput,
  CausalLMOutputWithPast,
  LogitsOutput,
  ModelOutput,
  QuestionAnsweringFields,
  Seq2SeqLMOutput,
} from "../models/outputs.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import { AutoModelFactory } from "./factory.js";

/** A model that is called with inputs and gives an `Output`. */
type ModelFor<Output, Model = PreTrainedModel> = Called<
  Model,
  [inputs?: unknown, options?: Record<string, unknown>],
  Promise<Output>
>;
/** A language model: called, or asked to generate. */
export type CausalLM = ModelFor<CausalLMOutputWithPast, GenerationMixin>;

/** A model that makes a text of a text: called, or asked to generate. */
export type Seq2SeqLM = ModelFor<Seq2SeqLMOutput, GenerationMixin>;

/** Language models that continue a text. */
export const AutoModelForCausalLM = new AutoModelFactory<CausalLM>(
  "AutoModelForCausalLM",
  { ...decoders_of("causal_lm"), ...models_of("causal_lm") },
  gguf(causal_lm),
);

/** Models with an encoder and a decoder, which make a text of a text. */
export const AutoModelForSeq2SeqLM = new AutoModelFactory<Seq2SeqLM>("AutoModelForSeq2SeqLM", models_of("seq2seq_lm"));
function gguf<Model>(head: DecoderHead) {
  return async (path: string, options: object) => (await load_gguf(path, options, head)) as unknown as Model;
}

const auto = <Output>(name: string, kind: ModelKind) => new AutoModelFactory<ModelFor<Output>>(name, models_of(kind));
/** … of a kind that decoders have too. */
const auto_with_decoders = <Output>(name: string, kind: ModelKind & DecoderKind, head?: DecoderHead) =>
  new AutoModelFactory<ModelFor<Output>>(
    name,
    { ...decoders_of(kind), ...models_of(kind) },
    ...(head ? [gguf<ModelFor<Output>>(head)] : []),
  );

/** Models without a head: the hidden states of the last layer. */
export const AutoModel = auto_with_decoders<BaseModelOutput>("AutoModel", "base", base);
export const AutoModelForPreTraining = auto<ModelOutput>("AutoModelForPreTraining", "pretraining");
export const AutoModelForMaskedLM = auto<LogitsOutput>("AutoModelForMaskedLM", "masked_lm");
export const AutoModelForMultipleChoice = auto<LogitsOutput>("AutoModelForMultipleChoice", "multiple_choice");
export const AutoModelForNextSentencePrediction = auto<LogitsOutput>(
  "AutoModelForNextSentencePrediction",
  "next_sentence",
);
export const AutoModelForQuestionAnswering = auto_with_decoders<ModelOutput & QuestionAnsweringFields>(
  "AutoModelForQuestionAnswering",
  "question_answering",
);
export const AutoModelForSequenceClassification = auto_with_decoders<LogitsOutput>(
  "AutoModelForSequenceClassification",
  "sequence_classification",
);
export const AutoModelForTokenClassification = auto_with_decoders<LogitsOutput>(
  "AutoModelForTokenClassification",
  "token_classification",
);
/** Encoders of texts, without a head. */
export const AutoModelForTextEncoding = auto<BaseModelOutput>("AutoModelForTextEncoding", "text_encoding");

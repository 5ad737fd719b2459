// The registries: one line for each architecture.
import type { Called } from "../callable.js";
import type { GenerationMixin } from "../generation/mixin.js";
import { type ModelKind, models_of } from "../models/index.js";
import { causal_lm_class } from "../models/llama/decoder.js";
import { load_gguf } from "../models/llama/gguf.js";
import { LLAMA_FAMILIES } from "../models/llama/index.js";
import type {
  BaseModelOutput,
  CausalLMOutputWithPast,
  LogitsOutput,
  ModelOutput,
  QuestionAnsweringFields,
} from "../models/outputs.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import { AutoModelFactory } from "./factory.js";

const llama_classes = Object.fromEntries(LLAMA_FAMILIES.map((family) => [family.model_type, causal_lm_class(family)]));

/** A model that is called with inputs and gives an `Output`. */
type ModelFor<Output, Model = PreTrainedModel> = Called<
  Model,
  [inputs?: unknown, options?: Record<string, unknown>],
  Promise<Output>
>;
/** A language model: called, or asked to generate. */
export type CausalLM = ModelFor<CausalLMOutputWithPast, GenerationMixin>;

/** A model that makes a text of a text: called, or asked to generate. */
export type Seq2SeqLM = ModelFor<LogitsOutput, GenerationMixin>;

/** Language models that continue a text. */
export const AutoModelForCausalLM = new AutoModelFactory<CausalLM>(
  "AutoModelForCausalLM",
  { ...llama_classes, ...models_of("causal_lm") },
  async (path, options) => (await load_gguf(path, options)) as unknown as CausalLM,
);

/** Models with an encoder and a decoder, which make a text of a text. */
export const AutoModelForSeq2SeqLM = new AutoModelFactory<Seq2SeqLM>("AutoModelForSeq2SeqLM", models_of("seq2seq_lm"));

const auto = <Output>(name: string, kind: ModelKind) => new AutoModelFactory<ModelFor<Output>>(name, models_of(kind));

/** Models without a head: the hidden states of the last layer. */
export const AutoModel = auto<BaseModelOutput>("AutoModel", "base");
export const AutoModelForPreTraining = auto<ModelOutput>("AutoModelForPreTraining", "pretraining");
export const AutoModelForMaskedLM = auto<LogitsOutput>("AutoModelForMaskedLM", "masked_lm");
export const AutoModelForMultipleChoice = auto<LogitsOutput>("AutoModelForMultipleChoice", "multiple_choice");
export const AutoModelForNextSentencePrediction = auto<LogitsOutput>(
  "AutoModelForNextSentencePrediction",
  "next_sentence",
);
export const AutoModelForQuestionAnswering = auto<ModelOutput & QuestionAnsweringFields>(
  "AutoModelForQuestionAnswering",
  "question_answering",
);
export const AutoModelForSequenceClassification = auto<LogitsOutput>(
  "AutoModelForSequenceClassification",
  "sequence_classification",
);
export const AutoModelForTokenClassification = auto<LogitsOutput>(
  "AutoModelForTokenClassification",
  "token_classification",
);

export const GemmaForCausalLM = llama_classes["gemma"];
export const Gemma2ForCausalLM = llama_classes["gemma2"];
export const Gemma3ForCausalLM = llama_classes["gemma3_text"];
export const GraniteForCausalLM = llama_classes["granite"];
export const LlamaForCausalLM = llama_classes["llama"];
export const MistralForCausalLM = llama_classes["mistral"];
export const MixtralForCausalLM = llama_classes["mixtral"];
export const Olmo2ForCausalLM = llama_classes["olmo2"];
export const Phi3ForCausalLM = llama_classes["phi3"];
export const Qwen2ForCausalLM = llama_classes["qwen2"];
export const Qwen2MoeForCausalLM = llama_classes["qwen2_moe"];
export const Qwen3ForCausalLM = llama_classes["qwen3"];
export const Qwen3MoeForCausalLM = llama_classes["qwen3_moe"];
export const SmolLM3ForCausalLM = llama_classes["smollm3"];

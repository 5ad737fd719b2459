// The classes by their names in Python.
import type { DecoderModel } from "./decoder.js";
import { DECODER_CLASSES, type DecoderKind } from "./index.js";

/** Of each family the heads are named below that it has. */
const classes = DECODER_CLASSES as Record<keyof typeof DECODER_CLASSES, Record<DecoderKind, typeof DecoderModel>>;

export const {
  causal_lm: GemmaForCausalLM,
  base: GemmaModel,
  sequence_classification: GemmaForSequenceClassification,
  token_classification: GemmaForTokenClassification,
} = classes.gemma;

export const {
  causal_lm: Gemma2ForCausalLM,
  base: Gemma2Model,
  sequence_classification: Gemma2ForSequenceClassification,
  token_classification: Gemma2ForTokenClassification,
} = classes.gemma2;

export const {
  causal_lm: Gemma3ForCausalLM,
  base: Gemma3TextModel,
  sequence_classification: Gemma3TextForSequenceClassification,
} = classes.gemma3_text;

export const { causal_lm: GraniteForCausalLM, base: GraniteModel } = classes.granite;

export const {
  causal_lm: LlamaForCausalLM,
  base: LlamaModel,
  sequence_classification: LlamaForSequenceClassification,
  token_classification: LlamaForTokenClassification,
  question_answering: LlamaForQuestionAnswering,
} = classes.llama;

export const {
  causal_lm: MistralForCausalLM,
  base: MistralModel,
  sequence_classification: MistralForSequenceClassification,
  token_classification: MistralForTokenClassification,
  question_answering: MistralForQuestionAnswering,
} = classes.mistral;

export const {
  causal_lm: MixtralForCausalLM,
  base: MixtralModel,
  sequence_classification: MixtralForSequenceClassification,
  token_classification: MixtralForTokenClassification,
  question_answering: MixtralForQuestionAnswering,
} = classes.mixtral;

export const { causal_lm: Olmo2ForCausalLM, base: Olmo2Model } = classes.olmo2;

export const {
  causal_lm: Phi3ForCausalLM,
  base: Phi3Model,
  sequence_classification: Phi3ForSequenceClassification,
  token_classification: Phi3ForTokenClassification,
} = classes.phi3;

export const {
  causal_lm: Qwen2ForCausalLM,
  base: Qwen2Model,
  sequence_classification: Qwen2ForSequenceClassification,
  token_classification: Qwen2ForTokenClassification,
  question_answering: Qwen2ForQuestionAnswering,
} = classes.qwen2;

export const {
  causal_lm: Qwen2MoeForCausalLM,
  base: Qwen2MoeModel,
  sequence_classification: Qwen2MoeForSequenceClassification,
  token_classification: Qwen2MoeForTokenClassification,
  question_answering: Qwen2MoeForQuestionAnswering,
} = classes.qwen2_moe;

export const {
  causal_lm: Qwen3ForCausalLM,
  base: Qwen3Model,
  sequence_classification: Qwen3ForSequenceClassification,
  token_classification: Qwen3ForTokenClassification,
  question_answering: Qwen3ForQuestionAnswering,
} = classes.qwen3;

export const {
  causal_lm: Qwen3MoeForCausalLM,
  base: Qwen3MoeModel,
  sequence_classification: Qwen3MoeForSequenceClassification,
  token_classification: Qwen3MoeForTokenClassification,
  question_answering: Qwen3MoeForQuestionAnswering,
} = classes.qwen3_moe;

export const {
  causal_lm: SmolLM3ForCausalLM,
  base: SmolLM3Model,
  sequence_classification: SmolLM3ForSequenceClassification,
  token_classification: SmolLM3ForTokenClassification,
  question_answering: SmolLM3ForQuestionAnswering,
} = classes.smollm3;

// The classes by their names in Python.
import type { DecoderModel } from "./decoder.js";
import { DECODER_CLASSES } from "./index.js";

type Class = typeof DecoderModel;

export const GemmaForCausalLM = DECODER_CLASSES.gemma.causal_lm;
export const GemmaModel = DECODER_CLASSES.gemma.base;
export const GemmaForSequenceClassification = DECODER_CLASSES.gemma.sequence_classification as Class;
export const GemmaForTokenClassification = DECODER_CLASSES.gemma.token_classification as Class;

export const Gemma2ForCausalLM = DECODER_CLASSES.gemma2.causal_lm;
export const Gemma2Model = DECODER_CLASSES.gemma2.base;
export const Gemma2ForSequenceClassification = DECODER_CLASSES.gemma2.sequence_classification as Class;
export const Gemma2ForTokenClassification = DECODER_CLASSES.gemma2.token_classification as Class;

export const Gemma3ForCausalLM = DECODER_CLASSES.gemma3_text.causal_lm;
export const Gemma3TextModel = DECODER_CLASSES.gemma3_text.base;
export const Gemma3TextForSequenceClassification = DECODER_CLASSES.gemma3_text.sequence_classification as Class;

export const GraniteForCausalLM = DECODER_CLASSES.granite.causal_lm;
export const GraniteModel = DECODER_CLASSES.granite.base;

export const LlamaForCausalLM = DECODER_CLASSES.llama.causal_lm;
export const LlamaModel = DECODER_CLASSES.llama.base;
export const LlamaForSequenceClassification = DECODER_CLASSES.llama.sequence_classification as Class;
export const LlamaForTokenClassification = DECODER_CLASSES.llama.token_classification as Class;
export const LlamaForQuestionAnswering = DECODER_CLASSES.llama.question_answering as Class;

export const MistralForCausalLM = DECODER_CLASSES.mistral.causal_lm;
export const MistralModel = DECODER_CLASSES.mistral.base;
export const MistralForSequenceClassification = DECODER_CLASSES.mistral.sequence_classification as Class;
export const MistralForTokenClassification = DECODER_CLASSES.mistral.token_classification as Class;
export const MistralForQuestionAnswering = DECODER_CLASSES.mistral.question_answering as Class;

export const MixtralForCausalLM = DECODER_CLASSES.mixtral.causal_lm;
export const MixtralModel = DECODER_CLASSES.mixtral.base;
export const MixtralForSequenceClassification = DECODER_CLASSES.mixtral.sequence_classification as Class;
export const MixtralForTokenClassification = DECODER_CLASSES.mixtral.token_classification as Class;
export const MixtralForQuestionAnswering = DECODER_CLASSES.mixtral.question_answering as Class;

export const Olmo2ForCausalLM = DECODER_CLASSES.olmo2.causal_lm;
export const Olmo2Model = DECODER_CLASSES.olmo2.base;

export const Phi3ForCausalLM = DECODER_CLASSES.phi3.causal_lm;
export const Phi3Model = DECODER_CLASSES.phi3.base;
export const Phi3ForSequenceClassification = DECODER_CLASSES.phi3.sequence_classification as Class;
export const Phi3ForTokenClassification = DECODER_CLASSES.phi3.token_classification as Class;

export const Qwen2ForCausalLM = DECODER_CLASSES.qwen2.causal_lm;
export const Qwen2Model = DECODER_CLASSES.qwen2.base;
export const Qwen2ForSequenceClassification = DECODER_CLASSES.qwen2.sequence_classification as Class;
export const Qwen2ForTokenClassification = DECODER_CLASSES.qwen2.token_classification as Class;
export const Qwen2ForQuestionAnswering = DECODER_CLASSES.qwen2.question_answering as Class;

export const Qwen2MoeForCausalLM = DECODER_CLASSES.qwen2_moe.causal_lm;
export const Qwen2MoeModel = DECODER_CLASSES.qwen2_moe.base;
export const Qwen2MoeForSequenceClassification = DECODER_CLASSES.qwen2_moe.sequence_classification as Class;
export const Qwen2MoeForTokenClassification = DECODER_CLASSES.qwen2_moe.token_classification as Class;
export const Qwen2MoeForQuestionAnswering = DECODER_CLASSES.qwen2_moe.question_answering as Class;

export const Qwen3ForCausalLM = DECODER_CLASSES.qwen3.causal_lm;
export const Qwen3Model = DECODER_CLASSES.qwen3.base;
export const Qwen3ForSequenceClassification = DECODER_CLASSES.qwen3.sequence_classification as Class;
export const Qwen3ForTokenClassification = DECODER_CLASSES.qwen3.token_classification as Class;
export const Qwen3ForQuestionAnswering = DECODER_CLASSES.qwen3.question_answering as Class;

export const Qwen3MoeForCausalLM = DECODER_CLASSES.qwen3_moe.causal_lm;
export const Qwen3MoeModel = DECODER_CLASSES.qwen3_moe.base;
export const Qwen3MoeForSequenceClassification = DECODER_CLASSES.qwen3_moe.sequence_classification as Class;
export const Qwen3MoeForTokenClassification = DECODER_CLASSES.qwen3_moe.token_classification as Class;
export const Qwen3MoeForQuestionAnswering = DECODER_CLASSES.qwen3_moe.question_answering as Class;

export const SmolLM3ForCausalLM = DECODER_CLASSES.smollm3.causal_lm;
export const SmolLM3Model = DECODER_CLASSES.smollm3.base;
export const SmolLM3ForSequenceClassification = DECODER_CLASSES.smollm3.sequence_classification as Class;
export const SmolLM3ForTokenClassification = DECODER_CLASSES.smollm3.token_classification as Class;
export const SmolLM3ForQuestionAnswering = DECODER_CLASSES.smollm3.question_answering as Class;

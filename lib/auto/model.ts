// The registries: one line for each architecture.
import type { Called } from "../callable.js";
import type { GenerationMixin } from "../generation/mixin.js";
import { causal_lm_class } from "../models/llama/decoder.js";
import { load_gguf } from "../models/llama/gguf.js";
import { LLAMA_FAMILIES } from "../models/llama/index.js";
import type { CausalLMOutputWithPast } from "../models/outputs.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import { AutoModelFactory } from "./factory.js";

const llama_classes = Object.fromEntries(LLAMA_FAMILIES.map((family) => [family.model_type, causal_lm_class(family)]));

/** A language model: called, or asked to generate. */
export type CausalLM = Called<
  GenerationMixin,
  [inputs?: unknown, options?: Record<string, unknown>],
  Promise<CausalLMOutputWithPast>
>;

/** Language models that continue a text. */
export const AutoModelForCausalLM = new AutoModelFactory<CausalLM>(
  "AutoModelForCausalLM",
  llama_classes,
  async (path, options) => (await load_gguf(path, options)) as unknown as CausalLM,
);

/** Models without a head. */
export const AutoModel = new AutoModelFactory<PreTrainedModel>("AutoModel", {});
/** Models that fill masks. */
export const AutoModelForMaskedLM = new AutoModelFactory<PreTrainedModel>("AutoModelForMaskedLM", {});
/** Models that classify texts. */
export const AutoModelForSequenceClassification = new AutoModelFactory<PreTrainedModel>(
  "AutoModelForSequenceClassification",
  {},
);
/** Models that classify each token. */
export const AutoModelForTokenClassification = new AutoModelFactory<PreTrainedModel>(
  "AutoModelForTokenClassification",
  {},
);
/** Models that find answers in a text. */
export const AutoModelForQuestionAnswering = new AutoModelFactory<PreTrainedModel>("AutoModelForQuestionAnswering", {});

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

// Python's configuration classes by name. Those without an export here come from `AutoConfig.for_model`.
import { config_class } from "./from_table.js";
import type { ConfigClass } from "./pretrained_config.js";

function named(model_type: string): ConfigClass {
  return config_class(model_type)!;
}

export const AlbertConfig = named("albert");
export const BartConfig = named("bart");
export const BertConfig = named("bert");
export const BloomConfig = named("bloom");
export const CamembertConfig = named("camembert");
export const CLIPConfig = named("clip");
export const CLIPTextConfig = named("clip_text_model");
export const CLIPVisionConfig = named("clip_vision_model");
export const DebertaV2Config = named("deberta-v2");
export const DetrConfig = named("detr");
export const DistilBertConfig = named("distilbert");
export const ElectraConfig = named("electra");
export const FalconConfig = named("falcon");
export const GemmaConfig = named("gemma");
export const Gemma2Config = named("gemma2");
export const Gemma3Config = named("gemma3");
export const Gemma3TextConfig = named("gemma3_text");
export const GPT2Config = named("gpt2");
export const GPTNeoXConfig = named("gpt_neox");
export const GPTJConfig = named("gptj");
export const GraniteConfig = named("granite");
export const LlamaConfig = named("llama");
export const MarianConfig = named("marian");
export const MBartConfig = named("mbart");
export const MinistralConfig = named("ministral");
export const MistralConfig = named("mistral");
export const MixtralConfig = named("mixtral");
export const MPNetConfig = named("mpnet");
export const MT5Config = named("mt5");
export const Olmo2Config = named("olmo2");
export const OpenAIGPTConfig = named("openai-gpt");
export const PegasusConfig = named("pegasus");
export const PhiConfig = named("phi");
export const Phi3Config = named("phi3");
export const Qwen2Config = named("qwen2");
export const Qwen2MoeConfig = named("qwen2_moe");
export const Qwen3Config = named("qwen3");
export const Qwen3MoeConfig = named("qwen3_moe");
export const ResNetConfig = named("resnet");
export const RobertaConfig = named("roberta");
export const SiglipVisionConfig = named("siglip_vision_model");
export const SmolLM3Config = named("smollm3");
export const T5Config = named("t5");
export const UMT5Config = named("umt5");
export const ViltConfig = named("vilt");
export const ViTConfig = named("vit");
export const Wav2Vec2Config = named("wav2vec2");
export const WhisperConfig = named("whisper");
export const XLMRobertaConfig = named("xlm-roberta");

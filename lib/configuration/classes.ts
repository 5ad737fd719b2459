// Configuration classes made from the tables that scripts/generate-configs.py writes.
import { TransformersError } from "../errors.js";
import { parse_json } from "../python_json.js";
import { TABLES } from "./generated/tables.js";
import { type ConfigClass, type ConfigDict, PretrainedConfig } from "./pretrained_config.js";
import { RULES } from "./rules.js";

interface Table {
  class_name: string;
  defaults: ConfigDict;
  attribute_map?: Record<string, string>;
  /** Arguments that take another's value when they are null. */
  fallbacks?: Record<string, string>;
  keys_to_ignore_at_inference?: string[];
  base_config_key?: string;
  sub_configs?: Record<string, string>;
  model_type?: string;
}

const classes = new Map<string, ConfigClass>();

/** The class of a model type that has a table; undefined for others. Its table is parsed when it is first needed. */
export function config_class(model_type: string): ConfigClass | undefined {
  if (!Object.hasOwn(TABLES, model_type)) return undefined;
  const known = classes.get(model_type);
  if (known) return known;
  let parsed: Table | undefined;
  const table = (): Table => (parsed ??= parse_json(TABLES[model_type]!) as Table);
  const fixed: Record<string, () => unknown> = {
    name: () => table().class_name,
    model_type: () => table().model_type ?? model_type,
    defaults: () => table().defaults,
    attribute_map: () => table().attribute_map ?? {},
    sub_configs: () => table().sub_configs ?? {},
    base_config_key: () => table().base_config_key ?? "",
    keys_to_ignore_at_inference: () => table().keys_to_ignore_at_inference ?? [],
  };
  const made = class extends PretrainedConfig {
    protected static override complete(config: PretrainedConfig, given: ConfigDict): void {
      for (const [name, source] of Object.entries(table().fallbacks ?? {})) config[name] ??= config[source];
      RULES[model_type]?.(config, given, make_config);
    }
  };
  for (const [name, get] of Object.entries(fixed)) Object.defineProperty(made, name, { get, configurable: true });
  classes.set(model_type, made);
  return made;
}

function make_config(model_type: string, kwargs: ConfigDict = {}): PretrainedConfig {
  const made = config_class(model_type);
  if (!made) throw new TransformersError(`There is no configuration class for ${model_type} here.`, "config_unknown");
  return new made(kwargs);
}

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

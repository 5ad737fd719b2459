// Exports only.
export { AutoConfig } from "./auto/configuration.js";
export * from "./auto/model.js";
export { type PipelineOptions, pipeline } from "./auto/pipeline.js";
export { RagTokenizer } from "./auto/rag_tokenizer.js";
export {
  type AliasTasks,
  type AliasType,
  type AllTasks,
  PIPELINE_REGISTRY,
  type PipelineType,
  type SupportedTasks,
  type TaskType,
} from "./auto/tasks.js";
export { AutoTokenizer } from "./auto/tokenizer.js";
export * from "./configuration/classes.js";
export { PretrainedConfig } from "./configuration/pretrained_config.js";
export { TransformersError } from "./errors.js";
export { GenerateCall } from "./generation/call.js";
export { GenerationConfig } from "./generation/configuration.js";
export { GrammarLogitsProcessor } from "./generation/grammar/grammar_processor.js";
export { json_schema_to_grammar } from "./generation/grammar/json_schema.js";
export * from "./generation/logits_process.js";
export {
  GenerateBeamDecoderOnlyOutput,
  GenerateBeamEncoderDecoderOutput,
  GenerateDecoderOnlyOutput,
  GenerateEncoderDecoderOutput,
} from "./generation/outputs.js";
export { type ResponseFormat, response_format_to_grammar } from "./generation/response_format.js";
export * from "./generation/stopping_criteria.js";
export { AsyncTextIteratorStreamer, BaseStreamer, TextIteratorStreamer, TextStreamer } from "./generation/streamers.js";
export {
  type ParsedResponse,
  parse_response,
  parse_tool_calls,
  type ToolCall,
  type ToolChoice,
  type ToolDefinition,
} from "./generation/tool_calls.js";
export { WatermarkingConfig } from "./generation/watermarking.js";
export { env, LogLevel } from "./hub/env.js";
export * from "./models/bart.js";
export * from "./models/bert.js";
export * from "./models/bert_heads.js";
export * from "./models/camembert.js";
export * from "./models/distilbert.js";
export * from "./models/gpt2.js";
export * as heads from "./models/heads.js";
export * from "./models/llama/classes.js";
export * from "./models/marian.js";
export * from "./models/mbart.js";
export * from "./models/outputs.js";
export * from "./models/pegasus.js";
export { PreTrainedModel } from "./models/pretrained.js";
export * from "./models/roberta.js";
export { Seq2SeqModel } from "./models/seq2seq_model.js";
export * from "./models/t5.js";
export { TextModel } from "./models/text_model.js";
export * from "./models/xlm_roberta.js";
export * as nn from "./nn/index.js";
export {
  ChunkPipeline,
  type Fields,
  Pipeline,
  PipelineException,
  type PipelineParts,
  type StageParameters,
} from "./pipelines/base.js";
export * from "./pipelines/feature_extraction.js";
export * from "./pipelines/fill_mask.js";
export * from "./pipelines/question_answering.js";
export * from "./pipelines/summarization.js";
export * from "./pipelines/text_classification.js";
export * from "./pipelines/text_generation.js";
export * from "./pipelines/text2text_generation.js";
export * from "./pipelines/token_classification.js";
export * from "./pipelines/translation.js";
export * from "./pipelines/zero_shot_classification.js";
export * from "./tensor/index.js";
export type { Message } from "./tokenization/chat_template.js";
export * from "./tokenization/index.js";

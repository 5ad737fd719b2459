// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text2text_generation.py `Text2TextGenerationPipeline`
import { type TextsCall, TextToTextPipeline, type TextToTextPipelineOptions } from "./text_to_text.js";

export interface Text2TextGenerationSingle {
  generated_text: string;
}
/** With `return_tensors`. */
export interface Text2TextGenerationTokens {
  generated_token_ids: number[];
}
export type Text2TextGenerationOutput = Text2TextGenerationSingle[];
export type Text2TextGenerationPipelineOptions = TextToTextPipelineOptions;

export interface Text2TextGenerationPipeline
  extends TextsCall<Text2TextGenerationPipelineOptions, Text2TextGenerationSingle, Text2TextGenerationTokens> {}

/** Makes a text of a text. */
export class Text2TextGenerationPipeline extends TextToTextPipeline {
  static override return_name = "generated";
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text2text_generation.py `SummarizationPipeline`
import { warn_once } from "../errors.js";
import { type TextsCall, TextToTextPipeline, type TextToTextPipelineOptions } from "./text_to_text.js";

export interface SummarizationSingle {
  summary_text: string;
}
/** With `return_tensors`. */
export interface SummarizationTokens {
  summary_token_ids: number[];
}
export type SummarizationOutput = SummarizationSingle[];
export type SummarizationPipelineOptions = TextToTextPipelineOptions;

export interface SummarizationPipeline
  extends TextsCall<SummarizationPipelineOptions, SummarizationSingle, SummarizationTokens> {}

/** Makes texts shorter. */
export class SummarizationPipeline extends TextToTextPipeline {
  static override return_name = "summary";

  protected override check_inputs(input_length: number, min_length: number, max_length: number): void {
    if (max_length < min_length)
      warn_once(`Your min_length=${min_length} must be inferior than your max_length=${max_length}.`);
    if (input_length < max_length)
      warn_once(
        `Your max_length is set to ${max_length}, but your input_length is only ${input_length}. Since this is a summarization task, where outputs shorter than the input are typically wanted, you might consider decreasing max_length manually, e.g. summarizer('...', max_length=${Math.floor(input_length / 2)})`,
      );
  }
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/text2text_generation.py `TranslationPipeline`
import { warn_once } from "../errors.js";
import type { BatchEncoding } from "../tokenization/index.js";
import { type Fields, given, type Kwargs, type StageParameters } from "./base.js";
import { check_text, type TextsCall, TextToTextPipeline, type TextToTextPipelineOptions } from "./text_to_text.js";

export interface TranslationSingle {
  translation_text: string;
}
/** With `return_tensors`. */
export interface TranslationTokens {
  translation_token_ids: number[];
}
export type TranslationOutput = TranslationSingle[];
/** Besides these, every option of `generate`. */
export interface TranslationPipelineOptions extends TextToTextPipelineOptions {
  /** The language of the texts, for models that know several: "en_XX". */
  src_lang?: string;
  /** The language to translate into. */
  tgt_lang?: string;
}

interface TranslationTokenizer {
  _build_translation_inputs?(text: string, options: Kwargs): BatchEncoding;
}

export interface TranslationPipeline
  extends TextsCall<TranslationPipelineOptions, TranslationSingle, TranslationTokens> {}

/** Translates from one language to another. */
export class TranslationPipeline extends TextToTextPipeline {
  static override return_name = "translation";

  override _sanitize_parameters(kwargs: Kwargs): StageParameters {
    const { src_lang, tgt_lang, ...rest } = kwargs;
    const { preprocess, ...others } = super._sanitize_parameters(rest);
    return { preprocess: { ...preprocess, ...given({ src_lang, tgt_lang }) }, ...others };
  }

  protected override check_inputs(input_length: number, _min_length: number, max_length: number): void {
    if (input_length > 0.9 * max_length)
      warn_once(
        `Your input_length: ${input_length} is bigger than 0.9 * max_length: ${max_length}. You might consider increasing your max_length manually, e.g. translator('...', max_length=400)`,
      );
  }

  /** Tokenizers of several languages build the inputs themselves, without a prefix. */
  override preprocess(text: string, parameters: Kwargs): Fields {
    const [, source, , target] = this.task.split("_"); // translation_xx_to_yy
    const { src_lang, tgt_lang, prefix, ...options } = parameters;
    const tokenizer = this.tok as unknown as TranslationTokenizer;
    if (!tokenizer._build_translation_inputs) return super.preprocess(text, given({ prefix, ...options }));
    const languages = src_lang || tgt_lang ? { src_lang, tgt_lang } : { src_lang: source, tgt_lang: target };
    check_text(text);
    return this.fields_of(
      tokenizer._build_translation_inputs(text, { return_tensors: "pt", ...options, ...languages }),
    );
  }
}

// Exports only.
export { AddedToken, type AddedTokenFlags, type Token } from "./added_token.js";
export { type DecodeOptions, PreTrainedTokenizerBase } from "./base.js";
export { BatchEncoding } from "./batch_encoding.js";
export type { ChatOptions, Conversation, Message } from "./chat_template.js";
export * from "./classes.js";
export type { InfillingOptions } from "./code_llama.js";
export { DecodeStream, type DecodeStreamOptions } from "./decode_stream.js";
export { Encoding, type OffsetsUnit, type Span } from "./encoding.js";
export { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
export type { PretrainedOptions } from "./loading.js";
export { MarianTokenizer } from "./marian.js";
export type { EncodeOptions, PaddingOption, PadOptions, Side, TruncationStrategy } from "./options.js";
export type { SaveOptions } from "./saving.js";
export { PreTrainedTokenizer } from "./slow.js";
export type { TextIterator, TrainingOptions } from "./training.js";
export type { TranslationOptions } from "./translation_families.js";
export * from "./wav2vec2.js";
export type { WhisperDecodeOptions, WhisperOffset, WhisperText } from "./whisper.js";

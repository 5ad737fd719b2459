// ggml-transformers/tokenizers: the API of the npm package `tokenizers` 0.23.2, and synchronous methods.
export { AddedToken, type AddedTokenOptions } from "./added_token.js";
export {
  bpeDecoder,
  byteFallbackDecoder,
  byteLevelDecoder,
  ctcDecoder,
  Decoder,
  fuseDecoder,
  metaspaceDecoder,
  replaceDecoder,
  sequenceDecoder,
  stripDecoder,
  wordPieceDecoder,
} from "./decoders.js";
export {
  Encoding,
  Encoding as JsEncoding,
  mergeEncodings,
  type OffsetsUnit,
  type Span,
} from "./encoding.js";
export type { EncodeInput, EncodeOptions, InputSequence } from "./inputs.js";
export {
  PaddingDirection,
  type PaddingOptions,
  TruncationDirection,
  TruncationDirection as JsTruncationDirection,
  type TruncationOptions,
  TruncationStrategy,
  TruncationStrategy as JsTruncationStrategy,
} from "./limits.js";
export {
  BPE,
  BPE as Bpe,
  type BpeOptions,
  type Merges,
  Model,
  Unigram,
  type UnigramOptions,
  type Vocab,
  WordLevel,
  type WordLevelOptions,
  WordPiece,
  type WordPieceOptions,
} from "./models.js";
export {
  type BertNormalizerOptions,
  bertNormalizer,
  lowercase,
  Normalizer,
  nfcNormalizer,
  nfdNormalizer,
  nfkcNormalizer,
  nfkdNormalizer,
  nmt,
  precompiled,
  prependNormalizer,
  replace,
  sequenceNormalizer,
  stripAccentsNormalizer,
  stripNormalizer,
} from "./normalizers.js";
export {
  bertPreTokenizer,
  byteLevelAlphabet,
  byteLevelPreTokenizer,
  charDelimiterSplit,
  digitsPreTokenizer,
  JsSplitDelimiterBehavior,
  metaspacePreTokenizer,
  PreTokenizer,
  punctuationPreTokenizer,
  sequencePreTokenizer,
  splitPreTokenizer,
  whitespacePreTokenizer,
  whitespaceSplitPreTokenizer,
} from "./pre_tokenizers.js";
export {
  bertProcessing,
  byteLevelProcessing,
  Processor,
  robertaProcessing,
  sequenceProcessing,
  templateProcessing,
} from "./processors.js";
export { slice } from "./slice.js";
export { type TextIterator, Tokenizer } from "./tokenizer.js";
export {
  type BpeTrainerOptions,
  bpeTrainer,
  Trainer,
  type TrainerOptions,
  type UnigramTrainerOptions,
  unigramTrainer,
  type WordLevelTrainerOptions,
  type WordPieceTrainerOptions,
  wordLevelTrainer,
  wordPieceTrainer,
} from "./trainers.js";

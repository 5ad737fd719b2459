// The tokenizer classes that Python has no fast form of, by their Python names.
import { LukeTokenizer, MLukeTokenizer } from "./luke.js";
import { MarianTokenizer } from "./marian.js";
import { RoCBertTokenizer } from "./roc_bert.js";
import { ClvpTokenizer } from "./slow_byte_bpe.js";
import {
  ByT5Tokenizer,
  CanineTokenizer,
  DiaTokenizer,
  MgpstrTokenizer,
  MyT5Tokenizer,
  PerceiverTokenizer,
} from "./slow_bytes.js";
import { GPTNeoXJapaneseTokenizer } from "./slow_japanese.js";
import { M2M100Tokenizer, PLBartTokenizer, Speech2TextTokenizer } from "./slow_languages.js";
import { VitsTokenizer, Wav2Vec2PhonemeCTCTokenizer } from "./slow_phonemes.js";
import {
  BertGenerationTokenizer,
  GPTSw3Tokenizer,
  SiglipTokenizer,
  SpeechT5Tokenizer,
  XLMProphetNetTokenizer,
} from "./slow_sentencepiece.js";
import { BartphoTokenizer, ErnieMTokenizer } from "./slow_vocabularies.js";
import {
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  CTRLTokenizer,
  EsmTokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
  Speech2Text2Tokenizer,
} from "./slow_words.js";
import { TapasTokenizer } from "./tapas.js";
import { Wav2Vec2CTCTokenizer } from "./wav2vec2.js";

const CLASSES = {
  BartphoTokenizer,
  BertGenerationTokenizer,
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  ByT5Tokenizer,
  CTRLTokenizer,
  CanineTokenizer,
  ClvpTokenizer,
  DiaTokenizer,
  ErnieMTokenizer,
  EsmTokenizer,
  GPTNeoXJapaneseTokenizer,
  GPTSw3Tokenizer,
  LukeTokenizer,
  M2M100Tokenizer,
  MLukeTokenizer,
  MarianTokenizer,
  MgpstrTokenizer,
  MyT5Tokenizer,
  PLBartTokenizer,
  PerceiverTokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
  RoCBertTokenizer,
  SiglipTokenizer,
  Speech2Text2Tokenizer,
  Speech2TextTokenizer,
  SpeechT5Tokenizer,
  TapasTokenizer,
  VitsTokenizer,
  Wav2Vec2CTCTokenizer,
  Wav2Vec2PhonemeCTCTokenizer,
  XLMProphetNetTokenizer,
};

type SlowClass = (typeof CLASSES)[keyof typeof CLASSES];

export const SLOW_TOKENIZER_CLASSES: ReadonlyMap<string, SlowClass> = new Map(Object.entries(CLASSES));

const SACREMOSES = "Python splits its texts with the package sacremoses";
const JIEBA = "Python splits its texts with the package rjieba";

/** Classes of Python that do not exist here, and why. */
export const REFUSED_TOKENIZER_CLASSES: ReadonlyMap<string, string> = new Map([
  ["BertJapaneseTokenizer", "Python splits its texts with MeCab, Sudachi or Juman++"],
  ["BioGptTokenizer", SACREMOSES],
  ["CpmAntTokenizer", JIEBA],
  ["CpmTokenizer", JIEBA],
  ["FSMTTokenizer", SACREMOSES],
  ["FastSpeech2ConformerTokenizer", "Python splits its texts with the package g2p_en"],
  ["FlaubertTokenizer", SACREMOSES],
  ["GPTSanJapaneseTokenizer", "Python splits its texts by rules for Japanese"],
  ["JukeboxTokenizer", "its inputs are artists, genres and lyrics"],
  ["RoFormerTokenizer", JIEBA],
  ["TapexTokenizer", "its inputs are tables"],
  ["TransfoXLTokenizer", SACREMOSES],
  ["XLMTokenizer", SACREMOSES],
]);

export * from "./luke.js";
export * from "./slow_bytes.js";
export * from "./slow_languages.js";
export * from "./slow_phonemes.js";
export * from "./tapas.js";
export {
  BartphoTokenizer,
  BertGenerationTokenizer,
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  ClvpTokenizer,
  CTRLTokenizer,
  ErnieMTokenizer,
  EsmTokenizer,
  GPTNeoXJapaneseTokenizer,
  GPTSw3Tokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
  RoCBertTokenizer,
  SiglipTokenizer,
  Speech2Text2Tokenizer,
  SpeechT5Tokenizer,
  XLMProphetNetTokenizer,
};

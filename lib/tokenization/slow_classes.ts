// The tokenizer classes that Python has no fast form of, by their Python names.
import { MarianTokenizer } from "./marian.js";
import { ByT5Tokenizer, CanineTokenizer, DiaTokenizer, MgpstrTokenizer, PerceiverTokenizer } from "./slow_bytes.js";
import { M2M100Tokenizer, PLBartTokenizer, Speech2TextTokenizer } from "./slow_languages.js";
import {
  BertGenerationTokenizer,
  GPTSw3Tokenizer,
  SiglipTokenizer,
  SpeechT5Tokenizer,
  XLMProphetNetTokenizer,
} from "./slow_sentencepiece.js";
import {
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  CTRLTokenizer,
  EsmTokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
} from "./slow_words.js";
import { Wav2Vec2CTCTokenizer } from "./wav2vec2.js";

const CLASSES = {
  BertGenerationTokenizer,
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  ByT5Tokenizer,
  CTRLTokenizer,
  CanineTokenizer,
  DiaTokenizer,
  EsmTokenizer,
  GPTSw3Tokenizer,
  M2M100Tokenizer,
  MarianTokenizer,
  MgpstrTokenizer,
  PLBartTokenizer,
  PerceiverTokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
  SiglipTokenizer,
  Speech2TextTokenizer,
  SpeechT5Tokenizer,
  Wav2Vec2CTCTokenizer,
  XLMProphetNetTokenizer,
};

type SlowClass = (typeof CLASSES)[keyof typeof CLASSES];

export const SLOW_TOKENIZER_CLASSES: ReadonlyMap<string, SlowClass> = new Map(Object.entries(CLASSES));

const SACREMOSES = "Python splits its texts with the package sacremoses";
const JIEBA = "Python splits its texts with the package rjieba";

/** Classes of Python that do not exist here, and why. */
export const REFUSED_TOKENIZER_CLASSES: ReadonlyMap<string, string> = new Map([
  ["BartphoTokenizer", "it numbers its pieces by a second vocabulary"],
  ["BertJapaneseTokenizer", "Python splits its texts with MeCab, Sudachi or Juman++"],
  ["BioGptTokenizer", SACREMOSES],
  ["ClvpTokenizer", "Python writes its numbers and abbreviations as English words"],
  ["CpmAntTokenizer", JIEBA],
  ["CpmTokenizer", JIEBA],
  ["ErnieMTokenizer", "it numbers its pieces by a second vocabulary"],
  ["FSMTTokenizer", SACREMOSES],
  ["FastSpeech2ConformerTokenizer", "Python splits its texts with the package g2p_en"],
  ["FlaubertTokenizer", SACREMOSES],
  ["GPTNeoXJapaneseTokenizer", "Python splits its texts by rules for Japanese"],
  ["GPTSanJapaneseTokenizer", "Python splits its texts by rules for Japanese"],
  ["JukeboxTokenizer", "its inputs are artists, genres and lyrics"],
  ["LukeTokenizer", "its inputs are texts with entities"],
  ["MLukeTokenizer", "its inputs are texts with entities"],
  ["MarkupLMTokenizer", "its inputs are the nodes of a page"],
  ["MyT5Tokenizer", "Python takes its bytes apart by rules for morphemes"],
  ["RagTokenizer", "it is two tokenizers"],
  ["RoCBertTokenizer", "it needs the shapes and sounds of characters"],
  ["RoFormerTokenizer", JIEBA],
  ["Speech2Text2Tokenizer", "Python only keeps it for old models"],
  ["TapasTokenizer", "its inputs are tables"],
  ["TapexTokenizer", "its inputs are tables"],
  ["TransfoXLTokenizer", SACREMOSES],
  ["VitsTokenizer", "Python writes its texts as phonemes"],
  ["Wav2Vec2PhonemeCTCTokenizer", "Python writes its texts as phonemes"],
  ["XLMTokenizer", SACREMOSES],
]);

export * from "./slow_bytes.js";
export * from "./slow_languages.js";
export {
  BertGenerationTokenizer,
  BertweetTokenizer,
  BlenderbotSmallTokenizer,
  CTRLTokenizer,
  EsmTokenizer,
  GPTSw3Tokenizer,
  PhobertTokenizer,
  ProphetNetTokenizer,
  SiglipTokenizer,
  SpeechT5Tokenizer,
  XLMProphetNetTokenizer,
};

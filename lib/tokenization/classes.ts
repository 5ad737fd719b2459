// The tokenizer classes by their Python names, with the data in which they differ. Python's slow classes share the
// implementation of the fast ones: both names are exported for both.
import { BOX_FAMILIES } from "./box_families.js";
import { CodeLlamaTokenizerFast } from "./code_llama.js";
import {
  BertFamily,
  BlenderbotFamily,
  CLIPFamily,
  GPT2Family,
  ParakeetFamily,
  Qwen2Family,
  RobertaFamily,
  SentencePieceFamily,
  SplinterFamily,
  XGLMFamily,
} from "./families.js";
import { PreTrainedTokenizerFast } from "./fast.js";
import { LAYOUTS, type Layout, type MaskKind, SENTENCE } from "./layout.js";
import { BosEosTokenizerFast, LlamaTokenizerFast as Llama } from "./llama.js";
import { MarkupLMFamily } from "./markuplm.js";
import { PegasusFamily, T5Family } from "./seq2seq_families.js";
import { MBart50Family, MBartFamily, NllbFamily, SeamlessM4TFamily } from "./translation_families.js";
import { WhisperTokenizerFast } from "./whisper.js";

type TokenizerClass = typeof PreTrainedTokenizerFast;

interface Difference {
  keywords?: Record<string, unknown>;
  model_input_names?: readonly string[];
  padding_side?: "left" | "right";
  vocab_file?: string;
  layout?: Layout;
  words_need_space?: boolean;
  pad_token_type_id?: number;
  mask_of?: MaskKind;
}

const NO_TYPES = ["input_ids", "attention_mask"];

/** A class of this name; keywords that are undefined are taken out of the base's. */
function derive(
  name: string,
  base: TokenizerClass,
  { keywords, vocab_file, ...statics }: Difference = {},
): TokenizerClass {
  const class_ = class extends base {};
  const merged = Object.entries({ ...base.keywords, ...keywords }).filter(([, value]) => value !== undefined);
  const files = vocab_file
    ? {
        vocab_file,
        ...(vocab_file === "vocab.json" && { merges_file: "merges.txt" }),
        tokenizer_file: "tokenizer.json",
      }
    : base.vocab_files_names;
  const values = { name, keywords: Object.fromEntries(merged), vocab_files_names: files, ...statics };
  for (const [key, value] of Object.entries(values)) Object.defineProperty(class_, key, { value, configurable: true });
  return class_;
}

const END = { unk_token: "<|endoftext|>", bos_token: "<|endoftext|>", eos_token: "<|endoftext|>" };
const ALBERT = {
  do_lower_case: true,
  remove_space: true,
  keep_accents: false,
  bos_token: "[CLS]",
  eos_token: "[SEP]",
  unk_token: "<unk>",
  sep_token: "[SEP]",
  pad_token: "<pad>",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};
const XLNET = {
  ...SENTENCE,
  do_lower_case: false,
  remove_space: true,
  keep_accents: false,
  sep_token: "<sep>",
  cls_token: "<cls>",
  additional_special_tokens: ["<eop>", "<eod>"],
};
const GEMMA = {
  clean_up_tokenization_spaces: false,
  unk_token: "<unk>",
  bos_token: "<bos>",
  eos_token: "<eos>",
  pad_token: "<pad>",
  add_bos_token: true,
  add_eos_token: false,
};
const COHERE = {
  clean_up_tokenization_spaces: false,
  unk_token: "<UNK>",
  bos_token: "<BOS_TOKEN>",
  eos_token: "<|END_OF_TURN_TOKEN|>",
  add_bos_token: true,
  add_eos_token: false,
  use_default_system_prompt: false,
  add_prefix_space: false,
};
const SPM = { model_input_names: NO_TYPES, vocab_file: "sentencepiece.bpe.model" };
const LANGUAGES = { ...SENTENCE, src_lang: null, tgt_lang: null };

/** Fast class names without "TokenizerFast". */
const CLASSES = {
  Albert: [SentencePieceFamily, { keywords: ALBERT, vocab_file: "spiece.model", layout: LAYOUTS.bert }],
  Bart: [RobertaFamily],
  Barthez: [SentencePieceFamily, { ...SPM, keywords: SENTENCE }],
  Bert: [BertFamily],
  BigBird: [
    SentencePieceFamily,
    {
      mask_of: "ends",
      layout: LAYOUTS.bert,
      model_input_names: NO_TYPES,
      vocab_file: "spiece.model",
      keywords: { ...SENTENCE, sep_token: "[SEP]", mask_token: "[MASK]", cls_token: "[CLS]" },
    },
  ],
  Blenderbot: [BlenderbotFamily],
  Bloom: [
    PreTrainedTokenizerFast,
    {
      words_need_space: true,
      model_input_names: NO_TYPES,
      keywords: {
        unk_token: "<unk>",
        bos_token: "<s>",
        eos_token: "</s>",
        pad_token: "<pad>",
        add_prefix_space: false,
        clean_up_tokenization_spaces: false,
      },
    },
  ],
  CLIP: [
    CLIPFamily,
    {
      keywords: {
        unk_token: "<|endoftext|>",
        bos_token: "<|startoftext|>",
        eos_token: "<|endoftext|>",
        pad_token: "<|endoftext|>",
      },
    },
  ],
  Camembert: [
    SentencePieceFamily,
    { ...SPM, keywords: { ...SENTENCE, additional_special_tokens: ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"] } },
  ],
  CodeGen: [GPT2Family, { keywords: { ...END, add_prefix_space: false, return_token_type_ids: false } }],
  Cohere: [
    BosEosTokenizerFast,
    { model_input_names: NO_TYPES, padding_side: "left", keywords: COHERE, words_need_space: true },
  ],
  ConvBert: [BertFamily],
  DPRContextEncoder: [BertFamily],
  DPRQuestionEncoder: [BertFamily],
  DPRReader: [BertFamily, { model_input_names: NO_TYPES }],
  Deberta: [
    RobertaFamily,
    {
      layout: LAYOUTS.bert,
      model_input_names: ["input_ids", "attention_mask", "token_type_ids"],
      keywords: {
        bos_token: "[CLS]",
        eos_token: "[SEP]",
        sep_token: "[SEP]",
        cls_token: "[CLS]",
        unk_token: "[UNK]",
        pad_token: "[PAD]",
        mask_token: "[MASK]",
        trim_offsets: undefined,
      },
    },
  ],
  DebertaV2: [
    PreTrainedTokenizerFast,
    {
      mask_of: "all",
      layout: LAYOUTS.bert,
      vocab_file: "spm.model",
      keywords: {
        do_lower_case: false,
        split_by_punct: false,
        bos_token: "[CLS]",
        eos_token: "[SEP]",
        unk_token: "[UNK]",
        sep_token: "[SEP]",
        pad_token: "[PAD]",
        cls_token: "[CLS]",
        mask_token: "[MASK]",
      },
    },
  ],
  DistilBert: [BertFamily, { model_input_names: NO_TYPES }],
  Electra: [BertFamily],
  FNet: [
    SentencePieceFamily,
    {
      layout: LAYOUTS.bert,
      model_input_names: ["input_ids", "token_type_ids"],
      vocab_file: "spiece.model",
      keywords: {
        do_lower_case: false,
        remove_space: true,
        keep_accents: true,
        unk_token: "<unk>",
        sep_token: "[SEP]",
        pad_token: "<pad>",
        cls_token: "[CLS]",
        mask_token: "[MASK]",
      },
    },
  ],
  Funnel: [
    BertFamily,
    {
      layout: ["cls:2 A:0 sep:0", "cls:2 A:0 sep:0 B:1 sep:1"],
      keywords: {
        unk_token: "<unk>",
        sep_token: "<sep>",
        pad_token: "<pad>",
        cls_token: "<cls>",
        mask_token: "<mask>",
        bos_token: "<s>",
        eos_token: "</s>",
        clean_text: true,
        wordpieces_prefix: "##",
      },
    },
  ],
  GPT2: [GPT2Family, { keywords: { ...END, add_prefix_space: false } }],
  GPTNeoX: [
    BosEosTokenizerFast,
    {
      mask_of: "all",
      model_input_names: NO_TYPES,
      keywords: { ...END, pad_token: null, add_bos_token: false, add_eos_token: false, add_prefix_space: false },
    },
  ],
  Gemma: [
    BosEosTokenizerFast,
    { model_input_names: NO_TYPES, padding_side: "left", vocab_file: "tokenizer.model", keywords: GEMMA },
  ],
  Herbert: [
    GPT2Family,
    {
      mask_of: "all",
      layout: LAYOUTS.bert,
      words_need_space: false,
      model_input_names: ["input_ids", "token_type_ids", "attention_mask"],
      keywords: { cls_token: "<s>", unk_token: "<unk>", pad_token: "<pad>", mask_token: "<mask>", sep_token: "</s>" },
    },
  ],
  LED: [RobertaFamily],
  LayoutLM: [BertFamily],
  LayoutLMv2: [BOX_FAMILIES.LayoutLMv2],
  LayoutLMv3: [BOX_FAMILIES.LayoutLMv3],
  LayoutXLM: [BOX_FAMILIES.LayoutXLM],
  Longformer: [RobertaFamily],
  Lxmert: [BertFamily],
  MarkupLM: [MarkupLMFamily],
  MBart: [MBartFamily, { ...SPM, keywords: LANGUAGES }],
  MBart50: [MBart50Family, { ...SPM, keywords: { ...LANGUAGES, bos_token: undefined } }],
  MPNet: [
    BertFamily,
    {
      layout: LAYOUTS.roberta,
      model_input_names: NO_TYPES,
      keywords: {
        bos_token: "<s>",
        eos_token: "</s>",
        sep_token: "</s>",
        cls_token: "<s>",
        unk_token: "[UNK]",
        pad_token: "<pad>",
        mask_token: "<mask>",
      },
    },
  ],
  MT5: [T5Family, { vocab_file: "spiece.model" }],
  MobileBert: [BertFamily],
  Mvp: [RobertaFamily],
  Nllb: [NllbFamily, { ...SPM, keywords: { ...LANGUAGES, legacy_behaviour: false } }],
  Nougat: [
    PreTrainedTokenizerFast,
    {
      model_input_names: NO_TYPES,
      keywords: {
        clean_up_tokenization_spaces: false,
        unk_token: "<unk>",
        bos_token: "<s>",
        eos_token: "</s>",
        pad_token: "<pad>",
      },
    },
  ],
  OpenAIGPT: [GPT2Family, { words_need_space: false, keywords: { unk_token: "<unk>" } }],
  Parakeet: [ParakeetFamily],
  Pegasus: [PegasusFamily, { vocab_file: "spiece.model" }],
  Qwen2: [
    Qwen2Family,
    {
      keywords: { unk_token: "<|endoftext|>", bos_token: null, eos_token: "<|endoftext|>", pad_token: "<|endoftext|>" },
    },
  ],
  Reformer: [
    PreTrainedTokenizerFast,
    {
      model_input_names: NO_TYPES,
      vocab_file: "spiece.model",
      keywords: { eos_token: "</s>", unk_token: "<unk>", additional_special_tokens: [] },
    },
  ],
  RemBert: [
    SentencePieceFamily,
    { vocab_file: "sentencepiece.model", keywords: ALBERT, layout: LAYOUTS.bert, mask_of: "ends" },
  ],
  RetriBert: [BertFamily, { model_input_names: NO_TYPES }],
  Realm: [BertFamily],
  Roberta: [RobertaFamily],
  SeamlessM4T: [
    SeamlessM4TFamily,
    { ...SPM, keywords: { ...SENTENCE, mask_token: undefined, src_lang: "eng", tgt_lang: "fra" } },
  ],
  Splinter: [SplinterFamily, { keywords: { question_token: "[QUESTION]" } }],
  SqueezeBert: [BertFamily],
  T5: [T5Family, { vocab_file: "spiece.model" }],
  Udop: [BOX_FAMILIES.Udop],
  XGLM: [XGLMFamily, { ...SPM, keywords: { ...SENTENCE, mask_token: undefined } }],
  XLMRoberta: [SentencePieceFamily, { ...SPM, keywords: SENTENCE }],
  XLNet: [
    SentencePieceFamily,
    {
      vocab_file: "spiece.model",
      padding_side: "left",
      pad_token_type_id: 3,
      keywords: XLNET,
      layout: ["A:0 sep:0 cls:2", "A:0 sep:0 B:1 sep:1 cls:2"],
    },
  ],
} satisfies Record<string, [TokenizerClass, Difference?]>;

const named: Record<string, TokenizerClass> = {
  LlamaTokenizer: Llama,
  LlamaTokenizerFast: Llama,
  CodeLlamaTokenizer: CodeLlamaTokenizerFast,
  CodeLlamaTokenizerFast,
  WhisperTokenizer: WhisperTokenizerFast,
  WhisperTokenizerFast,
};
for (const [name, [base, difference]] of Object.entries<[TokenizerClass, Difference?]>(CLASSES)) {
  named[`${name}TokenizerFast`] = named[`${name}Tokenizer`] = derive(`${name}TokenizerFast`, base, difference);
}

/** Every tokenizer class under every name that a tokenizer_config.json may carry for it. */
export const TOKENIZER_CLASSES: ReadonlyMap<string, TokenizerClass> = new Map([
  ...Object.entries(named),
  ["PreTrainedTokenizerFast", PreTrainedTokenizerFast],
]);

type Base = keyof typeof CLASSES | "Llama";
export const {
  AlbertTokenizer,
  AlbertTokenizerFast,
  BartTokenizer,
  BartTokenizerFast,
  BarthezTokenizer,
  BarthezTokenizerFast,
  BertTokenizer,
  BertTokenizerFast,
  BigBirdTokenizer,
  BigBirdTokenizerFast,
  BlenderbotTokenizer,
  BlenderbotTokenizerFast,
  BloomTokenizer,
  BloomTokenizerFast,
  CLIPTokenizer,
  CLIPTokenizerFast,
  CamembertTokenizer,
  CamembertTokenizerFast,
  CodeGenTokenizer,
  CodeGenTokenizerFast,
  CohereTokenizer,
  CohereTokenizerFast,
  ConvBertTokenizer,
  ConvBertTokenizerFast,
  DPRContextEncoderTokenizer,
  DPRContextEncoderTokenizerFast,
  DPRQuestionEncoderTokenizer,
  DPRQuestionEncoderTokenizerFast,
  DPRReaderTokenizer,
  DPRReaderTokenizerFast,
  DebertaTokenizer,
  DebertaTokenizerFast,
  DebertaV2Tokenizer,
  DebertaV2TokenizerFast,
  DistilBertTokenizer,
  DistilBertTokenizerFast,
  ElectraTokenizer,
  ElectraTokenizerFast,
  FNetTokenizer,
  FNetTokenizerFast,
  FunnelTokenizer,
  FunnelTokenizerFast,
  GPT2Tokenizer,
  GPT2TokenizerFast,
  GPTNeoXTokenizer,
  GPTNeoXTokenizerFast,
  GemmaTokenizer,
  GemmaTokenizerFast,
  HerbertTokenizer,
  HerbertTokenizerFast,
  LEDTokenizer,
  LEDTokenizerFast,
  LayoutLMTokenizer,
  LayoutLMTokenizerFast,
  LayoutLMv2Tokenizer,
  LayoutLMv2TokenizerFast,
  LayoutLMv3Tokenizer,
  LayoutLMv3TokenizerFast,
  LayoutXLMTokenizer,
  LayoutXLMTokenizerFast,
  LlamaTokenizer,
  LlamaTokenizerFast,
  LongformerTokenizer,
  LongformerTokenizerFast,
  LxmertTokenizer,
  LxmertTokenizerFast,
  MPNetTokenizer,
  MPNetTokenizerFast,
  MT5Tokenizer,
  MT5TokenizerFast,
  MobileBertTokenizer,
  MobileBertTokenizerFast,
  MvpTokenizer,
  MvpTokenizerFast,
  NougatTokenizer,
  NougatTokenizerFast,
  OpenAIGPTTokenizer,
  OpenAIGPTTokenizerFast,
  ParakeetTokenizer,
  ParakeetTokenizerFast,
  PegasusTokenizer,
  PegasusTokenizerFast,
  Qwen2Tokenizer,
  Qwen2TokenizerFast,
  ReformerTokenizer,
  ReformerTokenizerFast,
  RemBertTokenizer,
  RemBertTokenizerFast,
  RetriBertTokenizer,
  RetriBertTokenizerFast,
  RobertaTokenizer,
  RobertaTokenizerFast,
  SqueezeBertTokenizer,
  SqueezeBertTokenizerFast,
  T5Tokenizer,
  T5TokenizerFast,
  UdopTokenizer,
  UdopTokenizerFast,
  XGLMTokenizer,
  XGLMTokenizerFast,
  XLMRobertaTokenizer,
  XLMRobertaTokenizerFast,
  XLNetTokenizer,
  XLNetTokenizerFast,
} = named as Record<`${Base}Tokenizer` | `${Base}TokenizerFast`, TokenizerClass>;
export const MBartTokenizerFast = named["MBartTokenizerFast"] as typeof MBartFamily;
export const MBart50TokenizerFast = named["MBart50TokenizerFast"] as typeof MBart50Family;
export const MarkupLMTokenizerFast = named["MarkupLMTokenizerFast"] as typeof MarkupLMFamily;
export const NllbTokenizerFast = named["NllbTokenizerFast"] as typeof NllbFamily;
export const SeamlessM4TTokenizerFast = named["SeamlessM4TTokenizerFast"] as typeof SeamlessM4TFamily;
export const SplinterTokenizerFast = named["SplinterTokenizerFast"] as typeof SplinterFamily;
export {
  CodeLlamaTokenizerFast,
  CodeLlamaTokenizerFast as CodeLlamaTokenizer,
  MarkupLMTokenizerFast as MarkupLMTokenizer,
  MBart50TokenizerFast as MBart50Tokenizer,
  MBartTokenizerFast as MBartTokenizer,
  NllbTokenizerFast as NllbTokenizer,
  SeamlessM4TTokenizerFast as SeamlessM4TTokenizer,
  SplinterTokenizerFast as SplinterTokenizer,
  WhisperTokenizerFast,
  WhisperTokenizerFast as WhisperTokenizer,
};

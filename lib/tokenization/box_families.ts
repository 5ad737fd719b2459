// Tokenizers of pages, whose texts are words with the boxes they stand in: LayoutLMv2, LayoutLMv3, LayoutXLM, UDOP.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/layoutlmv2/tokenization_layoutlmv2_fast.py
import { inspect } from "node:util";
import { arguments_of, type CallOptions, type Input, type Sample, type Text } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import type { Encoding, Span } from "./encoding.js";
import { BertFamily, GPT2Family, set_processor, with_wide_mask } from "./families.js";
import { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
import { LAYOUTS, type Layout, SENTENCE, zeros } from "./layout.js";
import { page_encoding } from "./pages.js";
import { words_of } from "./python_text.js";

/** The corners of a word, from 0 to 1000. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

export interface BoxOptions extends CallOptions {
  /** A box for each word. Of a batch, lists of them. */
  boxes?: readonly Box[] | readonly (readonly Box[])[] | null;
  /** A label for each word: the call returns one for each token. Of a batch, lists of them. */
  word_labels?: readonly number[] | readonly (readonly number[])[] | null;
}

const ORIGIN: Box = [0, 0, 0, 0];
const FAR: Box = [1000, 1000, 1000, 1000];
/** What the classes share beyond those that they are made of; `cls` is where UDOP has none. */
const boxes_of = (cls: Box | undefined, sep: Box) => ({
  ...(cls && { cls_token_box: cls }),
  sep_token_box: sep,
  pad_token_box: ORIGIN,
  pad_token_label: -100,
  only_label_first_subword: true,
});

const is_list = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const is_words = (value: unknown) => is_list(value) && value.every((word) => typeof word === "string");

/** What was asked for, one page or several. */
interface Pages {
  samples: Sample[];
  boxes: readonly (readonly Box[])[];
  labels: readonly (readonly number[])[] | null;
  has_questions: boolean;
}

/** Python's checks of the arguments, with its words. */
function pages_of(text: Input, pair: Input, { boxes, word_labels }: BoxOptions, single: boolean): Pages {
  const has_questions = pair !== undefined && pair !== null;
  const words = has_questions ? pair : text;
  if (!is_list(words)) {
    throw new TypeError(
      "Words must be of type `List[str]` (single pretokenized example), or `List[List[str]]` (batch of pretokenized" +
        ` examples). Received ${inspect(words)}`,
    );
  }
  if (!boxes) throw new TypeError("You must provide corresponding bounding boxes");
  const pages = (single ? [words] : words) as readonly Text[];
  const corners = (single ? [boxes] : boxes) as readonly (readonly Box[])[];
  const questions = has_questions ? ((single ? [text] : text) as readonly string[]) : null;
  if (pages.length !== corners.length)
    throw new RangeError("You must provide words and boxes for an equal amount of examples");
  pages.forEach((page, i) => {
    if (!is_words(page)) throw new TypeError(`Words must be lists of strings; page ${i} is ${inspect(page)}`);
    if (page.length !== corners[i]!.length)
      throw new RangeError("You must provide as many words as there are bounding boxes");
  });
  if (questions && questions.length !== pages.length) {
    throw new RangeError(
      `batch length of \`text\`: ${questions.length} does not match batch length of \`text_pair\`: ${pages.length}.`,
    );
  }
  questions?.forEach((question) => {
    if (typeof question !== "string") throw new TypeError(`A question must be a string; received ${inspect(question)}`);
  });
  const labels = (word_labels ? (single ? [word_labels] : word_labels) : null) as Pages["labels"];
  labels?.forEach((row, i) => {
    if (row.length !== pages[i]?.length) throw new RangeError("You must provide as many words as there are labels");
  });
  const samples = pages.map((page, i) =>
    questions ? { text: words_of(questions[i]!), pair: page } : { text: page, pair: null },
  );
  return { samples, boxes: corners, labels, has_questions };
}

/** Whether a token stands for nothing, so that the next one begins no word. */
type IsEmpty = (tokenizer: PreTrainedTokenizerFast, id: number, offsets: Span) => boolean;

/** `Base` for words with boxes: `tokenizer(words, { boxes })` and `tokenizer(question, words, { boxes })`. */
function boxed(Base: typeof PreTrainedTokenizerFast, is_empty: IsEmpty = () => false): typeof PreTrainedTokenizerFast {
  return class extends Base {
    cls_token_box = this.init_kwargs["cls_token_box"] as Box | undefined;
    sep_token_box = this.init_kwargs["sep_token_box"] as Box;
    pad_token_box = this.init_kwargs["pad_token_box"] as Box;
    pad_token_label = this.init_kwargs["pad_token_label"] as number;
    only_label_first_subword = this.init_kwargs["only_label_first_subword"] as boolean;

    override get pad_values(): Record<string, unknown> {
      return { bbox: this.pad_token_box, labels: this.pad_token_label };
    }

    override _call(text: Input, ...rest: unknown[]): BatchEncoding {
      const [pair, options] = arguments_of(rest);
      const { text_target, ...page } = options as BoxOptions;
      const { boxes: _b, word_labels: _l, text_pair: _p, ...call } = page;
      const has_target = text_target !== undefined && text_target !== null;
      // Targets are texts as other tokenizers have them.
      const target = !has_target
        ? undefined
        : is_list(text_target)
          ? super.batch_encode_plus(text_target as Text[], call)
          : super.encode_plus(text_target as Text, call);
      if (text === null || text === undefined) {
        if (target) return target;
        throw new TypeError("You need to specify either `text` or `text_target`.");
      }
      const has_pair = pair !== undefined && pair !== null;
      const encoded = this.#encode(text, pair, page, has_pair ? !is_list(text) : !is_list((text as Text)[0]));
      if (target) encoded["labels"] = target["input_ids"];
      return encoded;
    }

    override encode_plus(text: Text, ...rest: unknown[]): BatchEncoding {
      const [pair, options] = arguments_of(rest);
      return this.#encode(text, pair, options as BoxOptions, true);
    }

    /** Pages, or with `text_pair` questions and pages. */
    override batch_encode_plus(batch: readonly unknown[], options: BoxOptions = {}): BatchEncoding {
      return this.#encode(batch as Input, options.text_pair, options, false);
    }

    override tokenize(text: Text, ...rest: unknown[]): string[] {
      const [given, { pair: named, ...options }] = arguments_of(rest) as [Input, CallOptions & { pair?: Text }];
      const sample = { text, pair: (given ?? named ?? null) as Text | null };
      const plan = { padding: "do_not_pad", truncation: "do_not_truncate", max_length: null } as const;
      return this._encode([sample], { add_special_tokens: false, ...options }, plan, true).tokens();
    }

    #encode(text: Input, pair: Input, given: BoxOptions, single: boolean): BatchEncoding {
      const pages = pages_of(text, pair, given, single);
      const { boxes: _b, word_labels: _l, text_pair: _p, return_tensors, return_tensor, ...options } = given;
      const all = { ...options, is_split_into_words: true };
      const encoded = this._encode(pages.samples, all, this._plan(options), false);
      const encodings = encoded.encodings!;
      const samples = (encoded["overflow_to_sample_mapping"] as number[] | undefined) ?? encodings.map((_, i) => i);
      encoded["bbox"] = encodings.map((encoding, i) => this.#boxes(encoding, pages, samples[i]!));
      if (pages.labels)
        encoded["labels"] = encodings.map((encoding, i) => this.#labels(encoding, pages.labels![samples[i]!]!));
      const has_rows = !single || Boolean(options.return_overflowing_tokens);
      return page_encoding(encoded, encodings, { has_rows, tensors: return_tensors ?? return_tensor });
    }

    #boxes(encoding: Encoding, { boxes, has_questions }: Pages, page: number): Box[] {
      const { ids, word_ids, sequence_ids } = encoding;
      return ids.map((id, i) => {
        const word = word_ids[i];
        if (word !== null && word !== undefined)
          return has_questions && sequence_ids[i] === 0 ? this.pad_token_box : boxes[page]![word]!;
        if (this.cls_token_box && id === this.cls_token_id) return this.cls_token_box;
        if (id === this.sep_token_id) return this.sep_token_box;
        if (id === this.pad_token_id) return this.pad_token_box;
        throw new RangeError(`Id not recognized: ${id} has neither a word nor a box of its own`);
      });
    }

    #labels(encoding: Encoding, labels: readonly number[]): number[] {
      const { ids, word_ids, offsets } = encoding;
      let after_empty = false;
      return ids.map((id, i) => {
        const word = word_ids[i];
        if (word === null || word === undefined) return this.pad_token_label;
        if (!this.only_label_first_subword) return labels[word]!;
        const is_first = offsets[i]![0] === 0 && !after_empty;
        after_empty = is_empty(this, id, offsets[i]!);
        return is_first ? labels[word]! : this.pad_token_label;
      });
    }
  };
}

class LayoutLMv2Base extends BertFamily {
  static override readonly keywords = { ...BertFamily.keywords, ...boxes_of(ORIGIN, FAR) };
}

class LayoutLMv3Base extends GPT2Family {
  static override readonly words_need_space = false;
  static override readonly layout: Layout = LAYOUTS.roberta;
  static override readonly keywords = {
    errors: "replace",
    ...SENTENCE,
    add_prefix_space: true,
    trim_offsets: true,
    ...boxes_of(ORIGIN, ORIGIN),
  };
  constructor(keywords?: TokenizerKeywords) {
    super(keywords);
    set_processor(this, this.init_kwargs);
  }
}

const SPM = { vocab_file: "sentencepiece.bpe.model", tokenizer_file: "tokenizer.json" };

class LayoutXLMBase extends PreTrainedTokenizerFast {
  static override readonly layout: Layout = LAYOUTS.xlm_roberta;
  static override readonly model_input_names: readonly string[] = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names: Readonly<Record<string, string>> = SPM;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    ...SENTENCE,
    ...boxes_of(ORIGIN, FAR),
  };
  constructor(keywords: TokenizerKeywords = {}) {
    super(with_wide_mask(keywords, new.target.keywords));
  }
}

class UdopBase extends PreTrainedTokenizerFast {
  static override readonly layout: Layout = zeros(["A eos", "A eos B eos"]);
  static override readonly model_input_names: readonly string[] = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names: Readonly<Record<string, string>> = { ...SPM, vocab_file: "spiece.model" };
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    eos_token: "</s>",
    sep_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    ...boxes_of(undefined, FAR),
    additional_special_tokens: null,
  };
}

/** By their names without "TokenizerFast". */
export const BOX_FAMILIES = {
  LayoutLMv2: boxed(LayoutLMv2Base),
  LayoutLMv3: boxed(LayoutLMv3Base, (_tokenizer, _id, [start, end]) => start === 0 && end === 0),
  LayoutXLM: boxed(LayoutXLMBase),
  Udop: boxed(UdopBase, (tokenizer, id) => tokenizer.decode(id) === ""),
};

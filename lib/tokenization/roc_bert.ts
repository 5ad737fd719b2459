// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/roc_bert/tokenization_roc_bert.py
import { dump_json } from "../python_json.js";
import type { BatchEncoding } from "./batch_encoding.js";
import type { EncodeOptions } from "./options.js";
import { prepare_for_model } from "./prepare.js";
import type { Ends } from "./slow_ends.js";
import { read_vocab_file } from "./slow_parts.js";
import { WordPieceTokenizer } from "./slow_words.js";

type Keywords = Record<string, unknown>;
type Numbers = Record<string, number>;

/** BERT's for Chinese, with the shape and the sound of each token beside its id. */
export class RoCBertTokenizer extends WordPieceTokenizer {
  static override readonly vocab_files_names = {
    vocab_file: "vocab.txt",
    word_shape_file: "word_shape.json",
    word_pronunciation_file: "word_pronunciation.json",
  };
  static override readonly keywords = {
    do_lower_case: true,
    do_basic_tokenize: true,
    never_split: null,
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
    tokenize_chinese_chars: true,
    strip_accents: null,
  };

  readonly #shapes: Numbers;
  readonly #sounds: Numbers;

  constructor({ vocab_file, word_shape_file, word_pronunciation_file, ...keywords }: Keywords) {
    super(vocab_file, { ...RoCBertTokenizer.keywords, ...keywords });
    this.#shapes = read_vocab_file(word_shape_file, "word_shape_file") as Numbers;
    this.#sounds = read_vocab_file(word_pronunciation_file, "word_pronunciation_file") as Numbers;
  }

  protected override _ends(): Ends {
    return { first: [this.cls_token_id!], between: [this.sep_token_id!], last: [this.sep_token_id!] };
  }
  override get pad_values(): Keywords {
    return { input_shape_ids: this.pad_token_id, input_pronunciation_ids: this.pad_token_id };
  }

  #looked_up(tokens: readonly string[], table: Numbers): number[] {
    return tokens.map((token) => (Object.hasOwn(table, token) ? table[token]! : table[this.unk_token!]!));
  }
  convert_tokens_to_shape_ids(tokens: readonly string[]): number[] {
    return this.#looked_up(tokens, this.#shapes);
  }
  convert_tokens_to_pronunciation_ids(tokens: readonly string[]): number[] {
    return this.#looked_up(tokens, this.#sounds);
  }

  override prepare_for_model(
    ids: readonly number[],
    pair_ids: readonly number[] | null = null,
    options: EncodeOptions & { prepend_batch_axis?: boolean } = {},
  ): BatchEncoding {
    const row_of = (first: readonly number[], second: readonly number[] | null, table: Numbers) => {
      const numbers = (row: readonly number[]) => this.#looked_up(this.convert_ids_to_tokens(row) as string[], table);
      if (!(options.add_special_tokens ?? true)) return [...numbers(first), ...numbers(second ?? [])];
      const end = table["[UNK]"]!;
      return [end, ...numbers(first), end, ...(second ? [...numbers(second), end] : [])];
    };
    return prepare_for_model(this, ids, pair_ids, options, (first, second) => ({
      input_shape_ids: row_of(first, second, this.#shapes),
      input_pronunciation_ids: row_of(first, second, this.#sounds),
    }));
  }

  override vocabulary_files(): Record<string, string> {
    const json = (table: Numbers) => dump_json(table, { indent: 4, ensure_ascii: false }).replaceAll(",\n", ", \n");
    return {
      "vocab.txt": this.vocabulary_lines(),
      "word_shape.json": json(this.#shapes),
      "word_pronunciation.json": json(this.#sounds),
    };
  }
}

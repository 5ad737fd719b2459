// LUKE and mLUKE: texts with entities.
import { dump_json } from "../python_json.js";
import { arguments_of, type Input, type Text } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import {
  ENTITY_KEYWORDS,
  EntityInputs,
  type EntityOptions,
  type EntityPadOptions,
  with_entity_tokens,
} from "./entity_inputs.js";
import { SENTENCE } from "./layout.js";
import { strip } from "./python_text.js";
import { SentencePieceProcessor } from "./sentencepiece_processor.js";
import { ByteLevelTokenizer, type Keywords, with_tokens } from "./slow_byte_bpe.js";
import type { Ends } from "./slow_ends.js";
import { fairseq_ids, SentencePieceTokenizer } from "./slow_sentencepiece.js";

const ENTITY_FILE = "entity_vocab.json";
const SPECIAL = ["bos_token", "eos_token", "sep_token", "cls_token", "unk_token", "pad_token", "mask_token"];
const entity_json = ({ vocabulary }: EntityInputs) =>
  `${dump_json(vocabulary, { indent: 2, sort_keys: true, ensure_ascii: false })}\n`;
const ends_of = ({ cls_token_id, sep_token_id }: ByteLevelTokenizer | SentencePieceTokenizer): Ends => ({
  first: [cls_token_id!],
  between: [sep_token_id!, sep_token_id!],
  last: [sep_token_id!],
});
type Batch = readonly (string | readonly [string, string])[];
/** Texts, or pairs of them. */
function columns(batch: Batch): [string[], string[] | null] {
  const is_pairs = batch.length > 0 && typeof batch[0] !== "string";
  const firsts = batch.map((item) => (typeof item === "string" ? item : item[0]));
  return [firsts, is_pairs ? batch.map((item) => item[1]!) : null];
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/luke/tokenization_luke.py */
export class LukeTokenizer extends ByteLevelTokenizer {
  static override readonly types_are_zero = true;
  static override readonly vocab_files_names = {
    vocab_file: "vocab.json",
    merges_file: "merges.txt",
    entity_vocab_file: ENTITY_FILE,
  };
  static override readonly keywords = { ...SENTENCE, ...ENTITY_KEYWORDS, errors: "replace", add_prefix_space: false };

  readonly entity_inputs: EntityInputs;

  constructor({ entity_vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...LukeTokenizer.keywords, ...keywords };
    // What is saved of these are the defaults, as in Python.
    const { max_entity_length, max_mention_length, entity_token_1, entity_token_2 } = ENTITY_KEYWORDS;
    const saved = { max_entity_length, max_mention_length, entity_token_1, entity_token_2 };
    super({ ...with_entity_tokens(with_tokens(kwargs, SPECIAL)), ...saved });
    this.entity_inputs = new EntityInputs(this, entity_vocab_file, kwargs);
  }

  protected override _ends(): Ends {
    return ends_of(this);
  }
  override _call(text: Input, ...rest: unknown[]): BatchEncoding {
    return this.entity_inputs.call(text, ...arguments_of(rest));
  }
  override encode_plus(text: Text, ...rest: unknown[]): BatchEncoding {
    const [pair, options] = arguments_of(rest);
    return this.entity_inputs.encode_plus(text as string, (pair ?? null) as string | null, options);
  }
  override batch_encode_plus(batch: readonly unknown[], options: EntityOptions = {}): BatchEncoding {
    return this.entity_inputs.batch_encode_plus(...columns(batch as Batch), options);
  }
  override pad(inputs: Keywords | readonly Keywords[], options: EntityPadOptions = {}): BatchEncoding {
    return this.entity_inputs.pad(inputs, options);
  }
  override vocabulary_files(): Record<string, string> {
    return { ...super.vocabulary_files(), [ENTITY_FILE]: entity_json(this.entity_inputs) };
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/mluke/tokenization_mluke.py */
export class MLukeTokenizer extends SentencePieceTokenizer {
  static override readonly types_are_zero = true;
  static override readonly vocab_files_names = {
    vocab_file: "sentencepiece.bpe.model",
    entity_vocab_file: ENTITY_FILE,
  };
  static override readonly keywords = { ...SENTENCE, ...ENTITY_KEYWORDS };

  readonly entity_inputs: EntityInputs;

  constructor({ vocab_file, entity_vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = with_tokens({ ...MLukeTokenizer.keywords, ...keywords }, [
      "mask_token",
      "entity_token_1",
      "entity_token_2",
    ]);
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    const ids = fairseq_ids(model, ["<s>", "<pad>", "</s>", "<unk>"], 1);
    ids.set("<mask>", model.pieces.length + 1);
    super(with_entity_tokens(kwargs), model, ids, "sentencepiece.bpe.model");
    this.entity_inputs = new EntityInputs(this, entity_vocab_file, kwargs);
  }

  protected override _ends(): Ends {
    return ends_of(this);
  }
  override _call(text: Input, ...rest: unknown[]): BatchEncoding {
    return this.entity_inputs.call(text, ...arguments_of(rest));
  }
  override encode_plus(text: Text, ...rest: unknown[]): BatchEncoding {
    const [pair, options] = arguments_of(rest);
    return this.entity_inputs.encode_plus(text as string, (pair ?? null) as string | null, options);
  }
  override batch_encode_plus(batch: readonly unknown[], options: EntityOptions = {}): BatchEncoding {
    return this.entity_inputs.batch_encode_plus(...columns(batch as Batch), options);
  }
  override pad(inputs: Keywords | readonly Keywords[], options: EntityPadOptions = {}): BatchEncoding {
    return this.entity_inputs.pad(inputs, options);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join("").replaceAll("▁", " "));
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { ...super.vocabulary_files(), [ENTITY_FILE]: entity_json(this.entity_inputs) };
  }
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/marian/tokenization_marian.py

import { TransformersError } from "../errors.js";
import { dump_json } from "../python_json.js";
import type { MaskOptions } from "./base.js";
import { strip } from "./python_text.js";
import { SentencePieceProcessor } from "./sentencepiece_processor.js";
import { ordered_vocabulary, PreTrainedTokenizer, type SlowDecodeOptions, type Vocabulary } from "./slow.js";
import { refuse_sampling } from "./slow_ends.js";

/**
 * Marian's translation models: a SentencePiece model for each language, and a vocabulary that numbers their pieces.
 * Punctuation is not normalized first, as in Python without sacremoses.
 */
export class MarianTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = {
    source_spm: "source.spm",
    target_spm: "target.spm",
    vocab: "vocab.json",
    target_vocab_file: "target_vocab.json",
  };
  static override readonly optional_files = ["target_vocab_file"];
  static override readonly keywords = {
    source_lang: null,
    target_lang: null,
    unk_token: "<unk>",
    eos_token: "</s>",
    pad_token: "<pad>",
    model_max_length: 512,
    sp_model_kwargs: {},
    separate_vocabs: false,
  };

  /** The language codes that a text may begin with, such as `>>fra<<`. */
  readonly supported_language_codes: readonly string[];
  readonly #source: SentencePieceProcessor;
  readonly #target: SentencePieceProcessor;
  readonly #target_encoder: Vocabulary | null;
  #mode: "input" | "target" = "input";
  #decodes_source = false;

  /** Takes the paths of the files: `source_spm`, `target_spm`, `vocab`, with `separate_vocabs` `target_vocab_file`. */
  constructor(keywords: Record<string, unknown>) {
    const { source_spm, target_spm, vocab, target_vocab_file, ...given } = keywords;
    const kwargs = { ...MarianTokenizer.keywords, ...given };
    const encoder = ordered_vocabulary(vocab, "vocab");
    for (const token of [kwargs.unk_token, kwargs.pad_token]) {
      if (!encoder.has(String(token)))
        throw new TransformersError(`${String(token)} token must be in the vocab`, "tokenizer_invalid");
    }
    const target = kwargs.separate_vocabs ? ordered_vocabulary(target_vocab_file, "target_vocab_file") : null;
    if (target && !target.has(String(kwargs.unk_token)))
      throw new TransformersError("The target's vocabulary lacks the unk_token", "tokenizer_invalid");
    refuse_sampling(kwargs.sp_model_kwargs);
    super(kwargs, encoder, target ?? encoder);
    this.#source = new SentencePieceProcessor(source_spm as string, "source_spm");
    this.#target = new SentencePieceProcessor(target_spm as string, "target_spm");
    this.#target_encoder = target;
    this.supported_language_codes = target ? [] : [...encoder.keys()].filter((token) => /^>>.*<<$/s.test(token));
  }

  protected override _switch_mode(mode: "input" | "target"): void {
    this.#mode = mode;
  }

  protected override convert_token_to_id(token: string): number | null {
    const other = this.#mode === "target" ? this.#target_encoder : null;
    return other ? (other.get(token) ?? other.get(this.unk_token ?? "") ?? null) : super.convert_token_to_id(token);
  }

  protected override _tokenize(text: string): string[] {
    const end = text.startsWith(">>") ? text.indexOf("<<") : -1;
    const code = end < 0 ? "" : text.slice(0, end + 2);
    const pieces = (this.#mode === "target" ? this.#target : this.#source).encode(text.slice(code.length));
    return code ? [code, ...pieces] : pieces;
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    return [...ids, ...pair, this.eos_token_id!];
  }

  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    const special = new Set(this.all_special_ids);
    special.delete(this.unk_token_id!);
    const mask = (row: readonly number[]) => row.map((id) => (special.has(id) ? 1 : 0));
    return options.already_has_special_tokens ? mask(ids) : [...mask([...ids, ...(options.token_ids_1 ?? [])]), 1];
  }

  protected override _decode(ids: number[], options: SlowDecodeOptions): string {
    this.#decodes_source = options.use_source_tokenizer ?? false;
    return super._decode(ids, options);
  }

  /** By the target's model, or after a decode with `use_source_tokenizer` by the source's, as in Python. */
  override convert_tokens_to_string(tokens: readonly string[]): string {
    const model = this.#decodes_source ? this.#source : this.#target;
    const special = new Set(this.all_special_tokens);
    let text = "";
    let run: string[] = [];
    for (const token of tokens) {
      if (special.has(token)) {
        text += `${model.decode_pieces(run)}${token} `;
        run = [];
      } else run.push(token);
    }
    return strip((text + model.decode_pieces(run)).replaceAll("▁", " "));
  }

  override vocabulary_files(): Record<string, string | { copy: string }> {
    // An object would put keys such as "2" first.
    const json = (vocab: Vocabulary) =>
      `{\n${Array.from(vocab, ([token, id]) => `  ${dump_json(token)}: ${id}`).join(",\n")}\n}`;
    return {
      "vocab.json": json(this.encoder),
      ...(this.#target_encoder && { "target_vocab.json": json(this.#target_encoder) }),
      "source.spm": { copy: this.#source.path },
      "target.spm": { copy: this.#target.path },
    };
  }
}

// The models of BART's family with their heads. Each of them says in its static `family` how it differs.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { TransformersError } from "../errors.js";
import type { NativeStateDict } from "../native.js";
import { Block, type Embedding, Linear, Parameter, type Sym, type Tokens } from "../nn/index.js";
import { type BartFamily, BartFamilyDecoder, BartFamilyEncoder, ScaledWordEmbedding } from "./bart_layers.js";
import { type Batch, last_end_tokens } from "./batch.js";
import * as heads from "./heads.js";
import type { SavePretrainedOptions } from "./pretrained.js";
import { copy_rows, resize_columns, type TokenTensors } from "./resizing.js";
import { Seq2SeqModel } from "./seq2seq_model.js";
import { TextModel } from "./text_model.js";

const IGNORED = [/encoder\.version$/, /decoder\.version$/];

/** The two sides may have words of their own: Marian's. */
const has_two_vocabularies = (config: PretrainedConfig): boolean =>
  config["share_encoder_decoder_embeddings"] === false;
/** The words that the decoder says; it reads as many as the encoder. */
const target_vocabulary = (config: PretrainedConfig): number =>
  has_two_vocabularies(config) ? config["decoder_vocab_size"] : config.vocab_size;

abstract class BartFamilyPreTrained extends Seq2SeqModel {
  static override base_model_prefix = "model";
  static override keys_to_ignore_on_load_unexpected = IGNORED;
  static family: BartFamily;

  get family(): BartFamily {
    return (this.constructor as typeof BartFamilyPreTrained).family;
  }

  /** The model without its head. */
  protected abstract get base(): BartFamilyModel;

  /** What is fresh has one table, as in Python. */
  protected override initialize(state: NativeStateDict, seed?: number): void {
    this.base.has_one_table = true;
    super.initialize(state, seed);
  }

  protected override vocabulary_resized(count: number): void {
    this.base.has_one_table = true;
    super.vocabulary_resized(count);
  }

  /** Without `tie_word_embeddings` each side's table is written: where Python leaves them out, it cannot load them. */
  override async save_pretrained(folder: string, options: SavePretrainedOptions = {}): Promise<void> {
    if (this.base.has_one_table && !this.config.tie_word_embeddings && this.family.unties_sides) {
      const state = this.require_tensors("save_pretrained");
      for (const [side, source] of this.tied_weights()) copy_rows(state, side, source);
      this.base.has_one_table = false;
    }
    await super.save_pretrained(folder, options);
  }

  protected override default_decoder_ids(input_ids: Int32Array[]): Int32Array[] | undefined {
    return this.family.repeats_text ? this.shift_tokens_right(input_ids) : undefined;
  }

  protected override shift_tokens_right(ids: Int32Array[]): Int32Array[] {
    return this.family.starts_with_last ? last_to_front(ids, this.config.pad_token_id) : super.shift_tokens_right(ids);
  }
}

/**
 * The last token of each row, its language, goes to the front.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/mbart/modeling_mbart.py `shift_tokens_right`
 */
function last_to_front(ids: Int32Array[], padding: number | null | undefined): Int32Array[] {
  if (typeof padding !== "number")
    throw new TransformersError("self.model.config.pad_token_id has to be defined.", "config_invalid");
  return ids.map((row) => {
    const known = row.map((id) => (id === -100 ? padding : id));
    const count = known.filter((id) => id !== padding).length;
    return Int32Array.of(known.at(count - 1) as number, ...known.subarray(0, -1));
  });
}

/** Encoder and decoder without a head. */
export abstract class BartFamilyModel extends BartFamilyPreTrained {
  static override head = heads.seq2seq_base;
  shared?: ScaledWordEmbedding;
  encoder = new BartFamilyEncoder(this.config, this.family);
  decoder = new BartFamilyDecoder(this.config, this.family);
  /** The words of both sides are `shared`. */
  has_one_table: boolean = this.config.tie_word_embeddings || !this.family.unties_sides;

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    if (!has_two_vocabularies(config)) this.shared = new ScaledWordEmbedding(config, config.vocab_size);
  }

  protected override get base(): this {
    return this;
  }

  override tied_weights(): [string, string][] {
    if (!this.shared || !this.has_one_table) return [];
    return ["encoder", "decoder"].map((side) => [`${side}.embed_tokens.weight`, "shared.weight"]);
  }

  override get_input_embeddings(): Embedding {
    return this.shared ?? this.encoder.embed_tokens;
  }

  override encode(tokens: Tokens): Sym {
    return this.encoder.forward(tokens);
  }

  override decode(tokens: Tokens) {
    return { last_hidden_state: this.decoder.forward(tokens) };
  }
}

function base_model(family: BartFamily, config: PretrainedConfig, name_or_path: string): BartFamilyModel {
  const type = class extends BartFamilyModel {
    static override family = family;
  };
  return new type(config, name_or_path);
}

/** A model over the decoder's states, [tokens, d_model]. */
abstract class WithHead extends BartFamilyPreTrained {
  model = base_model(this.family, this.config, this.name_or_path);

  protected override get base(): BartFamilyModel {
    return this.model;
  }

  override tied_weights(): [string, string][] {
    return this.model.tied_weights().map(([alias, name]) => [`model.${alias}`, `model.${name}`]);
  }

  override encode(tokens: Tokens): Sym {
    return this.model.encode(tokens);
  }

  protected states(tokens: Tokens): Sym {
    return this.model.decode(tokens).last_hidden_state;
  }
}

export abstract class BartFamilyForConditionalGeneration extends WithHead {
  static override head = heads.seq2seq_lm;
  static override keys_to_ignore_on_load_missing = [/^final_logits_bias$/];
  final_logits_bias = new Parameter([1, target_vocabulary(this.config)], { init: "zeros", buffer: true });
  lm_head = new Linear(this.config.d_model, target_vocabulary(this.config), { bias: false });

  override tied_weights(): [string, string][] {
    const words = this.model.shared ? "model.shared.weight" : "model.decoder.embed_tokens.weight";
    return [
      ...super.tied_weights(),
      ...(this.config.tie_word_embeddings ? [["lm_head.weight", words] as [string, string]] : []),
    ];
  }

  override get_output_embeddings(): Linear {
    return this.lm_head;
  }

  /** Of two vocabularies the encoder's is resized. */
  protected override token_tensors(): TokenTensors {
    const { embeddings, ...head } = super.token_tensors();
    return this.model.shared ? { embeddings, ...head } : { embeddings };
  }

  protected override vocabulary_resized(count: number): void {
    super.vocabulary_resized(count);
    if (!this.model.shared) return;
    this.resize_final_logits_bias(count);
    if ("decoder_vocab_size" in this.config) this.config["decoder_vocab_size"] = count;
  }

  protected resize_final_logits_bias(count: number): void {
    resize_columns(this.require_tensors("resize_token_embeddings"), this.final_logits_bias.name, count);
    this.final_logits_bias.shape[1] = count;
  }

  override decode(tokens: Tokens) {
    return { logits: this.lm_head.forward(tokens.outputs(this.states(tokens))).add(this.final_logits_bias) };
  }
}

class ClassificationHead extends Block {
  dense = new Linear(this.config.d_model, this.config.d_model);
  out_proj = new Linear(this.config.d_model, this.config.num_labels);

  override forward(x: Sym): Sym {
    return this.out_proj.forward(this.dense.forward(x).tanh());
  }
}

/** Looks at the last end token of each row. */
export abstract class BartFamilyForSequenceClassification extends WithHead {
  static override head = heads.seq2seq_sequence_classification;
  classification_head = new ClassificationHead(this.config);

  protected override last_positions(encoder: Batch | undefined, decoder: Batch): Int32Array {
    return last_end_tokens(encoder, decoder, this.config.eos_token_id, this.constructor.name);
  }

  override decode(tokens: Tokens) {
    return { logits: this.classification_head.forward(tokens.last(this.states(tokens))) };
  }
}

export abstract class BartFamilyForQuestionAnswering extends WithHead {
  static override head = heads.seq2seq_question_answering;
  qa_outputs = new Linear(this.config.d_model, 2);

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    config["num_labels"] = 2;
  }

  override decode(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.states(tokens)));
  }
}

class DecoderWrapper extends Block {
  decoder: BartFamilyDecoder;

  constructor(config: PretrainedConfig, family: BartFamily) {
    super(config);
    this.decoder = new BartFamilyDecoder(config, family, config["decoder_vocab_size"]);
  }

  override forward(tokens: Tokens): Sym {
    return this.decoder.forward(tokens);
  }
}

/** The decoder alone. */
export abstract class BartFamilyForCausalLM extends TextModel {
  static override base_model_prefix = "model";
  static override keys_to_ignore_on_load_unexpected = IGNORED;
  static override head = heads.causal_lm_unshifted;
  static override takes_position_ids = false;
  static family: BartFamily;
  model = new DecoderWrapper(this.config, (this.constructor as typeof BartFamilyForCausalLM).family);
  lm_head = new Linear(this.config.d_model, this.config.vocab_size, { bias: false });

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    config["is_decoder"] = true;
    config["is_encoder_decoder"] = false;
  }

  override get is_causal(): boolean {
    return true;
  }

  override tied_weights(): [string, string][] {
    return this.config.tie_word_embeddings ? [["lm_head.weight", "model.decoder.embed_tokens.weight"]] : [];
  }

  override get_input_embeddings(): Embedding {
    return this.model.decoder.embed_tokens;
  }

  override get_output_embeddings(): Linear {
    return this.lm_head;
  }

  override compute(tokens: Tokens) {
    return { logits: this.lm_head.forward(tokens.outputs(this.model.forward(tokens))) };
  }
}

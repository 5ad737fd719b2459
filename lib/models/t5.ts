// T5. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/t5/modeling_t5.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { Block, Embedding, Linear, type Sym, type Tokens } from "../nn/index.js";
import { type Arguments, type Batch, last_end_tokens } from "./batch.js";
import * as heads from "./heads.js";
import { Seq2SeqModel } from "./seq2seq_model.js";
import { T5Stack } from "./t5_layers.js";
import { TextModel } from "./text_model.js";

const shared = ({ vocab_size, d_model, initializer_factor }: PretrainedConfig) =>
  new Embedding(vocab_size, d_model, { std: initializer_factor });
const shared_by = (...stacks: string[]): [string, string][] =>
  stacks.map((stack) => [`${stack}.embed_tokens.weight`, "shared.weight"]);
/** Distances have no end. */
const ANY_POSITION = 2 ** 31 - 1;

abstract class T5PreTrainedModel extends Seq2SeqModel {
  static override base_model_prefix = "transformer";
  static override keys_to_ignore_on_load_unexpected = [
    /decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
  ];

  override get max_positions(): number {
    return ANY_POSITION;
  }
}

/** A model that has encoder and decoder itself, not inside a base model. */
abstract class T5Whole extends T5PreTrainedModel {
  shared = shared(this.config);
  encoder = new T5Stack(this.config, { is_decoder: false });
  decoder = new T5Stack(this.config, { is_decoder: true });

  override tied_weights(): [string, string][] {
    return shared_by("encoder", "decoder");
  }

  override get_input_embeddings(): Embedding {
    return this.shared;
  }

  override encode(tokens: Tokens): Sym {
    return this.encoder.forward(tokens);
  }
}

export class T5Model extends T5Whole {
  static override head = heads.seq2seq_base;

  override decode(tokens: Tokens) {
    return { last_hidden_state: this.decoder.forward(tokens) };
  }
}

export class T5ForConditionalGeneration extends T5Whole {
  static override head = heads.seq2seq_lm;
  lm_head = new Linear(this.config.d_model, this.config.vocab_size, {
    bias: false,
    std: this.config.initializer_factor,
  });

  override tied_weights(): [string, string][] {
    const head: [string, string][] = this.config.tie_word_embeddings ? [["lm_head.weight", "shared.weight"]] : [];
    return [...super.tied_weights(), ...head];
  }

  override get_output_embeddings(): Linear {
    return this.lm_head;
  }

  /** Unlike others it gives a cache with a loss. */
  protected override gives_cache(args: Arguments): boolean {
    return super.gives_cache(args, false);
  }

  override decode(tokens: Tokens) {
    const states = tokens.outputs(this.decoder.forward(tokens));
    const { tie_word_embeddings, d_model } = this.config;
    return { logits: this.lm_head.forward(tie_word_embeddings ? states.mul(d_model ** -0.5) : states) };
  }
}

export class T5ForQuestionAnswering extends T5Whole {
  static override head = heads.seq2seq_question_answering;
  qa_outputs = new Linear(this.config.d_model, this.config.num_labels, {
    std: this.config.initializer_factor * this.config.d_model ** -0.5,
  });

  protected override default_decoder_ids(input_ids: Int32Array[]): Int32Array[] {
    return this.shift_tokens_right(input_ids);
  }

  override decode(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.decoder.forward(tokens)));
  }
}

class T5ClassificationHead extends Block {
  private readonly std: number = this.config.initializer_factor * this.config.d_model ** -0.5;
  dense = new Linear(this.config.d_model, this.config.d_model, { std: this.std });
  out_proj = new Linear(this.config.d_model, this.config.num_labels, { std: this.std });

  override forward(x: Sym): Sym {
    return this.out_proj.forward(this.dense.forward(x).tanh());
  }
}

/** Looks at the last end token of each row. */
export class T5ForSequenceClassification extends T5PreTrainedModel {
  static override head = heads.seq2seq_sequence_classification;
  transformer = new T5Model(this.config, this.name_or_path);
  classification_head = new T5ClassificationHead(this.config);

  override tied_weights(): [string, string][] {
    return this.transformer.tied_weights().map(([alias, name]) => [`transformer.${alias}`, `transformer.${name}`]);
  }

  protected override default_decoder_ids(input_ids: Int32Array[]): Int32Array[] {
    return this.shift_tokens_right(input_ids);
  }

  protected override last_positions(encoder: Batch | undefined, decoder: Batch): Int32Array {
    return last_end_tokens(encoder, decoder, this.config.eos_token_id, this.constructor.name);
  }

  override encode(tokens: Tokens): Sym {
    return this.transformer.encode(tokens);
  }

  override decode(tokens: Tokens) {
    const { last_hidden_state } = this.transformer.decode(tokens);
    return { logits: this.classification_head.forward(tokens.last(last_hidden_state)) };
  }
}

/** The encoder alone. */
abstract class T5EncoderPreTrainedModel extends TextModel {
  static override base_model_prefix = "transformer";
  static override keys_to_ignore_on_load_unexpected = [/decoder/];
  static override takes_position_ids = false;

  override get max_positions(): number {
    return ANY_POSITION;
  }
}

export class T5EncoderModel extends T5EncoderPreTrainedModel {
  static override head = heads.base;
  shared = shared(this.config);
  encoder = new T5Stack(this.config, { is_decoder: false });

  override tied_weights(): [string, string][] {
    return shared_by("encoder");
  }

  override get_input_embeddings(): Embedding {
    return this.shared;
  }

  override compute(tokens: Tokens) {
    return { last_hidden_state: this.encoder.forward(tokens) };
  }
}

export class T5ForTokenClassification extends T5EncoderPreTrainedModel {
  static override head = heads.token_classification;
  transformer = new T5EncoderModel(this.config, this.name_or_path);
  classifier = new Linear(this.config.d_model, this.config.num_labels, { std: this.config.initializer_factor });

  override tied_weights(): [string, string][] {
    return this.transformer.tied_weights().map(([alias, name]) => [`transformer.${alias}`, `transformer.${name}`]);
  }

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.transformer.compute(tokens).last_hidden_state) };
  }
}

// T5. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/t5/modeling_t5.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import {
  activation,
  Block,
  Embedding,
  Linear,
  RelativePositionBias,
  RMSNorm,
  type Sym,
  type Tokens,
} from "../nn/index.js";
import { type Arguments, type Batch, last_end_tokens } from "./batch.js";
import * as heads from "./heads.js";
import { Seq2SeqModel } from "./seq2seq_model.js";
import { TextModel } from "./text_model.js";

/** Layers without a bias. Fresh weights are drawn so that nothing need be scaled later: N(0, factor² / size). */
const dense = (config: PretrainedConfig, from: number, to: number, size = from): Linear =>
  new Linear(from, to, { bias: false, std: config.initializer_factor * size ** -0.5 });

class T5DenseActDense extends Block {
  wi = dense(this.config, this.config.d_model, this.config.d_ff);
  wo = dense(this.config, this.config.d_ff, this.config.d_model);

  override forward(x: Sym): Sym {
    return this.wo.forward(activation(this.config.dense_act_fn, "dense_act_fn")(this.wi.forward(x)));
  }
}

class T5DenseGatedActDense extends Block {
  wi_0 = dense(this.config, this.config.d_model, this.config.d_ff);
  wi_1 = dense(this.config, this.config.d_model, this.config.d_ff);
  wo = dense(this.config, this.config.d_ff, this.config.d_model);

  override forward(x: Sym): Sym {
    const gate = activation(this.config.dense_act_fn, "dense_act_fn")(this.wi_0.forward(x));
    return this.wo.forward(gate.mul(this.wi_1.forward(x)));
  }
}

const norm = (config: PretrainedConfig) => new RMSNorm(config.d_model, { eps: config.layer_norm_epsilon });

class T5LayerFF extends Block {
  DenseReluDense = this.config.is_gated_act ? new T5DenseGatedActDense(this.config) : new T5DenseActDense(this.config);
  layer_norm = norm(this.config);

  override forward(x: Sym): Sym {
    return this.DenseReluDense.forward(this.layer_norm.forward(x)).add(x);
  }
}

/** Scores are not divided by the root of the head's size, and heads need not make up the model's size. */
class T5Attention extends Block {
  private readonly inner: number = this.config.num_heads * this.config.d_kv;
  q = dense(this.config, this.config.d_model, this.inner, this.config.d_model * this.config.d_kv);
  k = dense(this.config, this.config.d_model, this.inner);
  v = dense(this.config, this.config.d_model, this.inner);
  o = dense(this.config, this.inner, this.config.d_model);
  /** Of the first layer, for all of them. */
  relative_attention_bias?: RelativePositionBias;

  override forward(x: Sym, tokens: Tokens, relative_bias: Sym): Sym {
    const [q, k, v] = [this.q.forward(x), this.k.forward(x), this.v.forward(x)];
    return this.o.forward(tokens.attention(q, k, v, { heads: this.config.num_heads, scale: 1, relative_bias }));
  }

  cross(x: Sym, tokens: Tokens): Sym {
    const project = (states: Sym): [Sym, Sym] => [this.k.forward(states), this.v.forward(states)];
    const attended = tokens.cross_attention(this.q.forward(x), project, { heads: this.config.num_heads, scale: 1 });
    return this.o.forward(attended);
  }
}

class T5LayerSelfAttention extends Block {
  SelfAttention = new T5Attention(this.config);
  layer_norm = norm(this.config);

  override forward(x: Sym, tokens: Tokens, relative_bias: Sym): Sym {
    return this.SelfAttention.forward(this.layer_norm.forward(x), tokens, relative_bias).add(x);
  }
}

class T5LayerCrossAttention extends Block {
  EncDecAttention = new T5Attention(this.config);
  layer_norm = norm(this.config);

  override forward(x: Sym, tokens: Tokens): Sym {
    return this.EncDecAttention.cross(this.layer_norm.forward(x), tokens).add(x);
  }
}

class T5Block extends Block {
  readonly layer: [T5LayerSelfAttention, ...(T5LayerCrossAttention | T5LayerFF)[]];

  constructor(config: PretrainedConfig, is_decoder: boolean) {
    super(config);
    const cross = is_decoder ? [new T5LayerCrossAttention(config)] : [];
    this.layer = [new T5LayerSelfAttention(config), ...cross, new T5LayerFF(config)];
  }

  override forward(x: Sym, tokens: Tokens, relative_bias: Sym): Sym {
    const [attention, ...rest] = this.layer;
    return rest.reduce((states, layer) => layer.forward(states, tokens), attention.forward(x, tokens, relative_bias));
  }
}

/** The encoder or the decoder. */
class T5Stack extends Block {
  embed_tokens = new Embedding(this.config.vocab_size, this.config.d_model, { std: this.config.initializer_factor });
  block: T5Block[];
  final_layer_norm = norm(this.config);

  constructor(config: PretrainedConfig, { is_decoder }: { is_decoder: boolean }) {
    super(config);
    const count: number = is_decoder ? config.num_decoder_layers : config.num_layers;
    this.block = Array.from({ length: count }, () => new T5Block(config, is_decoder));
    this.block[0].layer[0].SelfAttention.relative_attention_bias = new RelativePositionBias({
      num_buckets: config.relative_attention_num_buckets,
      max_distance: config.relative_attention_max_distance,
      heads: config.num_heads,
      bidirectional: !is_decoder,
      std: config.initializer_factor * config.d_model ** -0.5,
    });
  }

  override forward(tokens: Tokens): Sym {
    let x = tokens.inputs_embeds ?? this.embed_tokens.forward(tokens.input_ids);
    const relative_bias = this.block[0].layer[0].SelfAttention.relative_attention_bias!.forward();
    for (const block of this.block) {
      tokens.hidden_states.push(x);
      x = block.forward(x, tokens, relative_bias);
    }
    const last = this.final_layer_norm.forward(x);
    tokens.hidden_states.push(last);
    return last;
  }
}

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

// BART. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { TransformersError } from "../errors.js";
import { activation, Block, Embedding, LayerNorm, Linear, Parameter, type Sym, type Tokens } from "../nn/index.js";
import type { Batch } from "./batch.js";
import * as heads from "./heads.js";
import { resize_columns } from "./resizing.js";
import { Seq2SeqModel } from "./seq2seq_model.js";
import { TextModel } from "./text_model.js";

/** Positions begin at the third row: the first two once belonged to the padding. */
export class BartLearnedPositionalEmbedding extends Embedding {
  private static readonly offset = 2;

  constructor(num_embeddings: number, embedding_dim: number) {
    super(num_embeddings + BartLearnedPositionalEmbedding.offset, embedding_dim);
  }

  override forward(ids: Sym): Sym {
    const { offset } = BartLearnedPositionalEmbedding;
    return this.weight
      .sym()
      .narrow(0, offset, this.weight.shape[0] - offset)
      .index_select(ids);
  }
}

/** `scale_embedding` multiplies the vectors by the root of their size. */
export class BartScaledWordEmbedding extends Embedding {
  private readonly embed_scale: number;

  constructor({ vocab_size, d_model, pad_token_id, scale_embedding }: PretrainedConfig) {
    super(vocab_size, d_model, { padding_idx: pad_token_id });
    this.embed_scale = scale_embedding ? Math.sqrt(d_model) : 1;
  }

  override forward(ids: Sym): Sym {
    const vectors = super.forward(ids);
    return this.embed_scale === 1 ? vectors : vectors.mul(this.embed_scale);
  }
}

export class BartAttention extends Block {
  k_proj = new Linear(this.config.d_model, this.config.d_model);
  v_proj = new Linear(this.config.d_model, this.config.d_model);
  q_proj = new Linear(this.config.d_model, this.config.d_model);
  out_proj = new Linear(this.config.d_model, this.config.d_model);
  protected readonly heads: number;

  constructor(config: PretrainedConfig, heads: number) {
    super(config);
    this.heads = heads;
  }

  override forward(x: Sym, tokens: Tokens): Sym {
    const [q, k, v] = [this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x)];
    return this.out_proj.forward(tokens.attention(q, k, v, { heads: this.heads }));
  }
}

/** Looks at the encoder's states. */
export class BartCrossAttention extends BartAttention {
  override forward(x: Sym, tokens: Tokens): Sym {
    const project = (states: Sym): [Sym, Sym] => [this.k_proj.forward(states), this.v_proj.forward(states)];
    return this.out_proj.forward(tokens.cross_attention(this.q_proj.forward(x), project, { heads: this.heads }));
  }
}

export class BartEncoderLayer extends Block {
  self_attn = new BartAttention(this.config, this.config.encoder_attention_heads);
  self_attn_layer_norm = new LayerNorm(this.config.d_model);
  fc1 = new Linear(this.config.d_model, this.config.encoder_ffn_dim);
  fc2 = new Linear(this.config.encoder_ffn_dim, this.config.d_model);
  final_layer_norm = new LayerNorm(this.config.d_model);

  override forward(x: Sym, tokens: Tokens): Sym {
    const act = activation(this.config.activation_function, "activation_function");
    x = this.self_attn_layer_norm.forward(this.self_attn.forward(x, tokens).add(x));
    return this.final_layer_norm.forward(this.fc2.forward(act(this.fc1.forward(x))).add(x));
  }
}

export class BartDecoderLayer extends Block {
  self_attn = new BartAttention(this.config, this.config.decoder_attention_heads);
  self_attn_layer_norm = new LayerNorm(this.config.d_model);
  encoder_attn = new BartCrossAttention(this.config, this.config.decoder_attention_heads);
  encoder_attn_layer_norm = new LayerNorm(this.config.d_model);
  fc1 = new Linear(this.config.d_model, this.config.decoder_ffn_dim);
  fc2 = new Linear(this.config.decoder_ffn_dim, this.config.d_model);
  final_layer_norm = new LayerNorm(this.config.d_model);

  override forward(x: Sym, tokens: Tokens): Sym {
    const act = activation(this.config.activation_function, "activation_function");
    x = this.self_attn_layer_norm.forward(this.self_attn.forward(x, tokens).add(x));
    if (tokens.has_memory) x = this.encoder_attn_layer_norm.forward(this.encoder_attn.forward(x, tokens).add(x));
    return this.final_layer_norm.forward(this.fc2.forward(act(this.fc1.forward(x))).add(x));
  }
}

/** The encoder or the decoder: vectors of words and positions, then layers. */
abstract class BartStack extends Block {
  embed_tokens = new BartScaledWordEmbedding(this.config);
  embed_positions = new BartLearnedPositionalEmbedding(this.config.max_position_embeddings, this.config.d_model);
  layers = this.make_layers();
  layernorm_embedding = new LayerNorm(this.config.d_model);

  protected abstract make_layers(): (BartEncoderLayer | BartDecoderLayer)[];

  override forward(tokens: Tokens): Sym {
    const words = tokens.inputs_embeds ?? this.embed_tokens.forward(tokens.input_ids);
    let x = this.layernorm_embedding.forward(words.add(this.embed_positions.forward(tokens.position_ids)));
    tokens.hidden_states.push(x);
    for (const layer of this.layers) {
      x = layer.forward(x, tokens);
      tokens.hidden_states.push(x);
    }
    return x;
  }
}

export class BartEncoder extends BartStack {
  protected override make_layers() {
    return Array.from({ length: this.config.encoder_layers }, () => new BartEncoderLayer(this.config));
  }
}

export class BartDecoder extends BartStack {
  protected override make_layers() {
    return Array.from({ length: this.config.decoder_layers }, () => new BartDecoderLayer(this.config));
  }
}

const IGNORED = [/encoder\.version$/, /decoder\.version$/];

export abstract class BartPreTrainedModel extends Seq2SeqModel {
  static override base_model_prefix = "model";
  static override keys_to_ignore_on_load_unexpected = IGNORED;

  /** For denoising, the decoder says the text again. */
  protected override default_decoder_ids(input_ids: Int32Array[]): Int32Array[] {
    return this.shift_tokens_right(input_ids);
  }

  protected tied_embeddings(prefix: string): [string, string][] {
    return ["encoder", "decoder"].map((side) => [`${prefix}${side}.embed_tokens.weight`, `${prefix}shared.weight`]);
  }

  override tied_weights(): [string, string][] {
    return this.tied_embeddings("model.");
  }
}

export class BartModel extends BartPreTrainedModel {
  static override head = heads.seq2seq_base;
  shared = new BartScaledWordEmbedding(this.config);
  encoder = new BartEncoder(this.config);
  decoder = new BartDecoder(this.config);

  override tied_weights(): [string, string][] {
    return this.tied_embeddings("");
  }

  override get_input_embeddings(): Embedding {
    return this.shared;
  }

  override encode(tokens: Tokens): Sym {
    return this.encoder.forward(tokens);
  }

  override decode(tokens: Tokens) {
    return { last_hidden_state: this.decoder.forward(tokens) };
  }
}

/** A model over the decoder's states, [tokens, d_model]. */
abstract class BartWithHead extends BartPreTrainedModel {
  model = new BartModel(this.config, this.name_or_path);

  override encode(tokens: Tokens): Sym {
    return this.model.encode(tokens);
  }

  protected states(tokens: Tokens): Sym {
    return this.model.decode(tokens).last_hidden_state;
  }
}

export class BartForConditionalGeneration extends BartWithHead {
  static override head = heads.seq2seq_lm;
  static override keys_to_ignore_on_load_missing = [/^final_logits_bias$/];
  final_logits_bias = new Parameter([1, this.config.vocab_size], { init: "zeros", buffer: true });
  lm_head = new Linear(this.config.d_model, this.config.vocab_size, { bias: false });

  override tied_weights(): [string, string][] {
    const head: [string, string][] = [["lm_head.weight", "model.shared.weight"]];
    return [...super.tied_weights(), ...(this.config.tie_word_embeddings ? head : [])];
  }

  override get_output_embeddings(): Linear {
    return this.lm_head;
  }

  protected override vocabulary_resized(count: number): void {
    super.vocabulary_resized(count);
    resize_columns(this.require_tensors("resize_token_embeddings"), this.final_logits_bias.name, count);
    this.final_logits_bias.shape[1] = count;
  }

  override decode(tokens: Tokens) {
    return { logits: this.lm_head.forward(tokens.outputs(this.states(tokens))).add(this.final_logits_bias) };
  }
}

export class BartClassificationHead extends Block {
  dense = new Linear(this.config.d_model, this.config.d_model);
  out_proj = new Linear(this.config.d_model, this.config.num_labels);

  override forward(x: Sym): Sym {
    return this.out_proj.forward(this.dense.forward(x).tanh());
  }
}

/** Looks at the last end token of each row. */
export class BartForSequenceClassification extends BartWithHead {
  static override head = heads.seq2seq_sequence_classification;
  classification_head = new BartClassificationHead(this.config);

  protected override last_positions(encoder: Batch | undefined, { length }: Batch): Int32Array {
    if (!encoder?.ids)
      throw new TransformersError(
        `Passing input embeddings is currently not supported for ${this.constructor.name}`,
        "unsupported",
      );
    const eos: number = this.config.eos_token_id;
    const counts = new Set(encoder.ids.map((row) => row.filter((id) => id === eos).length));
    if (counts.size > 1) throw new RangeError("All examples must have the same number of <eos> tokens.");
    const last = Int32Array.from(encoder.ids, (row) => row.lastIndexOf(eos));
    if (counts.has(0) || last.some((position) => position >= length))
      throw new RangeError(
        `Expected an <eos> token (${eos}) in each row of input_ids, at a place that the decoder reads`,
      );
    return last;
  }

  override decode(tokens: Tokens) {
    return { logits: this.classification_head.forward(tokens.last(this.states(tokens))) };
  }
}

export class BartForQuestionAnswering extends BartWithHead {
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

class BartDecoderWrapper extends Block {
  decoder = new BartDecoder(this.config);

  override forward(tokens: Tokens): Sym {
    return this.decoder.forward(tokens);
  }
}

/** The decoder alone. */
export class BartForCausalLM extends TextModel {
  static override base_model_prefix = "model";
  static override keys_to_ignore_on_load_unexpected = IGNORED;
  static override head = heads.causal_lm_unshifted;
  static override takes_position_ids = false;
  model = new BartDecoderWrapper(this.config);
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

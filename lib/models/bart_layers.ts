// What encoder and decoder of BART and of the models after it are made of. A `BartFamily` says how they differ.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { activation, Block, Embedding, LayerNorm, Linear, type Sym, type Tokens } from "../nn/index.js";

/** What tells BART, mBART, Marian and Pegasus apart. */
export interface BartFamily {
  /** Norms stand before attention and feed-forward, and after all layers; otherwise after each attention and feed-forward. */
  pre_norm: boolean;
  /** Words and positions together go through a norm. */
  norms_embeddings: boolean;
  /** `scale_embedding` means the vectors that a call brings for the decoder too. */
  scales_decoder_embeds: boolean;
  positions(config: PretrainedConfig): Embedding;
  /** Without ids of its own the decoder says the text again. */
  repeats_text: boolean;
  /** Without `tie_word_embeddings` a checkpoint has a table of words for each side, beside the shared one. */
  unties_sides: boolean;
  /** It begins with the last token of what it is to say, instead of `decoder_start_token_id`. */
  starts_with_last: boolean;
}

/** Positions begin at the third row: the first two once belonged to the padding. */
export class LearnedPositions extends Embedding {
  private static readonly offset = 2;

  constructor({ max_position_embeddings, d_model }: PretrainedConfig) {
    super(max_position_embeddings + LearnedPositions.offset, d_model);
  }

  override forward(ids: Sym): Sym {
    const { offset } = LearnedPositions;
    return this.weight
      .sym()
      .narrow(0, offset, this.weight.shape[0] - offset)
      .index_select(ids);
  }
}

/** Sines in the first half of each row, cosines in the second. `MarianSinusoidalPositionalEmbedding` */
function sinusoids([positions, size]: number[]): Float32Array {
  const sines = Math.ceil(size / 2);
  return Float32Array.from({ length: positions * size }, (_, i) => {
    const column = i % size;
    const pair = column < sines ? column : column - sines;
    const angle = Math.floor(i / size) / 10000 ** ((2 * pair) / size);
    return column < sines ? Math.sin(angle) : Math.cos(angle);
  });
}

export const learned_positions = (config: PretrainedConfig): Embedding => new LearnedPositions(config);
export const sinusoidal_positions = ({ max_position_embeddings, d_model }: PretrainedConfig): Embedding =>
  new Embedding(max_position_embeddings, d_model, { init: sinusoids });

/** `scale_embedding` multiplies the vectors by the root of their size. */
export class ScaledWordEmbedding extends Embedding {
  private readonly embed_scale: number;

  constructor({ d_model, pad_token_id, scale_embedding }: PretrainedConfig, vocab_size: number) {
    super(vocab_size, d_model, { padding_idx: pad_token_id });
    this.embed_scale = scale_embedding ? Math.sqrt(d_model) : 1;
  }

  override forward(ids: Sym): Sym {
    return this.scale(super.forward(ids));
  }

  scale(vectors: Sym): Sym {
    return this.embed_scale === 1 ? vectors : vectors.mul(this.embed_scale);
  }
}

class Attention extends Block {
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
class CrossAttention extends Attention {
  override forward(x: Sym, tokens: Tokens): Sym {
    const project = (states: Sym): [Sym, Sym] => [this.k_proj.forward(states), this.v_proj.forward(states)];
    return this.out_proj.forward(tokens.cross_attention(this.q_proj.forward(x), project, { heads: this.heads }));
  }
}

abstract class Layer extends Block {
  abstract fc1: Linear;
  abstract fc2: Linear;
  abstract override forward(x: Sym, tokens: Tokens): Sym;
  protected readonly family: BartFamily;

  constructor(config: PretrainedConfig, family: BartFamily) {
    super(config);
    this.family = family;
  }

  /** x and what `part` makes of it, with a norm before or after. */
  protected residual(x: Sym, norm: LayerNorm, part: (x: Sym) => Sym): Sym {
    return this.family.pre_norm ? part(norm.forward(x)).add(x) : norm.forward(part(x).add(x));
  }

  protected feed_forward(x: Sym): Sym {
    const act = activation(this.config.activation_function, "activation_function");
    return this.fc2.forward(act(this.fc1.forward(x)));
  }
}

class EncoderLayer extends Layer {
  self_attn = new Attention(this.config, this.config.encoder_attention_heads);
  self_attn_layer_norm = new LayerNorm(this.config.d_model);
  fc1 = new Linear(this.config.d_model, this.config.encoder_ffn_dim);
  fc2 = new Linear(this.config.encoder_ffn_dim, this.config.d_model);
  final_layer_norm = new LayerNorm(this.config.d_model);

  override forward(x: Sym, tokens: Tokens): Sym {
    x = this.residual(x, this.self_attn_layer_norm, (x) => this.self_attn.forward(x, tokens));
    return this.residual(x, this.final_layer_norm, (x) => this.feed_forward(x));
  }
}

class DecoderLayer extends Layer {
  self_attn = new Attention(this.config, this.config.decoder_attention_heads);
  self_attn_layer_norm = new LayerNorm(this.config.d_model);
  encoder_attn = new CrossAttention(this.config, this.config.decoder_attention_heads);
  encoder_attn_layer_norm = new LayerNorm(this.config.d_model);
  fc1 = new Linear(this.config.d_model, this.config.decoder_ffn_dim);
  fc2 = new Linear(this.config.decoder_ffn_dim, this.config.d_model);
  final_layer_norm = new LayerNorm(this.config.d_model);

  override forward(x: Sym, tokens: Tokens): Sym {
    x = this.residual(x, this.self_attn_layer_norm, (x) => this.self_attn.forward(x, tokens));
    if (tokens.has_memory)
      x = this.residual(x, this.encoder_attn_layer_norm, (x) => this.encoder_attn.forward(x, tokens));
    return this.residual(x, this.final_layer_norm, (x) => this.feed_forward(x));
  }
}

/** The encoder or the decoder: vectors of words and positions, then layers. */
abstract class Stack<Each extends Layer> extends Block {
  embed_tokens: ScaledWordEmbedding;
  embed_positions: Embedding;
  layers: Each[];
  layernorm_embedding?: LayerNorm;
  layer_norm?: LayerNorm;

  constructor(config: PretrainedConfig, family: BartFamily, layers: Each[], vocab_size: number = config.vocab_size) {
    super(config);
    this.embed_tokens = new ScaledWordEmbedding(config, vocab_size);
    this.embed_positions = family.positions(config);
    this.layers = layers;
    if (family.norms_embeddings) this.layernorm_embedding = new LayerNorm(config.d_model);
    if (family.pre_norm) this.layer_norm = new LayerNorm(config.d_model);
  }

  /** Vectors that the call brings. */
  protected given(embeds: Sym): Sym {
    return embeds;
  }

  /** The states of all tokens, [tokens, d_model]. */
  override forward(tokens: Tokens): Sym {
    const { inputs_embeds } = tokens;
    const words = inputs_embeds ? this.given(inputs_embeds) : this.embed_tokens.forward(tokens.input_ids);
    let x = words.add(this.embed_positions.forward(tokens.position_ids));
    if (this.layernorm_embedding) x = this.layernorm_embedding.forward(x);
    for (const layer of this.layers) {
      tokens.hidden_states.push(x);
      x = layer.forward(x, tokens);
    }
    if (this.layer_norm) x = this.layer_norm.forward(x);
    tokens.hidden_states.push(x);
    return x;
  }
}

const layers_of = <Each>(count: number, make: () => Each): Each[] => Array.from({ length: count }, make);

export class BartFamilyEncoder extends Stack<EncoderLayer> {
  constructor(config: PretrainedConfig, family: BartFamily) {
    super(
      config,
      family,
      layers_of(config.encoder_layers, () => new EncoderLayer(config, family)),
    );
  }
}

export class BartFamilyDecoder extends Stack<DecoderLayer> {
  private readonly scales_embeds: boolean;

  constructor(config: PretrainedConfig, family: BartFamily, vocab_size?: number) {
    super(
      config,
      family,
      layers_of(config.decoder_layers, () => new DecoderLayer(config, family)),
      vocab_size,
    );
    this.scales_embeds = family.scales_decoder_embeds;
  }

  protected override given(embeds: Sym): Sym {
    return this.scales_embeds ? this.embed_tokens.scale(embeds) : embeds;
  }
}

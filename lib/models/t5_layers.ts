// What encoder and decoder of T5 are made of.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/t5/modeling_t5.py
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
export class T5Stack extends Block {
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

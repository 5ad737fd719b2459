// BERT. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bert/modeling_bert.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { TransformersError } from "../errors.js";
import { activation, Block, Embedding, LayerNorm, Linear, type Sym, type Tokens } from "../nn/index.js";
import * as heads from "./heads.js";
import { TextModel } from "./text_model.js";

export class BertEmbeddings extends Block {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    padding_idx: this.config.pad_token_id,
  });
  position_embeddings = new Embedding(this.config.max_position_embeddings, this.config.hidden_size);
  token_type_embeddings = new Embedding(this.config.type_vocab_size, this.config.hidden_size);
  LayerNorm = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_eps });

  override forward(tokens: Tokens): Sym {
    const words = tokens.inputs_embeds ?? this.word_embeddings.forward(tokens.input_ids);
    const types = this.token_type_embeddings.forward(tokens.token_type_ids);
    const positions = this.position_embeddings.forward(tokens.position_ids);
    return this.LayerNorm.forward(words.add(types).add(positions));
  }
}

class BertSelfAttention extends Block {
  query = new Linear(this.config.hidden_size, this.config.hidden_size);
  key = new Linear(this.config.hidden_size, this.config.hidden_size);
  value = new Linear(this.config.hidden_size, this.config.hidden_size);

  override forward(x: Sym, tokens: Tokens): Sym {
    const heads = this.config.num_attention_heads;
    return tokens.attention(this.query.forward(x), this.key.forward(x), this.value.forward(x), { heads });
  }
}

class BertSelfOutput extends Block {
  dense = new Linear(this.config.hidden_size, this.config.hidden_size);
  LayerNorm = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_eps });

  override forward(x: Sym, residual: Sym): Sym {
    return this.LayerNorm.forward(this.dense.forward(x).add(residual));
  }
}

class BertAttention extends Block {
  self = new BertSelfAttention(this.config);
  output = new BertSelfOutput(this.config);

  override forward(x: Sym, tokens: Tokens): Sym {
    return this.output.forward(this.self.forward(x, tokens), x);
  }
}

class BertIntermediate extends Block {
  dense = new Linear(this.config.hidden_size, this.config.intermediate_size);

  override forward(x: Sym): Sym {
    return activation(this.config.hidden_act)(this.dense.forward(x));
  }
}

class BertOutput extends Block {
  dense = new Linear(this.config.intermediate_size, this.config.hidden_size);
  LayerNorm = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_eps });

  override forward(x: Sym, residual: Sym): Sym {
    return this.LayerNorm.forward(this.dense.forward(x).add(residual));
  }
}

class BertLayer extends Block {
  attention = new BertAttention(this.config);
  intermediate = new BertIntermediate(this.config);
  output = new BertOutput(this.config);

  override forward(x: Sym, tokens: Tokens): Sym {
    const attended = this.attention.forward(x, tokens);
    return this.output.forward(this.intermediate.forward(attended), attended);
  }
}

export class BertEncoder extends Block {
  layer = Array.from({ length: this.config.num_hidden_layers }, () => new BertLayer(this.config));

  override forward(x: Sym, tokens: Tokens): Sym {
    tokens.hidden_states.push(x);
    for (const layer of this.layer) {
      x = layer.forward(x, tokens);
      tokens.hidden_states.push(x);
    }
    return x;
  }
}

export class BertPooler extends Block {
  dense = new Linear(this.config.hidden_size, this.config.hidden_size);

  override forward(first: Sym): Sym {
    return this.dense.forward(first).tanh();
  }
}

export abstract class BertPreTrainedModel extends TextModel {
  static override base_model_prefix = "bert";
  static override token_inputs = ["token_type_ids"];

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    const kind = config.position_embedding_type ?? "absolute";
    if (kind !== "absolute")
      throw new TransformersError(`position_embedding_type "${kind}" is not supported`, "unsupported");
    if (config.add_cross_attention) throw new TransformersError("add_cross_attention is not supported", "unsupported");
  }

  override get is_causal(): boolean {
    return this.config.is_decoder === true;
  }

  /** The word head shares its tensors with the embeddings, and its bias with its own decoder. */
  protected tied_head(): [string, string][] {
    const bias: [string, string] = ["cls.predictions.decoder.bias", "cls.predictions.bias"];
    const weight: [string, string] = ["cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"];
    return this.config.tie_word_embeddings ? [weight, bias] : [bias];
  }
}

export class BertModel extends BertPreTrainedModel {
  static override head = heads.base_with_pooling;
  embeddings = new BertEmbeddings(this.config);
  encoder = new BertEncoder(this.config);
  pooler?: BertPooler;

  constructor(config: PretrainedConfig, name_or_path?: string, { add_pooling_layer = true } = {}) {
    super(config, name_or_path);
    if (add_pooling_layer) this.pooler = new BertPooler(config);
  }

  override get_input_embeddings(): Embedding {
    return this.embeddings.word_embeddings;
  }

  override compute(tokens: Tokens) {
    const last_hidden_state = this.encoder.forward(this.embeddings.forward(tokens), tokens);
    return { last_hidden_state, pooler_output: this.pooler?.forward(tokens.first(last_hidden_state)) };
  }
}

// DistilBERT. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/distilbert/modeling_distilbert.py
import { activation, Block, Embedding, LayerNorm, Linear, type Sym, type Tokens } from "../nn/index.js";
import * as heads from "./heads.js";
import { TextModel } from "./text_model.js";

/** Whatever the configuration says of others. */
const EPS = 1e-12;

/** Sines at the even places of each row, cosines at the odd ones. `_create_sinusoidal_embeddings` */
function create_sinusoidal_embeddings([positions, size]: number[]): Float32Array {
  return Float32Array.from({ length: positions * size }, (_, i) => {
    const column = i % size;
    const angle = Math.floor(i / size) / 10000 ** ((2 * Math.floor(column / 2)) / size);
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

class Embeddings extends Block {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.dim, { padding_idx: this.config.pad_token_id });
  position_embeddings = new Embedding(
    this.config.max_position_embeddings,
    this.config.dim,
    this.config.sinusoidal_pos_embds ? { init: create_sinusoidal_embeddings } : {},
  );
  LayerNorm = new LayerNorm(this.config.dim, { eps: EPS });

  override forward(tokens: Tokens): Sym {
    const words = tokens.inputs_embeds ?? this.word_embeddings.forward(tokens.input_ids);
    return this.LayerNorm.forward(words.add(this.position_embeddings.forward(tokens.position_ids)));
  }
}

class MultiHeadSelfAttention extends Block {
  q_lin = new Linear(this.config.dim, this.config.dim);
  k_lin = new Linear(this.config.dim, this.config.dim);
  v_lin = new Linear(this.config.dim, this.config.dim);
  out_lin = new Linear(this.config.dim, this.config.dim);

  override forward(x: Sym, tokens: Tokens): Sym {
    const [q, k, v] = [this.q_lin.forward(x), this.k_lin.forward(x), this.v_lin.forward(x)];
    return this.out_lin.forward(tokens.attention(q, k, v, { heads: this.config.n_heads }));
  }
}

class FFN extends Block {
  lin1 = new Linear(this.config.dim, this.config.hidden_dim);
  lin2 = new Linear(this.config.hidden_dim, this.config.dim);

  override forward(x: Sym): Sym {
    return this.lin2.forward(activation(this.config.activation, "activation")(this.lin1.forward(x)));
  }
}

class TransformerBlock extends Block {
  attention = new MultiHeadSelfAttention(this.config);
  sa_layer_norm = new LayerNorm(this.config.dim, { eps: EPS });
  ffn = new FFN(this.config);
  output_layer_norm = new LayerNorm(this.config.dim, { eps: EPS });

  override forward(x: Sym, tokens: Tokens): Sym {
    const attended = this.sa_layer_norm.forward(this.attention.forward(x, tokens).add(x));
    return this.output_layer_norm.forward(this.ffn.forward(attended).add(attended));
  }
}

class Transformer extends Block {
  layer = Array.from({ length: this.config.n_layers }, () => new TransformerBlock(this.config));

  override forward(x: Sym, tokens: Tokens): Sym {
    tokens.hidden_states.push(x);
    for (const layer of this.layer) {
      x = layer.forward(x, tokens);
      tokens.hidden_states.push(x);
    }
    return x;
  }
}

abstract class DistilBertPreTrainedModel extends TextModel {
  static override base_model_prefix = "distilbert";
  static override takes_position_ids = false;
}

export class DistilBertModel extends DistilBertPreTrainedModel {
  static override head = heads.base;
  embeddings = new Embeddings(this.config);
  transformer = new Transformer(this.config);

  override get_input_embeddings(): Embedding {
    return this.embeddings.word_embeddings;
  }

  override compute(tokens: Tokens) {
    return { last_hidden_state: this.transformer.forward(this.embeddings.forward(tokens), tokens) };
  }
}

/** A model over the states of all tokens, [tokens, dim]. */
abstract class DistilBertWithHead extends DistilBertPreTrainedModel {
  distilbert = new DistilBertModel(this.config, this.name_or_path);

  protected states(tokens: Tokens): Sym {
    return this.distilbert.compute(tokens).last_hidden_state;
  }
}

/** A model over the first token, [rows, dim]. */
abstract class DistilBertForRows extends DistilBertWithHead {
  pre_classifier = new Linear(this.config.dim, this.config.dim);

  protected pooled(tokens: Tokens): Sym {
    return this.pre_classifier.forward(tokens.first(this.states(tokens))).relu();
  }
}

export class DistilBertForMaskedLM extends DistilBertWithHead {
  static override head = heads.masked_lm;
  vocab_transform = new Linear(this.config.dim, this.config.dim);
  vocab_layer_norm = new LayerNorm(this.config.dim, { eps: EPS });
  vocab_projector = new Linear(this.config.dim, this.config.vocab_size);

  override tied_weights(): [string, string][] {
    return this.config.tie_word_embeddings
      ? [["vocab_projector.weight", "distilbert.embeddings.word_embeddings.weight"]]
      : [];
  }

  override get_output_embeddings(): Linear {
    return this.vocab_projector;
  }

  override compute(tokens: Tokens) {
    const transformed = activation(
      this.config.activation,
      "activation",
    )(this.vocab_transform.forward(this.states(tokens)));
    return { logits: this.vocab_projector.forward(this.vocab_layer_norm.forward(transformed)) };
  }
}

export class DistilBertForSequenceClassification extends DistilBertForRows {
  static override head = heads.sequence_classification;
  classifier = new Linear(this.config.dim, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.pooled(tokens)) };
  }
}

export class DistilBertForMultipleChoice extends DistilBertForRows {
  static override head = heads.multiple_choice;
  classifier = new Linear(this.config.dim, 1);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.pooled(tokens)) };
  }
}

export class DistilBertForTokenClassification extends DistilBertWithHead {
  static override head = heads.token_classification;
  classifier = new Linear(this.config.dim, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.states(tokens)) };
  }
}

export class DistilBertForQuestionAnswering extends DistilBertWithHead {
  static override head = heads.question_answering;
  qa_outputs = new Linear(this.config.dim, this.config.num_labels);

  override compute(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.states(tokens)));
  }
}

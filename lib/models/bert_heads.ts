// BERT's heads. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bert/modeling_bert.py
import { activation, Block, LayerNorm, Linear, Parameter, type Sym, type Tokens } from "../nn/index.js";
import { BertModel, BertPreTrainedModel } from "./bert.js";
import * as heads from "./heads.js";
import type { Arguments } from "./text_model.js";

class BertPredictionHeadTransform extends Block {
  dense = new Linear(this.config.hidden_size, this.config.hidden_size);
  LayerNorm = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_eps });

  override forward(x: Sym): Sym {
    return this.LayerNorm.forward(activation(this.config.hidden_act)(this.dense.forward(x)));
  }
}

class BertLMPredictionHead extends Block {
  bias = new Parameter([this.config.vocab_size], "zeros");
  transform = new BertPredictionHeadTransform(this.config);
  decoder = new Linear(this.config.hidden_size, this.config.vocab_size);

  override forward(x: Sym): Sym {
    return this.decoder.forward(this.transform.forward(x));
  }
}

/** `cls` of a model that predicts words. */
class BertOnlyMLMHead extends Block {
  predictions = new BertLMPredictionHead(this.config);

  override forward(x: Sym): Sym {
    return this.predictions.forward(x);
  }
}

/** `cls` of a model that tells whether a sentence follows. */
class BertOnlyNSPHead extends Block {
  seq_relationship = new Linear(this.config.hidden_size, 2);

  override forward(pooled: Sym): Sym {
    return this.seq_relationship.forward(pooled);
  }
}

/** `cls` of a model that does both. */
class BertPreTrainingHeads extends Block {
  predictions = new BertLMPredictionHead(this.config);
  seq_relationship = new Linear(this.config.hidden_size, 2);

  override forward(x: Sym, pooled: Sym): [Sym, Sym] {
    return [this.predictions.forward(x), this.seq_relationship.forward(pooled)];
  }
}

/** A model over the states of all tokens, [tokens, hidden_size]. */
abstract class BertForTokens extends BertPreTrainedModel {
  bert = new BertModel(this.config, this.name_or_path, { add_pooling_layer: false });

  protected states(tokens: Tokens): Sym {
    return this.bert.compute(tokens).last_hidden_state;
  }
}

/** A model over the pooled first token, [rows, hidden_size]. */
abstract class BertForRows extends BertPreTrainedModel {
  bert = new BertModel(this.config, this.name_or_path);

  protected pooled(tokens: Tokens): Sym {
    return this.bert.compute(tokens).pooler_output as Sym;
  }
}

export class BertForMaskedLM extends BertForTokens {
  static override head = heads.masked_lm;
  cls = new BertOnlyMLMHead(this.config);

  override tied_weights() {
    return this.tied_head();
  }

  override get_output_embeddings(): Linear {
    return this.cls.predictions.decoder;
  }

  override compute(tokens: Tokens) {
    return { logits: this.cls.forward(tokens.outputs(this.states(tokens))) };
  }
}

/** The decoder: `is_decoder` makes its tokens see those before them only. */
export class BertLMHeadModel extends BertForMaskedLM {
  static override head = heads.causal_lm;

  /** None beside a loss. */
  protected override gives_cache(args: Arguments): boolean {
    return super.gives_cache(args) && (args["labels"] ?? null) === null;
  }
}

export class BertForPreTraining extends BertForRows {
  static override head = heads.pretraining;
  cls = new BertPreTrainingHeads(this.config);

  override tied_weights() {
    return this.tied_head();
  }

  override get_output_embeddings(): Linear {
    return this.cls.predictions.decoder;
  }

  override compute(tokens: Tokens) {
    const { last_hidden_state, pooler_output } = this.bert.compute(tokens);
    const [prediction_logits, seq_relationship_logits] = this.cls.forward(last_hidden_state, pooler_output as Sym);
    return { prediction_logits, seq_relationship_logits };
  }
}

export class BertForNextSentencePrediction extends BertForRows {
  static override head = heads.next_sentence;
  cls = new BertOnlyNSPHead(this.config);

  override compute(tokens: Tokens) {
    return { logits: this.cls.forward(this.pooled(tokens)) };
  }
}

export class BertForSequenceClassification extends BertForRows {
  static override head = heads.sequence_classification;
  classifier = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.pooled(tokens)) };
  }
}

export class BertForMultipleChoice extends BertForRows {
  static override head = heads.multiple_choice;
  classifier = new Linear(this.config.hidden_size, 1);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.pooled(tokens)) };
  }
}

export class BertForTokenClassification extends BertForTokens {
  static override head = heads.token_classification;
  classifier = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.states(tokens)) };
  }
}

export class BertForQuestionAnswering extends BertForTokens {
  static override head = heads.question_answering;
  qa_outputs = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.states(tokens)));
  }
}

// RoBERTa: BERT with positions counted over the ids that are no padding, and heads of its own.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/roberta/modeling_roberta.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { Block, Embedding, LayerNorm, Linear, Parameter, type Sym, type Tokens } from "../nn/index.js";
import { BertEmbeddings, BertEncoder, BertPooler, BertPreTrainedModel } from "./bert.js";
import * as heads from "./heads.js";
import type { Arguments } from "./text_model.js";

class RobertaEmbeddings extends BertEmbeddings {
  override position_embeddings = new Embedding(this.config.max_position_embeddings, this.config.hidden_size, {
    padding_idx: this.config.pad_token_id,
  });
}

/** Predicts words; its activation is gelu whatever `hidden_act` says. */
class RobertaLMHead extends Block {
  bias = new Parameter([this.config.vocab_size], "zeros");
  dense = new Linear(this.config.hidden_size, this.config.hidden_size);
  layer_norm = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_eps });
  decoder = new Linear(this.config.hidden_size, this.config.vocab_size);

  override forward(x: Sym): Sym {
    return this.decoder.forward(this.layer_norm.forward(this.dense.forward(x).activation("gelu")));
  }
}

class RobertaClassificationHead extends Block {
  dense = new Linear(this.config.hidden_size, this.config.hidden_size);
  out_proj = new Linear(this.config.hidden_size, this.config.num_labels);

  override forward(first: Sym): Sym {
    return this.out_proj.forward(this.dense.forward(first).tanh());
  }
}

abstract class RobertaPreTrainedModel extends BertPreTrainedModel {
  static override base_model_prefix = "roberta";

  /** They come after that of the padding. */
  protected override get first_position(): number {
    return this.config.pad_token_id + 1;
  }

  /** `create_position_ids_from_input_ids`: tokens are counted from the padding's id on, padding itself stands there. */
  protected override default_positions(length: number, ids: Int32Array | undefined, past: number): Int32Array {
    const padding: number = this.config.pad_token_id;
    let position = padding + past;
    return new Int32Array(length).map((_, i) => (ids?.[i] === padding ? padding : ++position));
  }
}

export class RobertaModel extends RobertaPreTrainedModel {
  static override head = heads.base_with_pooling;
  embeddings = new RobertaEmbeddings(this.config);
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

/** A model over the states of all tokens, [tokens, hidden_size]. */
abstract class RobertaForTokens extends RobertaPreTrainedModel {
  roberta = new RobertaModel(this.config, this.name_or_path, { add_pooling_layer: false });

  protected states(tokens: Tokens): Sym {
    return this.roberta.compute(tokens).last_hidden_state;
  }
}

export class RobertaForMaskedLM extends RobertaForTokens {
  static override head = heads.masked_lm;
  lm_head = new RobertaLMHead(this.config);

  /** The word head shares its tensors with the embeddings, and its bias with its own decoder. */
  override tied_weights(): [string, string][] {
    const bias: [string, string] = ["lm_head.decoder.bias", "lm_head.bias"];
    const weight: [string, string] = ["lm_head.decoder.weight", "roberta.embeddings.word_embeddings.weight"];
    return this.config.tie_word_embeddings ? [weight, bias] : [bias];
  }

  override get_output_embeddings(): Linear {
    return this.lm_head.decoder;
  }

  override compute(tokens: Tokens) {
    return { logits: this.lm_head.forward(tokens.outputs(this.states(tokens))) };
  }
}

/** The decoder: `is_decoder` makes its tokens see those before them only. */
export class RobertaForCausalLM extends RobertaForMaskedLM {
  static override head = heads.causal_lm;

  /** None beside a loss. */
  protected override gives_cache(args: Arguments): boolean {
    return super.gives_cache(args) && (args["labels"] ?? null) === null;
  }
}

export class RobertaForSequenceClassification extends RobertaForTokens {
  static override head = heads.sequence_classification;
  classifier = new RobertaClassificationHead(this.config);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(tokens.first(this.states(tokens))) };
  }
}

export class RobertaForMultipleChoice extends RobertaPreTrainedModel {
  static override head = heads.multiple_choice;
  roberta = new RobertaModel(this.config, this.name_or_path);
  classifier = new Linear(this.config.hidden_size, 1);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.roberta.compute(tokens).pooler_output as Sym) };
  }
}

export class RobertaForTokenClassification extends RobertaForTokens {
  static override head = heads.token_classification;
  classifier = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.states(tokens)) };
  }
}

export class RobertaForQuestionAnswering extends RobertaForTokens {
  static override head = heads.question_answering;
  qa_outputs = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.states(tokens)));
  }
}

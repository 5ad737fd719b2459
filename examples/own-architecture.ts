// An architecture of your own: a configuration, modules, a model with a head, and their registration.
// The example is an encoder with RMS norms, gated feed-forward layers and shared keys, for classifying tokens.
import {
  AutoConfig,
  AutoModel,
  AutoModelForTokenClassification,
  heads,
  nn,
  PretrainedConfig,
  TextModel,
} from "ggml-transformers";

export class GluConfig extends PretrainedConfig {
  static override model_type = "glu-encoder";
  static override defaults = {
    vocab_size: 100,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-6,
  };
}

// The paths of properties are the names of the checkpoint's tensors: "layers.0.attention.q.weight".
class GluAttention extends nn.Block {
  private readonly kv_size =
    (this.config.hidden_size / this.config.num_attention_heads) * this.config.num_key_value_heads;
  q = new nn.Linear(this.config.hidden_size, this.config.hidden_size, { bias: false });
  k = new nn.Linear(this.config.hidden_size, this.kv_size, { bias: false });
  v = new nn.Linear(this.config.hidden_size, this.kv_size, { bias: false });
  out = new nn.Linear(this.config.hidden_size, this.config.hidden_size);

  override forward(x: nn.Sym, tokens: nn.Tokens): nn.Sym {
    const attended = tokens.attention(this.q.forward(x), this.k.forward(x), this.v.forward(x), {
      heads: this.config.num_attention_heads,
      kv_heads: this.config.num_key_value_heads,
    });
    return this.out.forward(attended);
  }
}

class GluMLP extends nn.Block {
  gate = new nn.Linear(this.config.hidden_size, this.config.intermediate_size);
  up = new nn.Linear(this.config.hidden_size, this.config.intermediate_size);
  down = new nn.Linear(this.config.intermediate_size, this.config.hidden_size);

  override forward(x: nn.Sym): nn.Sym {
    const gate = nn.activation("silu")(this.gate.forward(x));
    return this.down.forward(gate.mul(this.up.forward(x)));
  }
}

class GluLayer extends nn.Block {
  attention_norm = new nn.RMSNorm(this.config.hidden_size, { eps: this.config.rms_norm_eps });
  attention = new GluAttention(this.config);
  mlp_norm = new nn.RMSNorm(this.config.hidden_size, { eps: this.config.rms_norm_eps });
  mlp = new GluMLP(this.config);

  override forward(x: nn.Sym, tokens: nn.Tokens): nn.Sym {
    const attended = x.add(this.attention.forward(this.attention_norm.forward(x), tokens));
    return attended.add(this.mlp.forward(this.mlp_norm.forward(attended)));
  }
}

export class GluModel extends TextModel {
  static override base_model_prefix = "encoder";
  static override head = heads.base;
  words = new nn.Embedding(this.config.vocab_size, this.config.hidden_size);
  positions = new nn.Embedding(this.config.max_position_embeddings, this.config.hidden_size);
  layers = Array.from({ length: this.config.num_hidden_layers }, () => new GluLayer(this.config));
  norm = new nn.RMSNorm(this.config.hidden_size, { eps: this.config.rms_norm_eps });

  override get_input_embeddings(): nn.Embedding {
    return this.words;
  }

  // Hidden states are [tokens, hidden_size]: the rows of a batch lie end to end, without padding.
  override compute(tokens: nn.Tokens) {
    let x = (tokens.inputs_embeds ?? this.words.forward(tokens.input_ids)).add(
      this.positions.forward(tokens.position_ids),
    );
    for (const layer of this.layers) {
      tokens.hidden_states.push(x);
      x = layer.forward(x, tokens);
    }
    const last_hidden_state = this.norm.forward(x);
    tokens.hidden_states.push(last_hidden_state);
    return { last_hidden_state };
  }
}

export class GluForTokenClassification extends TextModel {
  static override base_model_prefix = "encoder";
  static override head = heads.token_classification;
  encoder = new GluModel(this.config);
  classifier = new nn.Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: nn.Tokens) {
    return { logits: this.classifier.forward(this.encoder.compute(tokens).last_hidden_state) };
  }
}

AutoConfig.register("glu-encoder", GluConfig);
AutoModel.register(GluConfig, GluModel);
AutoModelForTokenClassification.register(GluConfig, GluForTokenClassification);

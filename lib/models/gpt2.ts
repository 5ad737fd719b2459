// GPT-2. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/gpt2/modeling_gpt2.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { TransformersError } from "../errors.js";
import type { SaveGgufOptions } from "../generation/mixin.js";
import { activation, Block, Conv1D, Embedding, LayerNorm, Linear, type Sym, type Tokens } from "../nn/index.js";
import * as heads from "./heads.js";
import { gpt2 } from "./llama/gpt2.js";
import { write_as_gguf } from "./llama/save.js";
import { last_token_positions } from "./pooling.js";
import { type Batch, TextModel } from "./text_model.js";

/** Projections back into the residual stream begin smaller, the more layers there are. */
const residual_std = (config: PretrainedConfig): number => config.initializer_range / Math.sqrt(2 * config.n_layer);

class GPT2Attention extends Block {
  c_attn = new Conv1D(3 * this.config.hidden_size, this.config.hidden_size);
  c_proj = new Conv1D(this.config.hidden_size, this.config.hidden_size, { std: residual_std(this.config) });
  private readonly layer_idx: number;

  constructor(config: PretrainedConfig, layer_idx: number) {
    super(config);
    this.layer_idx = layer_idx;
  }

  /** `reorder_and_upcast_attn` asks for float32 scores: they always are. */
  private get scale(): number {
    const { hidden_size, num_attention_heads, scale_attn_weights, scale_attn_by_inverse_layer_idx } = this.config;
    const by_size = scale_attn_weights ? 1 / Math.sqrt(hidden_size / num_attention_heads) : 1;
    return scale_attn_by_inverse_layer_idx ? by_size / (this.layer_idx + 1) : by_size;
  }

  override forward(x: Sym, tokens: Tokens): Sym {
    const [q, k, v] = this.c_attn.forward(x).chunk(3);
    const { num_attention_heads } = this.config;
    return this.c_proj.forward(tokens.attention(q, k, v, { heads: num_attention_heads, scale: this.scale }));
  }
}

class GPT2MLP extends Block {
  private readonly inner: number = this.config.n_inner ?? 4 * this.config.hidden_size;
  c_fc = new Conv1D(this.inner, this.config.hidden_size);
  c_proj = new Conv1D(this.config.hidden_size, this.inner, { std: residual_std(this.config) });

  override forward(x: Sym): Sym {
    return this.c_proj.forward(
      activation(this.config.activation_function, "activation_function")(this.c_fc.forward(x)),
    );
  }
}

class GPT2Block extends Block {
  ln_1: LayerNorm;
  attn: GPT2Attention;
  ln_2: LayerNorm;
  mlp: GPT2MLP;

  constructor(config: PretrainedConfig, layer_idx: number) {
    super(config);
    this.ln_1 = new LayerNorm(config.hidden_size, { eps: config.layer_norm_epsilon });
    this.attn = new GPT2Attention(config, layer_idx);
    this.ln_2 = new LayerNorm(config.hidden_size, { eps: config.layer_norm_epsilon });
    this.mlp = new GPT2MLP(config);
  }

  override forward(x: Sym, tokens: Tokens): Sym {
    const attended = this.attn.forward(this.ln_1.forward(x), tokens).add(x);
    return this.mlp.forward(this.ln_2.forward(attended)).add(attended);
  }
}

export abstract class GPT2PreTrainedModel extends TextModel {
  static override base_model_prefix = "transformer";
  /** The causal masks that the first checkpoints carry. */
  static override keys_to_ignore_on_load_unexpected = [/h\.\d+\.attn\.(masked_)?bias$/];
  static override optional_inputs = ["token_type_ids"];

  constructor(config: PretrainedConfig, name_or_path?: string) {
    super(config, name_or_path);
    if (config.add_cross_attention) throw new TransformersError("add_cross_attention is not supported", "unsupported");
  }

  override get is_causal(): boolean {
    return true;
  }

  /** Python masks what comes later twice, so it stays hidden where the padding hides the rest. */
  protected override get blind_sees() {
    return "before" as const;
  }

  /** Types are looked up among the words. */
  protected override get type_count(): number {
    return this.vocab_size;
  }
}

export class GPT2Model extends GPT2PreTrainedModel {
  static override head = heads.base_with_past;
  wte = new Embedding(this.config.vocab_size, this.config.hidden_size);
  wpe = new Embedding(this.config.max_position_embeddings, this.config.hidden_size);
  h = Array.from({ length: this.config.num_hidden_layers }, (_, i) => new GPT2Block(this.config, i));
  ln_f = new LayerNorm(this.config.hidden_size, { eps: this.config.layer_norm_epsilon });

  override get_input_embeddings(): Embedding {
    return this.wte;
  }

  override compute(tokens: Tokens) {
    const words = tokens.inputs_embeds ?? this.wte.forward(tokens.input_ids);
    let x = words.add(this.wpe.forward(tokens.position_ids));
    const types = tokens.given("token_type_ids");
    if (types) x = x.add(this.wte.forward(types));
    for (const block of this.h) {
      tokens.hidden_states.push(x);
      x = block.forward(x, tokens);
    }
    const last_hidden_state = this.ln_f.forward(x);
    tokens.hidden_states.push(last_hidden_state);
    return { last_hidden_state };
  }
}

/** A model over the states of all tokens, [tokens, hidden_size]. */
abstract class GPT2WithHead extends GPT2PreTrainedModel {
  transformer = new GPT2Model(this.config, this.name_or_path);

  protected states(tokens: Tokens): Sym {
    return this.transformer.compute(tokens).last_hidden_state;
  }
}

export class GPT2LMHeadModel extends GPT2WithHead {
  static override head = heads.causal_lm;
  static override takes_logits_to_keep = true;
  lm_head = new Linear(this.config.n_embd, this.config.vocab_size, { bias: false });

  override tied_weights(): [string, string][] {
    return this.config.tie_word_embeddings ? [["lm_head.weight", "transformer.wte.weight"]] : [];
  }

  override get_output_embeddings(): Linear {
    return this.lm_head;
  }

  /** Writes a GGUF file, without the adapters: `AutoModelForCausalLM.from_pretrained(path)` runs it on the llama engine. */
  override save_gguf(path: string, options: SaveGgufOptions = {}): Promise<void> {
    return write_as_gguf(this, gpt2, path, options);
  }

  override compute(tokens: Tokens) {
    return { logits: this.lm_head.forward(tokens.outputs(this.states(tokens))) };
  }
}

export class GPT2ForSequenceClassification extends GPT2WithHead {
  static override head = heads.sequence_classification_with_past;
  score = new Linear(this.config.n_embd, this.config.num_labels, { bias: false });

  protected override last_positions({ ids, rows, length }: Batch): Int32Array {
    return last_token_positions(this.constructor.name, this.config, ids, rows, length);
  }

  override compute(tokens: Tokens) {
    return { logits: this.score.forward(tokens.last(this.states(tokens))) };
  }
}

export class GPT2ForTokenClassification extends GPT2WithHead {
  static override head = heads.token_classification;
  classifier = new Linear(this.config.hidden_size, this.config.num_labels);

  override compute(tokens: Tokens) {
    return { logits: this.classifier.forward(this.states(tokens)) };
  }
}

export class GPT2ForQuestionAnswering extends GPT2WithHead {
  static override head = heads.question_answering;
  qa_outputs = new Linear(this.config.hidden_size, 2);

  override compute(tokens: Tokens) {
    return heads.answer_ends(this.qa_outputs.forward(this.states(tokens)));
  }
}

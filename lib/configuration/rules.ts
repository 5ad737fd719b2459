// What the constructors of Python's configuration classes do beyond storing their arguments (configuration_<model>.py).
import { TransformersError, warn_once } from "../errors.js";
import { repr } from "../python.js";
import type { ConfigDict, PretrainedConfig } from "./pretrained_config.js";
import { check_rope_scaling } from "./rope_scaling.js";

/** Gets a configuration whose fields have their values, and the arguments: what a rule deletes is not stored. */
export type Rule = (config: PretrainedConfig, given: ConfigDict, make: MakeConfig) => void;
type MakeConfig = (model_type: string, kwargs?: ConfigDict) => PretrainedConfig;

const LAYER_TYPES = ["full_attention", "sliding_attention", "chunked_attention", "linear_attention"];

function invalid(message: string): TransformersError {
  return new TransformersError(message, "config_invalid");
}

/** Python's `x if x is not None else y`, by field names. */
const fallback =
  (name: string, source: string): Rule =>
  (config) => {
    config[name] ??= config[source];
  };

const key_value_heads = fallback("num_key_value_heads", "num_attention_heads");

const rope: Rule = (config) => {
  const scaling = config.rope_scaling;
  if (scaling && "type" in scaling) scaling.rope_type = scaling.type;
  check_rope_scaling(config);
};

/** The kind of each layer, unless the checkpoint says it. */
const layer_types =
  (is_sliding: (layer: number, config: PretrainedConfig) => boolean): Rule =>
  (config) => {
    const count: number = config.num_hidden_layers;
    config.layer_types ??= Array.from({ length: count }, (_, layer) =>
      is_sliding(layer, config) ? "sliding_attention" : "full_attention",
    );
    const types: string[] = config.layer_types;
    if (!types.every((type) => LAYER_TYPES.includes(type))) {
      throw invalid(`The \`layer_types\` entries must be in (${LAYER_TYPES.map((type) => repr(type)).join(", ")})`);
    }
    if (types.length !== count) {
      throw invalid(`\`num_hidden_layers\` (${count}) must be equal to the number of layer types (${types.length})`);
    }
  };

const after_window_layers = layer_types((layer, c) => c["sliding_window"] !== null && layer >= c["max_window_layers"]);

const window_if_used: Rule = (config) => {
  if (!config.use_sliding_window) config.sliding_window = null;
};

const all =
  (...rules: Rule[]): Rule =>
  (config, given, make) => {
    for (const rule of rules) rule(config, given, make);
  };

const encoder_depth: Rule = (config) => {
  config.num_hidden_layers = config.encoder_layers;
};

const bart: Rule = (config, given, make) => {
  encoder_depth(config, given, make);
  if (config.forced_bos_token_id === null && given.force_bos_token_to_be_generated) {
    config.forced_bos_token_id = config.bos_token_id;
    warn_once(
      `Please make sure the config includes \`forced_bos_token_id=${config.bos_token_id}\` in future versions. ` +
        "The config can simply be saved and uploaded again to be fixed.",
    );
  }
};

const t5: Rule = (config) => {
  config.num_decoder_layers ??= config.num_layers;
  const projection: string = config.feed_forward_proj;
  const parts = projection.split("-");
  if ((parts.length > 1 && parts[0] !== "gated") || parts.length > 2) {
    throw invalid(
      `\`feed_forward_proj\`: ${projection} is not a valid activation function of the dense layer. Please make sure ` +
        "`feed_forward_proj` is of the format `gated-{ACT_FN}` or `{ACT_FN}`, e.g. 'gated-gelu' or 'relu'",
    );
  }
  config.dense_act_fn = projection === "gated-gelu" ? "gelu_new" : parts.at(-1);
  config.is_gated_act = parts[0] === "gated";
};

const wav2vec2: Rule = (config) => {
  const [dim, stride, kernel] = ["conv_dim", "conv_stride", "conv_kernel"].map((name) => config[name].length);
  config.num_feat_extract_layers = dim;
  if (stride !== dim || kernel !== dim) {
    throw invalid(
      "Configuration for convolutional layers is incorrect. It is required that `len(config.conv_dim)` == " +
        "`len(config.conv_stride)` == `len(config.conv_kernel)`, but is " +
        `\`len(config.conv_dim) = ${dim}\`, \`len(config.conv_stride) = ${stride}\`, ` +
        `\`len(config.conv_kernel) = ${kernel}\`.`,
    );
  }
  config.output_hidden_size ||= config.hidden_size;
};

const detr: Rule = (config, _given, make) => {
  if (config.use_timm_backbone) {
    config.backbone_kwargs ??= {
      ...(config.dilation && { output_stride: 16 }),
      out_indices: [1, 2, 3, 4],
      in_chans: config.num_channels,
    };
  } else if (config.backbone === null || config.backbone === "resnet50") {
    const { model_type = "resnet", ...inner } = config.backbone_config ?? { out_features: ["stage4"] };
    config.backbone_config = make(model_type, inner);
    config.backbone = null;
    config.dilation = null;
  }
  config.num_hidden_layers = config.encoder_layers;
};

const resnet: Rule = (config) => {
  if (!["basic", "bottleneck"].includes(config.layer_type)) {
    throw invalid(`layer_type=${config.layer_type} is not one of basic,bottleneck`);
  }
  const stages = ["stem", ...config.depths.map((_: number, i: number) => `stage${i + 1}`)];
  config.stage_names = stages;
  const features: string[] | null = config.out_features;
  const unknown = features?.filter((name) => !stages.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw invalid(`out_features must be a subset of stage_names: ${repr(stages)} got ${repr(features)}`);
  }
  config.out_indices ??= features ? features.map((name) => stages.indexOf(name)) : [stages.length - 1];
  config.out_features ??= config.out_indices.map((i: number) => stages.at(i));
};

const phi3: Rule = (config) => {
  const scaling = config.rope_scaling;
  if (!scaling) return;
  if (["su", "yarn"].includes(scaling.type)) scaling.type = "longrope";
  if (Object.keys(scaling).length !== 3) {
    throw invalid(
      "`rope_scaling` must be a dictionary with three fields, `type`, `short_factor` and `long_factor`, " +
        `got ${repr(scaling)}`,
    );
  }
  if (scaling.type !== "longrope") {
    throw invalid(`\`rope_scaling\`'s type field must be one of ['longrope'], got ${scaling.type}`);
  }
  const head_size = Math.floor(config.hidden_size / config.num_attention_heads);
  const size = Math.floor(Math.floor(head_size * config.partial_rotary_factor) / 2);
  for (const name of ["short_factor", "long_factor"]) {
    const factors = scaling[name];
    if (!Array.isArray(factors) || !factors.every((factor) => typeof factor === "number")) {
      throw invalid(`\`rope_scaling\`'s ${name} field must be a list of numbers, got ${repr(factors)}`);
    }
    if (factors.length !== size) {
      throw invalid(`\`rope_scaling\`'s ${name} field must have length ${size}, got ${factors.length}`);
    }
  }
};

const olmo2: Rule = (config) => {
  const scaling = config.rope_scaling;
  if (!scaling) return;
  if (Object.keys(scaling).length !== 2) {
    throw invalid(
      `\`rope_scaling\` must be a dictionary with two fields, \`type\` and \`factor\`, got ${repr(scaling)}`,
    );
  }
  if (!["linear", "dynamic"].includes(scaling.type)) {
    throw invalid(`\`rope_scaling\`'s type field must be one of ['linear', 'dynamic'], got ${scaling.type}`);
  }
  if (!(scaling.factor > 1)) {
    throw invalid(`\`rope_scaling\`'s factor field must be a float > 1, got ${repr(scaling.factor)}`);
  }
};

const smollm3: Rule = (config, given, make) => {
  key_value_heads(config, given, make);
  const count: number = config.num_hidden_layers;
  config.no_rope_layers ??= Array.from({ length: count }, (_, layer) =>
    Number((layer + 1) % config.no_rope_layer_interval !== 0),
  );
  const window = config.use_sliding_window && config.sliding_window !== null;
  layer_types((layer) => window && !config.no_rope_layers[layer])(config, given, make);
  rope(config, given, make);
};

const gemma3_text: Rule = (config, given, make) => {
  if (config.use_bidirectional_attention) config.sliding_window = Math.floor(config.sliding_window / 2) + 1;
  check_rope_scaling(config);
  const pattern = (given.sliding_window_pattern ?? 6) as number;
  config._sliding_window_pattern = pattern;
  layer_types((layer) => (layer + 1) % pattern !== 0)(config, given, make);
};

const no_list_is_empty: Rule = (config) => {
  config.mlp_only_layers ??= [];
};

/** Fields that are configurations: made from an object, or with their defaults. */
const sub_configs =
  (parts: Record<string, string>): Rule =>
  (config, _given, make) => {
    for (const [name, model_type] of Object.entries(parts)) {
      const value = config[name];
      if (!value || Object.getPrototypeOf(value) === Object.prototype) config[name] = make(model_type, value ?? {});
    }
  };

/** Old checkpoints of CLIP give the arguments of both parts a second time: these win. */
const clip: Rule = (config, given, make) => {
  for (const part of ["text", "vision"]) {
    const second = given[`${part}_config_dict`] as ConfigDict | undefined | null;
    delete given[`${part}_config_dict`];
    if (!second) continue;
    const { id2label, ...inner } = make(`clip_${part}_model`, second).to_dict();
    config[`${part}_config`] = { ...config[`${part}_config`], ...inner, id2label };
  }
  sub_configs({ text_config: "clip_text_model", vision_config: "clip_vision_model" })(config, given, make);
  config.initializer_factor = 1;
};

const deberta_v2: Rule = (config, given) => {
  const kinds = config.pos_att_type;
  if (typeof kinds === "string")
    config.pos_att_type = kinds
      .toLowerCase()
      .split("|")
      .map((kind) => kind.trim());
  config.pooler_hidden_size = given.pooler_hidden_size ?? config.hidden_size;
};

/** The old argument of Bloom and Falcon. */
const n_embed: Rule = (config, given) => {
  config.hidden_size = given.n_embed ?? config.hidden_size;
  delete given.n_embed;
};

const gpt_neox: Rule = (config, given, make) => {
  config.partial_rotary_factor = config.rotary_pct;
  config.rope_theta = config.rotary_emb_base;
  rope(config, given, make);
  if (config.hidden_size % config.num_attention_heads !== 0) {
    throw invalid("The hidden size is not divisible by the number of attention heads! Make sure to update them!");
  }
};

export const RULES: Record<string, Rule> = {
  bart,
  bloom: n_embed,
  clip,
  "deberta-v2": deberta_v2,
  detr,
  falcon: all(
    (config) => {
      config.ffn_hidden_size ??= config.hidden_size * 4;
    },
    n_embed,
    fallback("num_kv_heads", "num_attention_heads"),
  ),
  gemma2: layer_types((layer) => (layer + 1) % 2 !== 0),
  gemma3: sub_configs({ text_config: "gemma3_text", vision_config: "siglip_vision_model" }),
  gemma3_text,
  gpt_neox,
  granite: all(key_value_heads, check_rope_scaling),
  llama: all(
    key_value_heads,
    (config) => {
      config.head_dim ??= Math.floor(config.hidden_size / config.num_attention_heads);
    },
    rope,
  ),
  marian: all(encoder_depth, (config) => {
    config.decoder_vocab_size ||= config.vocab_size;
  }),
  mbart: encoder_depth,
  ministral: all(
    key_value_heads,
    layer_types((_, config) => config.sliding_window !== null),
  ),
  mistral: all(key_value_heads, (_, given) => {
    if (!("layer_types" in given)) return;
    warn_once(
      "Detected Mistral model with layer_types. Consider using AutoModel or Ministral classes instead to enable " +
        "alternating attention compatibility.",
    );
  }),
  mixtral: key_value_heads,
  mt5: t5,
  olmo2: all(key_value_heads, olmo2),
  pegasus: encoder_depth,
  phi: all(key_value_heads, rope),
  phi3: all(key_value_heads, phi3),
  qwen2: all(window_if_used, key_value_heads, rope, after_window_layers),
  qwen2_moe: all(window_if_used, rope, no_list_is_empty),
  qwen3: all(window_if_used, key_value_heads, rope, after_window_layers),
  qwen3_moe: all(window_if_used, rope, no_list_is_empty),
  resnet,
  smollm3,
  t5,
  umt5: t5,
  vit: (config) => {
    config.pooler_output_size ||= config.hidden_size;
  },
  wav2vec2,
  whisper: encoder_depth,
};

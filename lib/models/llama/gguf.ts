// Models that live in a GGUF file: any architecture that llama.cpp knows, opened in place with the types that it has.
import { stat } from "node:fs/promises";
import { inspect } from "node:util";
import { config_class } from "../../configuration/from_table.js";
import { gguf_model_type } from "../../configuration/gguf.js";
import { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { expected, from_native, TransformersError } from "../../errors.js";
import { cached_file } from "../../hub/cached_file.js";
import { type LlamaInfo, type NativeLlamaEngine, native } from "../../native.js";
import { parse_dtype } from "../dtype.js";
import type { ParameterSpec } from "../initialization.js";
import type { Adapter } from "../peft/adapter.js";
import { type ModelOptions, type Placement, placement } from "../placement.js";
import { engine_options, LlamaEngineModel, weights_progress } from "./engine_model.js";
import { ARCHITECTURES } from "./families.js";
import type { DecoderConfig, Parameter } from "./family.js";
import { base, causal_lm, type DecoderHead } from "./heads.js";

/**
 * llama.cpp's names of hyperparameters and config.json's.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/integrations/ggml.py `GGUF_CONFIG_MAPPING`
 */
const CONFIG_FIELDS: Record<string, string> = {
  context_length: "max_position_embeddings",
  block_count: "num_hidden_layers",
  feed_forward_length: "intermediate_size",
  embedding_length: "hidden_size",
  "rope.freq_base": "rope_theta",
  "attention.head_count": "num_attention_heads",
  "attention.head_count_kv": "num_key_value_heads",
  "attention.key_length": "head_dim",
  "attention.layer_norm_rms_epsilon": "rms_norm_eps",
  "attention.layer_norm_epsilon": "layer_norm_eps",
  "attention.sliding_window": "sliding_window",
  expert_count: "num_experts",
  expert_used_count: "num_experts_per_tok",
};
/** … and those of one type's. */
const OWN_FIELDS: Record<string, Record<string, string>> = {
  gpt2: { feed_forward_length: "n_inner", "attention.layer_norm_epsilon": "layer_norm_epsilon" },
};

/** The configuration that a GGUF file's metadata describe. */
function config_of({ metadata, n_vocab }: LlamaInfo): PretrainedConfig {
  const architecture = metadata["general.architecture"] ?? "unknown";
  const model_type = gguf_model_type(architecture);
  const fields: Record<string, unknown> = { model_type, vocab_size: n_vocab };
  for (const [key, name] of Object.entries({ ...CONFIG_FIELDS, ...OWN_FIELDS[model_type] })) {
    const value = metadata[`${architecture}.${key}`];
    if (value !== undefined && value !== "") fields[name] = Number(value);
  }
  const ids = (...names: string[]) =>
    names
      .map((name) => metadata[`tokenizer.ggml.${name}_token_id`])
      .filter((id) => id !== undefined)
      .map(Number);
  const [bos] = ids("bos");
  if (bos !== undefined) fields["bos_token_id"] = bos;
  const ends = [...new Set(ids("eos", "eot", "eom"))];
  if (ends.length > 0) fields["eos_token_id"] = ends.length === 1 ? ends[0] : ends;
  const pad = metadata["tokenizer.ggml.padding_token_id"];
  if (pad !== undefined) fields["pad_token_id"] = Number(pad);
  return (config_class(model_type) ?? PretrainedConfig).from_dict(fields) as PretrainedConfig;
}

/** A decoder in a GGUF file. Its weights stay as they are: it can run and be exported, not be saved as safetensors. */
abstract class GgufDecoder extends LlamaEngineModel {
  private readonly path: string;
  private readonly info: LlamaInfo;

  /** `engine`: the file, opened. */
  constructor(path: string, engine: NativeLlamaEngine, where: Placement) {
    const info = engine.info();
    super(config_of(info), path);
    this.path = path;
    this.info = info;
    this.placement = where;
    this.set_engine(engine);
  }

  override get vocab_size(): number {
    return this.info.n_vocab;
  }

  override get max_positions(): number {
    return this.info.n_ctx_train;
  }

  /** llama.cpp's name of the file's types, such as "Q4_K - Medium". */
  override get dtype(): string {
    return this.info.ftype;
  }

  override parameters(): ParameterSpec[] {
    return [];
  }

  override num_parameters(): number {
    return this.info.n_params;
  }

  override tied_weights(): [string, string][] {
    return [];
  }

  /** What a checkpoint of this architecture holds, for adapters that were made for one. */
  protected override engine_parameters(): Parameter[] {
    const architecture = this.info.metadata["general.architecture"];
    const known = ARCHITECTURES.find((one) => one.architecture === architecture);
    if (!known)
      throw new TransformersError(
        `Adapters are not supported for a GGUF file of the architecture ${architecture}`,
        "unsupported",
      );
    const parameters = known.parameters(this.config as PretrainedConfig & DecoderConfig);
    return this.head === base
      ? parameters.map((one) => ({ ...one, name: one.name.replace(/^(model|transformer)\./, "") }))
      : parameters;
  }

  protected override adapted_parameters(): ParameterSpec[] {
    return this.engine_parameters();
  }

  protected override tensor_values = () => undefined;

  protected override async attach_adapter(adapter: Adapter): Promise<void> {
    const replaced = [...adapter.replacements.keys()];
    const tables = [...adapter.pairs].filter(([, { embedding }]) => embedding).map(([name]) => name);
    const [name] = [...replaced, ...tables];
    if (name)
      throw new TransformersError(
        `An adapter that changes ${name} is not supported for a GGUF file`,
        "adapter_unsupported",
      );
    await super.attach_adapter(adapter);
  }

  override [inspect.custom](): string {
    const { description, n_params, size } = this.info;
    return `${this.constructor.name}(${description}, ${n_params} parameters, ${size} bytes, ${this.path})`;
  }

  protected override load_engine(on_progress?: (progress: number) => void) {
    return native().load_llama_engine(
      { gguf_path: this.path, output_logits: this.head.logits, ...engine_options(this.placement) },
      on_progress,
    );
  }
}

export class GgufForCausalLM extends GgufDecoder {
  static override head = causal_lm;
}

export class GgufModel extends GgufDecoder {
  static override head = base;
}

const CLASSES = new Map<DecoderHead, typeof GgufForCausalLM | typeof GgufModel>([
  [causal_lm, GgufForCausalLM],
  [base, GgufModel],
]);

/** Opens a GGUF file: `name_or_path` itself, or its `gguf_file`. Other heads than `causal_lm` and `base` it has none of. */
export async function load_gguf(
  name_or_path: string,
  options: ModelOptions & { gguf_file?: string },
  head: DecoderHead,
): Promise<GgufDecoder> {
  const type = CLASSES.get(head);
  if (!type) throw new TransformersError(`A GGUF file has no tensors for a model …${head.suffix}`, "unsupported");
  const { gguf_file, dtype = options.torch_dtype, progress_callback, signal } = options;
  if (dtype !== undefined && dtype !== "auto")
    throw new TransformersError(
      `dtype "${dtype}" cannot be chosen for a GGUF file, whose weights keep their types: convert it, or load the original checkpoint`,
      "unsupported",
    );
  if (gguf_file !== undefined && typeof gguf_file !== "string") throw expected("a file's name", "gguf_file", gguf_file);
  const path =
    gguf_file === undefined ? name_or_path : await cached_file(name_or_path, gguf_file, { ...options, required: true });
  if (path === undefined || !(await stat(path).catch(() => undefined))?.isFile())
    throw new TransformersError(`No GGUF file at ${path ?? name_or_path}`, "file_not_found");

  const where = placement({ ...options, dtype: "float32" }, () => parse_dtype("float32")); // the file has its own types
  const { promise, cancel } = native().load_llama_engine(
    { gguf_path: path, output_logits: head.logits, ...engine_options(where) },
    weights_progress(path, progress_callback),
  );
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return new type(path, await promise, where);
  } catch (error) {
    throw from_native(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

// Models as GGUF files.
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { expected, from_native } from "../../errors.js";
import type { GenerationMixin, SaveGgufOptions } from "../../generation/mixin.js";
import { type GgufValue, type NativeLlamaEngine, native } from "../../native.js";
import type { PreTrainedTokenizerFast } from "../../tokenization/fast.js";
import { tokenizer_to_gguf } from "../../tokenization/to_gguf.js";
import { parse_dtype } from "../dtype.js";
import type { LlamaArchitecture } from "./family.js";
import { tensor_sources } from "./parameters.js";

/** The tokenizer's metadata, with the end tokens that generate() knows: llama.cpp has a key for each of three. */
function gguf_tokenizer(model: GenerationMixin, tokenizer: PreTrainedTokenizerFast): Record<string, GgufValue> {
  const metadata = tokenizer_to_gguf(tokenizer, model.vocab_size);
  const { eos_token_id } = model.generation_config;
  const ends = eos_token_id === null ? [] : Array.isArray(eos_token_id) ? eos_token_id : [eos_token_id];
  ["eos", "eot", "eom"].slice(0, ends.length).forEach((name, i) => {
    metadata[`tokenizer.ggml.${name}_token_id`] = { type: "u32", value: ends[i] };
  });
  return metadata;
}

function check_path(path: unknown): void {
  if (typeof path !== "string" || path === "") throw expected("a file's path", "path", path);
}

/** Writes what the engine holds of a model. */
export async function write_gguf(
  model: GenerationMixin,
  engine: NativeLlamaEngine,
  path: string,
  { quantization, tokenizer, progress_callback }: SaveGgufOptions,
): Promise<void> {
  check_path(path);
  const dtype = quantization === undefined ? undefined : parse_dtype(quantization, "quantization").llama;
  const told = { status: "progress", name: path, file: path, total: 1 } as const;
  await engine
    .save_gguf(
      path,
      { ...(dtype ? { dtype } : {}), ...(tokenizer ? { metadata: gguf_tokenizer(model, tokenizer) } : {}) },
      progress_callback && ((done) => progress_callback({ ...told, progress: done * 100, loaded: done })),
    )
    .catch((error) => {
      throw from_native(error);
    });
}

/**
 * Writes a model of the graph engine, by an engine of llama.cpp's that holds its tensors meanwhile, in their final types.
 * @throws TransformersError `unsupported_config` for what llama.cpp's graph of the architecture cannot express.
 */
export async function write_as_gguf(
  model: GenerationMixin,
  architecture: LlamaArchitecture<PretrainedConfig>,
  path: string,
  { quantization = model.dtype, ...options }: SaveGgufOptions,
): Promise<void> {
  const { config } = model;
  check_path(path);
  architecture.check?.(config);
  const dtype = parse_dtype(quantization, "quantization").llama;
  const tied = new Set(model.tied_weights().map(([alias]) => alias));
  const { promise } = native().load_llama_engine({
    state_dict: model.state_dict(),
    metadata: architecture.metadata(config),
    tensors: tensor_sources(architecture.parameters(config).filter(({ name }) => !tied.has(name))),
    dtype,
    n_gpu_layers: 0,
  });
  const engine = await promise.catch((error) => {
    throw from_native(error);
  });
  try {
    await write_gguf(model, engine, path, options);
  } finally {
    await engine.dispose();
  }
}

// A model's tensors as the headers of its files list them; no weights are read.
import type { GgufMetadataValue } from "../checkpoint/gguf.js";
import { TransformersError } from "../errors.js";
import type { Values } from "./arguments.js";
import { type FILE_OPTIONS, file_options, model_source, type Source } from "./model.js";
import type { Terminal } from "./terminal.js";

export interface WeightTensor {
  name: string;
  dtype: string;
  shape: number[];
  nbytes: number;
}

export interface Weights {
  tensors: WeightTensor[];
  /** Of a GGUF file. */
  metadata?: Map<string, GgufMetadataValue>;
}

/** The path of a GGUF file, in a folder or in the cache. */
async function gguf_path({ name, gguf_file = "" }: Source, options: ReturnType<typeof file_options>): Promise<string> {
  const { cached_file } = await import("../hub/cached_file.js");
  const { gguf_file: _, ...hub } = options;
  const path = await cached_file(name, gguf_file, { ...hub, local_files_only: true });
  if (path !== undefined) return path;
  throw new TransformersError(`${name}/${gguf_file} is not on this machine: generate downloads it`, "not_cached");
}

/**
 * Undefined when the weights are not on this machine: a description does not download them.
 * @throws TransformersError for a GGUF file that is not on this machine, of which nothing is known.
 */
export async function read_weights(
  argument: string,
  values: Values<typeof FILE_OPTIONS>,
  terminal: Terminal,
): Promise<Weights | undefined> {
  const source = model_source(argument);
  const options = file_options(source, values, terminal);
  if (source.gguf_file !== undefined) {
    const { read_gguf_tensors } = await import("../checkpoint/gguf.js");
    return read_gguf_tensors(await gguf_path(source, options));
  }
  const { load_state_dict } = await import("../checkpoint/load.js");
  try {
    const state = await load_state_dict(source.name, { ...options, local_files_only: true });
    const aliases = new Set(state.ties().flatMap((names) => names.slice(1)));
    const names = state.keys().filter((name) => !aliases.has(name));
    const tensors = names.map((name) => {
      const { dtype, shape, nbytes } = state.info(name);
      return { name, dtype, shape, nbytes };
    });
    state.dispose();
    return { tensors };
  } catch (error) {
    if (error instanceof TransformersError && error.code === "connection_error") return undefined;
    throw error;
  }
}

/** Bytes of all tensors. */
export async function weights_size(
  argument: string,
  values: Values<typeof FILE_OPTIONS>,
  terminal: Terminal,
): Promise<number> {
  const weights = await read_weights(argument, values, terminal);
  return weights?.tensors.reduce((sum, { nbytes }) => sum + nbytes, 0) ?? 0;
}

/** Elements of a tensor. */
export function count({ shape }: { shape: number[] }): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Bits for each weight of a matrix, as measured on an 8B Llama.
 * https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md
 */
const BITS: Record<string, number> = {
  float32: 32,
  bfloat16: 16,
  q8_0: 8.5,
  q6_k: 6.56,
  q5_k_m: 5.7,
  q4_k_m: 4.89,
  q3_k_m: 4,
  q2_k: 3.16,
};

/** Estimated bytes of the weights in memory by dtype. Vectors stay float32. */
export function memory_by_dtype(tensors: readonly WeightTensor[]): Record<string, number> {
  const size = (bits: number) =>
    tensors.reduce((sum, tensor) => sum + (count(tensor) * (tensor.shape.length > 1 ? bits : 32)) / 8, 0);
  return Object.fromEntries(Object.entries(BITS).map(([name, bits]) => [name, Math.round(size(bits))]));
}

// Where and how a model's engine runs, and the options of from_pretrained that say it.
import type { CheckpointOptions } from "../checkpoint/index.js";
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected } from "../errors.js";
import type { NativeStateDict } from "../native.js";
import { resolve_device } from "./device.js";
import { type Dtype, from_safetensors, parse_dtype } from "./dtype.js";

/** Options of `from_pretrained` that concern the weights; those of the files are CheckpointOptions. */
export interface ModelOptions extends CheckpointOptions {
  /** A configuration; fields given as options of their own go over it. */
  config?: PretrainedConfig | string;
  /** "float32" (default), "float16", "bfloat16", "auto" (as the checkpoint), or a quantised type such as "q8_0", "q4_k_m". */
  dtype?: string;
  torch_dtype?: string;
  /** "auto" (default: a GPU if there is one), "cpu", "cuda", "metal", or a name of `devices()`. */
  device?: string | number;
  device_map?: string;
  /** Threads for the computation; default: one for each physical core, fewer for a small model. */
  n_threads?: number;
  /** Layers that go to the GPU; default: all. */
  n_gpu_layers?: number;
  output_loading_info?: boolean;
  ignore_mismatched_sizes?: boolean;
  key_mapping?: Record<string, string>;
  /** Tensors to use instead of the checkpoint's files. It stays as it is. */
  state_dict?: NativeStateDict;
  signal?: AbortSignal;
}

/** Where and how a model's engine runs. */
export interface Placement {
  dtype: Dtype;
  device: string | undefined;
  n_threads: number | undefined;
  n_gpu_layers: number | undefined;
}

/** Reads the options that say where and how to run. `auto` is what "auto" stands for. */
export function placement(options: ModelOptions, auto: () => Dtype, fallback = "float32"): Placement {
  const wanted = options.dtype ?? options.torch_dtype ?? fallback;
  for (const name of ["n_threads", "n_gpu_layers"] as const) {
    const value = options[name];
    if (value !== undefined && (!Number.isInteger(value) || value < (name === "n_threads" ? 1 : 0) || value > 4096))
      throw expected(name === "n_threads" ? "a positive integer" : "a count of layers", name, value);
  }
  return {
    dtype: wanted === "auto" ? auto() : parse_dtype(wanted),
    device: resolve_device(options.device ?? options.device_map),
    n_threads: options.n_threads,
    n_gpu_layers: options.n_gpu_layers,
  };
}

/** `to("cpu")` or `to("bfloat16")`: whichever the name is of. */
export function split_target(target: string): { device?: string; dtype?: string } {
  try {
    return { dtype: parse_dtype(target).name };
  } catch {
    return { device: target };
  }
}

/** The dtype of a checkpoint: its configuration's, else that of its first floating tensor. */
export function checkpoint_dtype(config: PretrainedConfig, state: NativeStateDict | undefined): Dtype {
  const named = (config as unknown as Record<string, unknown>)["dtype"];
  if (typeof named === "string") return parse_dtype(named, "config.dtype");
  for (const key of state?.keys() ?? []) {
    const found = from_safetensors((state as NativeStateDict).info(key).dtype);
    if (found) return found;
  }
  return parse_dtype("float32");
}

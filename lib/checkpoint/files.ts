// The names of a checkpoint's files: transformers/utils/__init__.py.
export const SAFE_WEIGHTS_NAME = "model.safetensors";
export const SAFE_WEIGHTS_INDEX_NAME = "model.safetensors.index.json";

/** Weights in formats of their own, which Python's messages name. */
export const OTHER_WEIGHTS_NAMES = [
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
  "tf_model.h5",
  "model.ckpt.index",
  "flax_model.msgpack",
];

/** `add_variant("model.safetensors", "fp16")` is "model.fp16.safetensors". */
export function add_variant(name: string, variant: string | undefined): string {
  return variant === undefined ? name : name.replace(/\.([^.]+)$/, (_, ending) => `.${variant}.${ending}`);
}

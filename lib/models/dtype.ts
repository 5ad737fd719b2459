// The types that weights can be loaded as, under the names of Python, of transformers.js and of llama.cpp.
import { expected } from "../errors.js";

/** How weights are held. `llama`: llama.cpp's name. `safetensors`: what `save_pretrained` writes. */
export interface Dtype {
  name: string;
  llama: string;
  safetensors: "F32" | "F16" | "BF16" | undefined;
}

const FLOATS: Dtype[] = [
  { name: "float32", llama: "f32", safetensors: "F32" },
  { name: "float16", llama: "f16", safetensors: "F16" },
  { name: "bfloat16", llama: "bf16", safetensors: "BF16" },
];

const ALIASES: Record<string, string> = {
  fp32: "float32",
  f32: "float32",
  float: "float32",
  fp16: "float16",
  f16: "float16",
  half: "float16",
  bf16: "bfloat16",
  q8: "q8_0",
  int8: "q8_0",
  uint8: "q8_0",
  q4: "q4_k_m",
  bnb4: "q4_k_m",
  q4f16: "q4_k_m",
  int4: "q4_k_m",
};

/** Mixes of llama.cpp that need no importance matrix. */
export const QUANTIZED_DTYPES = [
  ...["q8_0", "q6_k", "q5_k_m", "q5_k_s", "q5_1", "q5_0", "q4_k_m", "q4_k_s", "q4_1", "q4_0", "iq4_nl", "iq4_xs"],
  ...["q3_k_l", "q3_k_m", "q3_k_s", "q2_k"],
];

/**
 * The type of that name.
 * @throws TypeError that lists the names, for any other.
 */
export function parse_dtype(value: unknown, argument = "dtype"): Dtype {
  if (typeof value === "string") {
    const plain = value.replace(/^torch\./, "").toLowerCase();
    const name = ALIASES[plain] ?? plain;
    const float = FLOATS.find((one) => one.name === name);
    if (float) return float;
    if (QUANTIZED_DTYPES.includes(name)) return { name, llama: name, safetensors: undefined };
  }
  const names = ["auto", ...FLOATS.map((one) => one.name), ...QUANTIZED_DTYPES];
  throw expected(`one of ${names.join(", ")}`, argument, value);
}

/** The type of weights for what safetensors calls `F32`, `F16` or `BF16`; undefined for others. */
export function from_safetensors(name: string): Dtype | undefined {
  return FLOATS.find((one) => one.safetensors === name);
}

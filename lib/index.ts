// Exports only.
export { AutoTokenizer } from "./auto/tokenizer.js";
export { TransformersError } from "./errors.js";
export * from "./tensor/index.js";
export * from "./tokenization/index.js";

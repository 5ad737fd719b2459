// Exports only.

export { AutoConfig } from "./auto/configuration.js";
export { AutoTokenizer } from "./auto/tokenizer.js";
export * from "./configuration/classes.js";
export { PretrainedConfig } from "./configuration/pretrained_config.js";
export { TransformersError } from "./errors.js";
export { GenerationConfig } from "./generation/configuration.js";
export { WatermarkingConfig } from "./generation/watermarking.js";
export { env, LogLevel } from "./hub/env.js";
export * from "./tensor/index.js";
export * from "./tokenization/index.js";

// Exports only.
export { TransformersError } from "./errors.js";
export * from "./tensor/index.js";

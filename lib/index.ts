// Exports only.
export { TransformersError } from "./errors.js";

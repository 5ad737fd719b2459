// Exports only.
export { AddedToken } from "./added_token.js";
export { PreTrainedTokenizerBase } from "./base.js";
export { BatchEncoding } from "./batch_encoding.js";
export * from "./classes.js";
export { DecodeStream } from "./decode_stream.js";
export { Encoding } from "./encoding.js";
export { PreTrainedTokenizerFast } from "./fast.js";

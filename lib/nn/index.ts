// The vocabulary that models are written in.
export { activation } from "./activations.js";
export { Conv1D, Embedding, LayerNorm, Linear, linear, RMSNorm } from "./layers.js";
export { Block, bind, Module, modules_of, Parameter } from "./module.js";
export { RelativePositionBias } from "./relative_position.js";
export { cat, type Operand, Sym, sym } from "./sym.js";
export { type AttentionOptions, type CrossAttentionOptions, Tokens, type TokensOptions } from "./tokens.js";
export { type Program, Trace } from "./trace.js";

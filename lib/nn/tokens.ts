// The tokens of a call, packed: the rows of a batch lie one after the other, without padding.
import { text } from "./shapes.js";
import type { Sym } from "./sym.js";
import { Trace } from "./trace.js";

/** How one attention works. Sizes of heads follow from those of q and v. */
export interface AttentionOptions {
  heads: number;
  /** Fewer of them are shared by groups of heads. */
  kv_heads?: number;
  /** Default: 1 / sqrt(head size). */
  scale?: number;
  /** [heads, 2 * reach - 1]: what a key at distance d (key minus query) adds to the score, at column d + reach - 1. */
  relative_bias?: Sym;
}

/** What is symbolic about a batch of texts. Hidden states are [tokens, size]. */
export interface TokensOptions {
  /** Tokens of all rows. */
  count: number;
  rows: number;
  /** Width of the attention matrices, if they are wanted: the length of the padded rows, those of the cache included. */
  attention_width?: number | undefined;
  /** The call brings vectors of this size in place of ids. */
  embeds_size?: number | undefined;
  /** Names of the optional inputs that the call brings. */
  given?: readonly string[];
  /** Keys and values go into the engine's cache, where those of earlier calls are. */
  cached?: boolean;
  /** The number of tokens whose logits are wanted; default: all. */
  outputs?: number;
  /** Distinguishes the inputs of the encoder's tokens from the decoder's. */
  prefix?: string;
}

/**
 * Stands where Python has attention masks: which token sees which is input data ("spans": for each query the first key,
 * the end of its keys, and its own place among them), so one program serves all batches of as many tokens and rows.
 */
export class Tokens {
  readonly count: number;
  readonly rows: number;
  /** What the model gives as `hidden_states`: its layers push theirs. */
  readonly hidden_states: Sym[] = [];
  /** [heads, tokens, width] of each layer, if wanted. */
  readonly attentions: Sym[] = [];
  private readonly options: TokensOptions;
  private layer = 0;

  constructor(options: TokensOptions) {
    this.count = options.count;
    this.rows = options.rows;
    this.options = options;
  }

  /** An int32 input with one number for each token. */
  input(name: string): Sym {
    return Trace.current.input(`${this.options.prefix ?? ""}${name}`, [this.count], "i32");
  }

  get input_ids(): Sym {
    return this.input("input_ids");
  }

  get position_ids(): Sym {
    return this.input("position_ids");
  }

  get token_type_ids(): Sym {
    return this.input("token_type_ids");
  }

  /** An input that a call may leave out. */
  given(name: string): Sym | undefined {
    return this.options.given?.includes(name) ? this.input(name) : undefined;
  }

  /** [tokens, size], if the call brings vectors in place of ids. */
  get inputs_embeds(): Sym | undefined {
    const { embeds_size, prefix = "" } = this.options;
    if (embeds_size === undefined) return undefined;
    return Trace.current.input(`${prefix}inputs_embeds`, [this.count, embeds_size], "f32");
  }

  /**
   * Softmax attention of q [tokens, heads * size] over k and v [tokens, kv_heads * size]: [tokens, heads * value size].
   */
  attention(q: Sym, k: Sym, v: Sym, { heads, kv_heads = heads, scale, relative_bias }: AttentionOptions): Sym {
    const size = q.size(1) / heads;
    const value_size = v.size(1) / kv_heads;
    if (
      !Number.isInteger(size) ||
      !Number.isInteger(value_size) ||
      k.size(1) !== size * kv_heads ||
      heads % kv_heads !== 0
    )
      throw Trace.current.error(
        `attention of ${heads} heads (${kv_heads} of keys) over q ${text(q.shape)}, k ${text(k.shape)}, v ${text(v.shape)}`,
      );
    const { prefix = "", cached, attention_width: width } = this.options;
    const attributes = { heads, kv_heads, scale: scale ?? 1 / Math.sqrt(size) };
    const spans = Trace.current.input(`${prefix}spans`, [this.count, 3], "i32");
    const seen = [spans, ...(relative_bias ? [relative_bias] : [])];
    const shape = [q.size(0), heads * value_size];
    if (cached) {
      const stored = Trace.current.emit("cache_store", [k, v], [1], { layer: this.layer++ });
      if (width !== undefined) this.keep_weights("cached_attention_weights", [q, stored, ...seen], heads, attributes);
      return Trace.current.emit("cached_attention", [q, stored, ...seen], shape, attributes);
    }
    if (width !== undefined) this.keep_weights("attention_weights", [q, k, ...seen], heads, attributes);
    return Trace.current.emit("attention", [q, k, v, ...seen], shape, attributes);
  }

  private keep_weights(op: string, inputs: Sym[], heads: number, attributes: object): void {
    const shape = [heads, this.count, this.options.attention_width as number];
    this.attentions.push(Trace.current.emit(op, inputs, shape, attributes));
  }

  /** The states that a head makes logits of: those of all tokens, or of the ones that generate() will look at. */
  outputs(hidden: Sym): Sym {
    const { outputs, prefix = "" } = this.options;
    if (outputs === undefined) return hidden;
    return hidden.index_select(Trace.current.input(`${prefix}outputs`, [outputs], "i32"));
  }

  /** The states of one token of each row, [rows, size]: the first one. */
  first(hidden: Sym): Sym {
    return this.pick(hidden, "first");
  }

  /** … the last one that is no padding. */
  last(hidden: Sym): Sym {
    return this.pick(hidden, "last");
  }

  private pick(hidden: Sym, name: string): Sym {
    return hidden.index_select(Trace.current.input(`${this.options.prefix ?? ""}${name}`, [this.rows], "i32"));
  }
}

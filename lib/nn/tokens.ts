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
  /**
   * [heads, 2 * reach - 1]: what a key at distance d (key minus query) adds to the score, at column d + reach - 1. Keys
   * farther away get what the farthest do.
   */
  relative_bias?: Sym;
}

export type CrossAttentionOptions = Omit<AttentionOptions, "relative_bias">;

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
  /** Distinguishes the inputs of the encoder's tokens from the decoder's, which has none. */
  prefix?: string;
  /**
   * Of a decoder's tokens: the states of the encoder's, [its tokens, size]; or "stored", where an earlier program put
   * what cross-attention makes of them into the engine's cache.
   */
  memory?: Sym | "stored" | undefined;
  /** Width of the cross-attention's matrices, if they are wanted: the length of the encoder's padded rows. */
  memory_width?: number | undefined;
}

/** Where an attention finds keys and values: those of the program's own tokens, or cells of a cache. */
interface Source {
  values: [k: Sym, v: Sym] | [stored: Sym];
  key_size: number;
  value_size: number;
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
  /** Likewise of the cross-attention, [heads, tokens, width of the encoder's rows]. */
  readonly cross_attentions: Sym[] = [];
  /** What puts keys and values of the encoder's tokens into the cache, a symbol for each layer. */
  readonly stores: Sym[] = [];
  private readonly options: TokensOptions;
  private layer = 0;
  private memory_layer = 0;

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
  attention(q: Sym, k: Sym, v: Sym, options: AttentionOptions): Sym {
    const { prefix = "", cached, attention_width } = this.options;
    const source = cached ? stored("tokens", this.layer++, k, v) : own(k, v);
    // The engine knows where the keys of its cache stand.
    const places = cached || !options.relative_bias ? [] : [this.input("places")];
    return this.attend(q, source, `${prefix}spans`, {
      ...options,
      places,
      width: attention_width,
      kept: this.attentions,
    });
  }

  /** Whether there is an encoder to look at. */
  get has_memory(): boolean {
    return this.options.memory !== undefined;
  }

  /**
   * … of q over the encoder's tokens. `project` makes keys and values [its tokens, kv_heads * size] of its states; it is
   * called where they are: once for each text, not at each step.
   */
  cross_attention(q: Sym, project: (states: Sym) => [k: Sym, v: Sym], options: CrossAttentionOptions): Sym {
    const { memory, memory_width, cached } = this.options;
    const layer = this.memory_layer++;
    if (memory === undefined) throw Trace.current.error("cross_attention without an encoder");
    let source: Source;
    if (memory === "stored") source = stored_before("memory", layer, q, options);
    else {
      const [k, v] = project(memory);
      source = cached ? stored("memory", layer, k, v) : own(k, v);
      if (cached) this.stores.push(source.values[0]);
    }
    return this.attend(q, source, "memory_spans", { ...options, width: memory_width, kept: this.cross_attentions });
  }

  private attend(
    q: Sym,
    { values, key_size, value_size }: Source,
    spans: string,
    options: AttentionOptions & { places?: Sym[]; width: number | undefined; kept: Sym[] },
  ): Sym {
    const { heads, kv_heads = heads, relative_bias, width } = options;
    const size = q.size(1) / heads;
    const [k, v] = [key_size / kv_heads, value_size / kv_heads];
    if (![size, v].every(Number.isInteger) || k !== size || heads % kv_heads !== 0)
      throw Trace.current.error(
        `attention of ${heads} heads (${kv_heads} of keys) over q ${text(q.shape)}, keys of ${key_size} and values of ${value_size}`,
      );
    const attributes = { heads, kv_heads, scale: options.scale ?? 1 / Math.sqrt(size) };
    const seen = [Trace.current.input(spans, [this.count, 3], "i32"), ...(relative_bias ? [relative_bias] : [])];
    seen.push(...(options.places ?? []));
    const op = values.length === 1 ? "cached_attention" : "attention";
    if (width !== undefined) {
      const shape = [heads, this.count, width];
      options.kept.push(Trace.current.emit(`${op}_weights`, [q, values[0], ...seen], shape, attributes));
    }
    return Trace.current.emit(op, [q, ...values, ...seen], [q.size(0), heads * v], attributes);
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

const own = (k: Sym, v: Sym): Source => ({ values: [k, v], key_size: k.size(1), value_size: v.size(1) });

/** Puts keys and values into a cache of the engine. */
function stored(cache: string, layer: number, k: Sym, v: Sym): Source {
  return { ...own(k, v), values: [Trace.current.emit("cache_store", [k, v], [1], { cache, layer })] };
}

/** Those that an earlier program put there; values are as large as keys. */
function stored_before(cache: string, layer: number, q: Sym, { heads, kv_heads = heads }: AttentionOptions): Source {
  const size = (q.size(1) / heads) * kv_heads;
  const attributes = { cache, layer, key_size: size, value_size: size };
  return { values: [Trace.current.emit("cache_stored", [], [1], attributes)], key_size: size, value_size: size };
}

import { expected } from "../errors.js";
import { type Memory, repeat_memory } from "../models/memory.js";

/** An engine that keeps the cache. */
interface Keeper {
  release_cache(handle: number): void;
}

const registry = new FinalizationRegistry<{ engine: Keeper; handle: number }>(({ engine, handle }) => {
  engine.release_cache(handle);
});

/**
 * The keys and values of rows that the engine has seen: `past_key_values`.
 * It lives in the engine's memory; `dispose` (or garbage collection) gives that back.
 */
export class EngineCache {
  readonly engine: Keeper;
  readonly handle: number;
  /** Tokens in each row, padding not counted. */
  lengths: number[];
  /** Tokens of the longest row; where the padding is known, with it. */
  length: number;
  /** Behind a decoder: what its rows see of the encoder's tokens. */
  memory?: Memory;
  private released = false;

  /** `columns`: tokens of a row with its padding. */
  constructor(engine: Keeper, handle: number, lengths: number[], columns = Math.max(...lengths)) {
    this.engine = engine;
    this.handle = handle;
    this.lengths = lengths;
    this.length = columns;
    registry.register(this, { engine, handle }, this);
  }

  /** `length`, under Python's name. */
  get_seq_length(): number {
    return this.length;
  }

  /** The cache under `handle`: `past`, when that is the one that went on, else a new one. */
  static of(engine: Keeper, handle: number, past: unknown, lengths: number[], columns?: number): EngineCache {
    if (!(past instanceof EngineCache) || past.handle !== handle || past.engine !== engine)
      return new EngineCache(engine, handle, lengths, columns);
    // A row may have become several: they share what the encoder read.
    const copies = lengths.length / past.lengths.length;
    if (past.memory && copies > 1) past.memory = repeat_memory(past.memory, copies);
    past.lengths = lengths;
    past.length = columns ?? Math.max(...lengths);
    return past;
  }

  /** The handle of a cache that a caller passes to `engine`. @throws TypeError for anything else. */
  static handle_of(cache: unknown, engine: Keeper): number {
    if (cache instanceof EngineCache && cache.engine === engine) return cache.handle;
    throw expected("a cache that this model returned", "past_key_values", cache);
  }

  dispose(): void {
    if (!this.released) this.engine.release_cache(this.give_away());
  }

  /** The handle, for somebody who releases the cache from now on. */
  give_away(): number {
    this.released = true;
    registry.unregister(this);
    return this.handle;
  }
}

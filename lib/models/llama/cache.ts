import type { NativeLlamaEngine } from "../../native.js";

const registry = new FinalizationRegistry<{ engine: NativeLlamaEngine; handle: number }>(({ engine, handle }) => {
  engine.release_cache(handle);
});

/**
 * The keys and values of rows that the engine has seen: `past_key_values`.
 * It lives in the engine's memory; `dispose` (or garbage collection) gives that back.
 */
export class EngineCache {
  readonly engine: NativeLlamaEngine;
  readonly handle: number;
  /** Tokens in each row, padding not counted. */
  lengths: number[];
  private released = false;

  constructor(engine: NativeLlamaEngine, handle: number, lengths: number[]) {
    this.engine = engine;
    this.handle = handle;
    this.lengths = lengths;
    registry.register(this, { engine, handle }, this);
  }

  /** Tokens in the longest row. */
  get_seq_length(): number {
    return Math.max(...this.lengths);
  }

  dispose(): void {
    if (this.released) return;
    this.released = true;
    registry.unregister(this);
    this.engine.release_cache(this.handle);
  }
}

/** Keeps what was made for the last `limit` keys. */
export class Recent<Key, Value> {
  private readonly entries = new Map<Key, Value>();
  private readonly limit: number;
  private last: Key | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: Key): Value | undefined {
    const value = this.entries.get(key);
    if (value !== undefined && key !== this.last) {
      this.entries.delete(key);
      this.entries.set(key, value);
      this.last = key;
    }
    return value;
  }

  /** Returns the value that went for it. */
  set(key: Key, value: Value): Value | undefined {
    this.entries.delete(key);
    this.entries.set(key, value);
    this.last = key;
    if (this.entries.size <= this.limit) return undefined;
    const [[oldest, gone]] = this.entries;
    this.entries.delete(oldest);
    return gone;
  }

  clear(): void {
    this.entries.clear();
    this.last = undefined;
  }
}

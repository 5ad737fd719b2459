// Progress events with transformers.js's fields.

export type ProgressInfo =
  | { status: "initiate" | "download" | "done"; name: string; file: string }
  | { status: "progress"; name: string; file: string; progress: number; loaded: number; total: number }
  | {
      status: "progress_total";
      name: string;
      progress: number;
      loaded: number;
      total: number;
      files: Record<string, { loaded: number; total: number }>;
    }
  | { status: "ready"; task: string; model: string };

export type ProgressCallback = (event: ProgressInfo) => void;

/** What each callback has heard of so far, by repository: the sums of `progress_total`. */
const totals = new WeakMap<ProgressCallback, Map<string, Record<string, { loaded: number; total: number }>>>();

/** Reports the loading of one file. */
export class FileProgress {
  private reported = -1;

  constructor(
    private readonly callback: ProgressCallback | undefined,
    private readonly name: string,
    private readonly file: string,
  ) {}

  start(): void {
    this.callback?.({ status: "initiate", name: this.name, file: this.file });
    this.callback?.({ status: "download", name: this.name, file: this.file });
  }

  /** Bytes so far. Steps below a thousandth of the file are not worth an event. */
  update(loaded: number, total: number): void {
    if (!this.callback || (loaded < total && loaded - this.reported < total / 1000)) return;
    if (loaded === this.reported) return;
    this.reported = loaded;
    const { name, file } = this;
    const repositories = totals.get(this.callback) ?? new Map();
    totals.set(this.callback, repositories);
    const files = { ...repositories.get(name), [file]: { loaded, total } };
    repositories.set(name, files);
    const sum = { loaded: 0, total: 0 };
    for (const each of Object.values<{ loaded: number; total: number }>(files)) {
      sum.loaded += each.loaded;
      sum.total += each.total;
    }
    this.callback({ status: "progress_total", name, progress: percent(sum.loaded, sum.total), ...sum, files });
    this.callback({ status: "progress", name, file, progress: percent(loaded, total), loaded, total });
  }

  done(size: number): void {
    this.update(size, size);
    this.callback?.({ status: "done", name: this.name, file: this.file });
  }
}

function percent(loaded: number, total: number): number {
  return total === 0 ? 100 : (100 * loaded) / total;
}

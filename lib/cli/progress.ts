// One line on stderr for work that takes long, if a person looks at it.
import type { ProgressCallback } from "../hub/progress.js";
import { format_bytes, format_duration, shorten } from "./table.js";
import type { Terminal } from "./terminal.js";

const BAR_WIDTH = 20;
/** Work that ends sooner than this shows nothing. Milliseconds. */
const PATIENCE = 300;
const REDRAW = 80;

/** A bar of `fraction`, in eighths of a column. */
export function bar(fraction: number, width = BAR_WIDTH): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  const full = "█".repeat(eighths >> 3) + " ▏▎▍▌▋▊▉".charAt(eighths & 7).trim();
  return full.padEnd(width, "░");
}

/** What is under way, drawn over itself; nothing is drawn where stderr is no terminal. */
export class Progress {
  private readonly started = new Map<string, number>();
  private drawn = 0;
  private visible = false;

  constructor(private readonly terminal: Terminal) {}

  /** `loaded` of `total`, in bytes, or a fraction of 1. */
  update(label: string, loaded: number, total: number): void {
    const { stderr } = this.terminal;
    if (!stderr.isTTY) return;
    const now = performance.now();
    const since = this.started.get(label);
    if (since === undefined) this.started.set(label, now);
    const elapsed = now - (since ?? now);
    if (elapsed < PATIENCE || now - this.drawn < REDRAW || total <= 0) return;
    this.drawn = now;
    this.visible = true;
    const fraction = loaded / total;
    const rest = fraction > 0 ? format_duration((elapsed / 1000) * (1 / fraction - 1)) : "";
    const bytes =
      total > 1
        ? ` ${format_bytes(loaded)} of ${format_bytes(total)}, ${format_bytes((loaded / elapsed) * 1000)}/s`
        : "";
    const text = `${label} ${bar(fraction)} ${(100 * fraction).toFixed(0).padStart(3)}%${bytes}${rest && `, ${rest} left`}`;
    stderr.write(`\r\x1b[K${shorten(text, (stderr.columns ?? 80) - 1)}`);
  }

  /** Says what is being done where no measure exists. */
  message(text: string): void {
    if (!this.terminal.stderr.isTTY) return;
    this.visible = true;
    this.terminal.stderr.write(`\r\x1b[K${shorten(text, (this.terminal.stderr.columns ?? 80) - 1)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.visible) this.terminal.stderr.write("\r\x1b[K");
    this.visible = false;
  }

  /** For `from_pretrained`. */
  readonly callback: ProgressCallback = (event) => {
    if (event.status === "progress") this.update(event.file, event.loaded, event.total);
    if (event.status === "done") this.clear();
  };
}

// The streams of one run, colours, and what Ctrl-C does.
import type { Readable, Writable } from "node:stream";

type Input = Readable & { isTTY?: boolean };
type Output = Writable & { isTTY?: boolean; columns?: number; hasColors?: () => boolean };

const COLOURS = { bold: [1, 22], dim: [2, 22], cyan: [36, 39], red: [31, 39] } as const;

export class Terminal {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly handlers: (() => void)[] = [];

  constructor(
    readonly stdin: Input = process.stdin,
    readonly stdout: Output = process.stdout,
    readonly stderr: Output = process.stderr,
  ) {
    this.signal = this.controller.signal;
  }

  /** Ctrl-C was pressed. */
  interrupt(): void {
    const handler = this.handlers.at(-1);
    if (handler) handler();
    else this.controller.abort();
  }

  /** Runs `work`, during which Ctrl-C means `handler` and nothing else. */
  async with_interrupt<T>(handler: () => void, work: () => Promise<T>): Promise<T> {
    this.handlers.push(handler);
    try {
      return await work();
    } finally {
      this.handlers.splice(this.handlers.lastIndexOf(handler), 1);
    }
  }

  /** Colours a text for `stream`; not if it is no terminal, or NO_COLOR is set. */
  style(colour: keyof typeof COLOURS, text: string, stream: Output = this.stderr): string {
    if (!stream.isTTY || process.env["NO_COLOR"] || !stream.hasColors?.()) return text;
    const [on, off] = COLOURS[colour];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  }

  /** A line for people, beside the result. */
  note(text: string): void {
    this.stderr.write(`${this.style("dim", text)}\n`);
  }

  /** The command's result as JSON, on one line. */
  json(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

/** All of a stream's text, without the line end that `echo` puts there. */
export async function read_all(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/** A text from the command line, or else from what is piped in; undefined if there is neither. */
export async function text_argument(argument: string | undefined, stdin: Input): Promise<string | undefined> {
  if (argument !== undefined && argument !== "-") return argument;
  return stdin.isTTY && argument !== "-" ? undefined : read_all(stdin);
}

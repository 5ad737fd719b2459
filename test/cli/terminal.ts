// Runs command lines in this process, on streams that a test reads and writes.
import { PassThrough, Writable } from "node:stream";
import { main } from "../../lib/cli/main.js";
import { Terminal } from "../../lib/cli/terminal.js";

class Captured extends Writable {
  text = "";
  columns: number | undefined;

  constructor(
    readonly isTTY: boolean,
    private readonly on_write?: (text: string) => void,
  ) {
    super();
    if (isTTY) this.columns = 80;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.on_write?.(this.text);
    done();
  }

  hasColors(): boolean {
    return this.isTTY;
  }
}

export interface Streams {
  /** What is piped in; undefined: a terminal. */
  input?: string;
  /** Whether stdout and stderr are terminals. */
  tty?: boolean;
  /** Sees all of stdout at each write. */
  on_output?: (text: string, stdin: PassThrough, terminal: Terminal) => void;
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** What a command line writes, and its exit code. */
export async function run(argv: string[], { input, tty = false, on_output }: Streams = {}): Promise<Run> {
  const stdin = Object.assign(new PassThrough(), { isTTY: input === undefined });
  if (input !== undefined) stdin.end(input);
  const stdout = new Captured(tty, (text) => on_output?.(text, stdin, terminal));
  const stderr = new Captured(tty);
  const terminal = new Terminal(stdin, stdout, stderr);
  const code = await main(argv, terminal);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** The streams alone. */
export function captured_terminal(tty: boolean): { terminal: Terminal; stdout: Captured; stderr: Captured } {
  const [stdout, stderr] = [new Captured(tty), new Captured(tty)];
  return { terminal: new Terminal(Object.assign(new PassThrough(), { isTTY: tty }), stdout, stderr), stdout, stderr };
}

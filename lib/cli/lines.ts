// The lines that a person types, or that are piped in.
import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.js";

const HISTORY = 500;

/** Lines until the end of the input; at a terminal each with a prompt, editing and history, until Ctrl-D or Ctrl-C. */
export function read_lines(terminal: Terminal): AsyncIterable<string> {
  if (terminal.stdin.isTTY) return typed_lines(terminal);
  return createInterface({ input: terminal.stdin, crlfDelay: Infinity, signal: terminal.signal });
}

async function* typed_lines(terminal: Terminal): AsyncGenerator<string> {
  const history: string[] = [];
  for (;;) {
    const line = await typed_line(terminal, history);
    if (line === undefined) return;
    if (line.trim() !== "" && line !== history[0]) history.unshift(line);
    yield line;
  }
}

/**
 * One line; undefined at the end. The terminal is this line's alone: while the answer is written, Ctrl-C is a signal
 * again, and what is typed waits for the next line.
 */
function typed_line(terminal: Terminal, history: string[]): Promise<string | undefined> {
  const { stdin, stdout, stderr } = terminal;
  const output = stdout.isTTY ? stdout : stderr;
  return new Promise((resolve) => {
    const reader = createInterface({
      input: stdin,
      output,
      terminal: true,
      history: [...history],
      historySize: HISTORY,
    });
    reader.setPrompt(terminal.style("cyan", "> ", output));
    let line: string | undefined;
    reader.on("line", (text) => {
      line = text;
      reader.close();
    });
    reader.on("SIGINT", () => {
      if (reader.line === "") return reader.close();
      output.write("\n");
      reader.write(null, { ctrl: true, name: "e" });
      reader.write(null, { ctrl: true, name: "u" });
    });
    reader.on("close", () => {
      if (line === undefined) output.write("\n");
      resolve(line);
    });
    reader.prompt();
  });
}

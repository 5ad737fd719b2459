// The program: its commands, their help, errors and exit codes.
import { readFileSync } from "node:fs";
import { did_you_mean, UsageError } from "./arguments.js";

/** Its modules are loaded when the command runs, so that `--help` and `--version` are quick. */
interface Entry {
  summary: string;
}

const COMMANDS: Record<string, Entry> = {
  generate: { summary: "continue a text" },
  chat: { summary: "talk with a model" },
  tokenize: { summary: "show the tokens of a text" },
  info: { summary: "describe this machine, or a model" },
  convert: { summary: "write a GGUF file" },
};

/** Runs a command line; the result is the exit code. */
export async function main(argv: string[]): Promise<number> {
  const [name] = argv;
  try {
    if (name === undefined || name === "--help" || name === "-h") process.stdout.write(overview());
    else if (name === "--version" || name === "-V") process.stdout.write(`${version()}\n`);
    else throw new UsageError(`unknown command ${name}${did_you_mean(name, Object.keys(COMMANDS))}`);
    return name === undefined ? 2 : 0;
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}\n`);
  return `Usage: ggml-transformers <command> [options]\n\n${lines.join("")}\nMore: ggml-transformers <command> --help\n`;
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

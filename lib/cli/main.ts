// The program: its commands, their help, errors and exit codes.
import { did_you_mean, parse_arguments, UsageError } from "./arguments.js";
import { type Command, command_help } from "./command.js";
import { table } from "./table.js";
import { Terminal } from "./terminal.js";
import { version } from "./version.js";

interface Entry {
  summary: string;
  /** The modules of a command load when it runs, so that `--help` is quick. */
  load: () => Promise<{ command: unknown }>;
}

const COMMANDS: Record<string, Entry> = {
  generate: { summary: "continue a text", load: () => import("./generate.js") },
  chat: { summary: "talk with a model", load: () => import("./chat.js") },
  tokenize: { summary: "show the tokens of a text", load: () => import("./tokenize.js") },
  info: { summary: "describe a model, or this machine", load: () => import("./info.js") },
  convert: { summary: "write a model as a GGUF file", load: () => import("./convert.js") },
};

/** Exit codes. */
const [SUCCESS, FAILURE, USAGE, INTERRUPTED] = [0, 1, 2, 130];

/** Runs a command line; the result is the exit code. */
export async function main(argv: string[], terminal = new Terminal()): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      (name === undefined ? terminal.stderr : terminal.stdout).write(overview());
      return name === undefined ? USAGE : SUCCESS;
    }
    if (name === "--version" || name === "-V") {
      terminal.stdout.write(`${version()}\n`);
      return SUCCESS;
    }
    await run(name, rest, terminal);
    return terminal.signal.aborted ? INTERRUPTED : SUCCESS;
  } catch (error) {
    if (terminal.signal.aborted) return INTERRUPTED;
    const usage = error instanceof UsageError;
    const help = Object.hasOwn(COMMANDS, name) ? `${name} --help` : "--help";
    terminal.stderr.write(
      `${terminal.style("red", "error:")} ${one_line(error)}${usage ? `; see ggml-transformers ${help}` : ""}\n`,
    );
    if (argv.includes("--debug") && error instanceof Error) terminal.stderr.write(`${error.stack}\n`);
    return usage ? USAGE : FAILURE;
  }
}

async function run(name: string, argv: string[], terminal: Terminal): Promise<void> {
  if (!Object.hasOwn(COMMANDS, name))
    throw new UsageError(`unknown command ${name}${did_you_mean(name, Object.keys(COMMANDS))}`);
  const command = (await COMMANDS[name].load()).command as Command;
  const args = parse_arguments(argv, command.options, command.operands.length);
  if (args.values.help) terminal.stdout.write(command_help(name, command, terminal.stdout.columns));
  else await command.run(args, terminal);
}

/** Python's messages have several lines; a terminal gets one. */
function one_line(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, " ");
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]);
  return (
    "Usage: ggml-transformers <command> [options]\n\n" +
    "Hugging Face models on ggml: a model is a folder, a name on the Hub, or a .gguf file.\n\n" +
    `${table(lines, { indent: "  " })}\n` +
    "Options of each command: ggml-transformers <command> --help\nThe program's version: ggml-transformers --version\n"
  );
}

// What a command is, and its help.
import { type Arguments, type Options, options_help } from "./arguments.js";
import { table, wrap } from "./table.js";
import type { Terminal } from "./terminal.js";

export interface Command<O extends Options = Options> {
  /** Positional arguments as the help shows them: `<needed>` or `[optional]`. */
  operands: readonly string[];
  description: string;
  options: O;
  /** Command lines without the program's name. */
  examples: readonly string[];
  /** Does it; the result of the command goes to `terminal.stdout`. */
  run(args: Arguments<O>, terminal: Terminal): Promise<void>;
}

/** Infers the options' types for `run`. */
export function define_command<const O extends Options>(command: Command<O>): Command<O> {
  return command;
}

/** The text of `ggml-transformers <name> --help`, for a terminal of that many columns. */
export function command_help(name: string, command: Command, columns = 80): string {
  const { operands, description, options, examples } = command;
  const rows = options_help(options);
  const indent = " ".repeat(4 + Math.max(...rows.map(([option]) => option.length)));
  return [
    `Usage: ggml-transformers ${[name, ...operands].join(" ")} [options]`,
    wrap(description, columns),
    wrap(table(rows, { indent: "  " }).trimEnd(), columns, indent),
    `Examples:\n${examples.map((line) => `  ggml-transformers ${line}`).join("\n")}`,
  ]
    .join("\n\n")
    .concat("\n");
}

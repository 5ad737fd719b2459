// What a command is, and its help.
import { type Arguments, type Options, options_help } from "./arguments.js";
import { table } from "./table.js";
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

/** The text of `ggml-transformers <name> --help`. */
export function command_help(name: string, { operands, description, options, examples }: Command): string {
  return [
    `Usage: ggml-transformers ${[name, ...operands].join(" ")} [options]`,
    description,
    table(options_help(options), { indent: "  " }).trimEnd(),
    `Examples:\n${examples.map((line) => `  ggml-transformers ${line}`).join("\n")}`,
  ]
    .join("\n\n")
    .concat("\n");
}

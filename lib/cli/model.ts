// A model and its tokenizer from the command line's argument: a folder, a name on the Hub, or a GGUF file.
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { CausalLM } from "../auto/model.js";
import { TransformersError } from "../errors.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { type Options, UsageError, type Values } from "./arguments.js";
import { Progress } from "./progress.js";
import type { Terminal } from "./terminal.js";

export const FILE_OPTIONS = {
  revision: { type: "text", help: "branch, tag or commit of a model on the Hub" },
} satisfies Options;

export const MODEL_OPTIONS = {
  dtype: { type: "text", value: "NAME", help: "float32, bfloat16, q8_0, q4_k_m, … (default: as the checkpoint)" },
  device: { type: "text", value: "NAME", help: "cpu, cuda, metal, … (default: a GPU if there is one)" },
  "n-threads": { type: "integer", help: "threads of the computation (default: the physical cores)" },
  ...FILE_OPTIONS,
} satisfies Options;

/** Where a model's files are: `gguf_file` is set for a GGUF file in the folder or repository `name`. */
export interface Source {
  name: string;
  gguf_file?: string;
}

/**
 * `owner/name/file.gguf` is a file on the Hub, unless it is one here.
 * @throws TransformersError for a GGUF file that is neither.
 */
export function model_source(argument: string): Source {
  if (!argument.endsWith(".gguf")) return { name: argument };
  if (existsSync(argument)) return { name: dirname(argument), gguf_file: basename(argument) };
  const parts = argument.split("/");
  if (parts.length > 2 && /^\w/.test(argument))
    return { name: parts.slice(0, 2).join("/"), gguf_file: parts.slice(2).join("/") };
  throw new TransformersError(`no file ${argument}`, "file_not_found");
}

/** The first operand, which is the model. */
export function model_argument(positionals: string[]): string {
  if (positionals[0]) return positionals[0];
  throw new UsageError("no model: name a folder, a model on the Hub, or a .gguf file");
}

/** @throws UsageError that lists the names, for an unknown dtype. */
export async function check_dtype(name: string | undefined): Promise<void> {
  if (name === undefined || name === "auto") return;
  const { parse_dtype } = await import("../models/dtype.js");
  try {
    parse_dtype(name, "--dtype");
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Options for everything that reads files. */
export function file_options(source: Source, values: Values<typeof FILE_OPTIONS>, terminal: Terminal) {
  return {
    ...(source.gguf_file ? { gguf_file: source.gguf_file } : {}),
    ...(values.revision ? { revision: values.revision } : {}),
    signal: terminal.signal,
  };
}

export async function open_tokenizer(
  argument: string,
  values: Values<typeof FILE_OPTIONS>,
  terminal: Terminal,
): Promise<PreTrainedTokenizerFast> {
  const { AutoTokenizer } = await import("../auto/tokenizer.js");
  const source = model_source(argument);
  const progress = new Progress(terminal);
  try {
    return await AutoTokenizer.from_pretrained(source.name, {
      ...file_options(source, values, terminal),
      progress_callback: progress.callback,
    });
  } catch (error) {
    if (error instanceof TransformersError && error.code === "tokenizer_class_unknown")
      await explain_absence(source, values, terminal);
    throw error;
  } finally {
    progress.clear();
  }
}

/** Throws why there are no files: a name that no one has, or no network. */
async function explain_absence(source: Source, values: Values<typeof FILE_OPTIONS>, terminal: Terminal): Promise<void> {
  const { cached_file } = await import("../hub/cached_file.js");
  const { gguf_file: _, ...hub } = file_options(source, values, terminal);
  await cached_file(source.name, "config.json", { ...hub, required: true });
}

/** Loads the model, with a progress bar. */
export async function open_model(
  argument: string,
  values: Values<typeof MODEL_OPTIONS>,
  terminal: Terminal,
): Promise<CausalLM> {
  await check_dtype(values.dtype);
  const { AutoModelForCausalLM } = await import("../auto/model.js");
  const source = model_source(argument);
  const progress = new Progress(terminal);
  try {
    return await AutoModelForCausalLM.from_pretrained(source.name, {
      ...file_options(source, values, terminal),
      dtype: values.dtype ?? "auto",
      ...(values.device === undefined ? {} : { device: values.device }),
      ...(values["n-threads"] === undefined ? {} : { n_threads: values["n-threads"] }),
      progress_callback: progress.callback,
    });
  } finally {
    progress.clear();
  }
}

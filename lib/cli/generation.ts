// What `generate` and `chat` share: the options of generation, and a text as it is made.
import type { CausalLM } from "../auto/model.js";
import { TransformersError } from "../errors.js";
import { GENERATION_FIELDS } from "../generation/fields.js";
import type { Tensor } from "../tensor/index.js";
import { DecodeStream } from "../tokenization/decode_stream.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { did_you_mean, type Options, UsageError, type Values } from "./arguments.js";

export const GENERATION_OPTIONS = {
  "max-new-tokens": { type: "integer", help: "the most tokens to generate" },
  "do-sample": { type: "flag", help: "draw tokens at random (temperature, top-k, top-p or min-p ask for it too)" },
  "no-do-sample": { type: "flag", help: "take the most probable token each time" },
  temperature: { type: "number", help: "above 1: more varied, below 1: less" },
  "top-k": { type: "integer", help: "draw among the k most probable tokens (0: all)" },
  "top-p": { type: "number", help: "draw among the most probable tokens that sum up to p" },
  "min-p": { type: "number", help: "draw among tokens with at least this share of the highest probability" },
  "repetition-penalty": { type: "number", help: "above 1: tokens that were there become less probable" },
  seed: { type: "integer", help: "the same seed draws the same tokens" },
  stop: { type: "text", repeatable: true, help: "end after this text" },
  set: {
    type: "text",
    value: "NAME=VALUE",
    repeatable: true,
    help: "any field of GenerationConfig, its value as JSON",
  },
} satisfies Options;

const SAMPLING = ["temperature", "top-k", "top-p", "min-p"] as const;
const PLAIN = ["max-new-tokens", ...SAMPLING, "repetition-penalty", "seed"] as const;

/**
 * The options of `generate()` that the command line asks for.
 * @throws UsageError for contradictions and unknown fields.
 */
export function generation_options(values: Values<typeof GENERATION_OPTIONS>): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const name of PLAIN) if (values[name] !== undefined) options[name.replaceAll("-", "_")] = values[name];
  if (values["do-sample"] && values["no-do-sample"])
    throw new UsageError("--do-sample and --no-do-sample exclude each other");
  if (values["no-do-sample"]) {
    options["do_sample"] = false;
    // The checkpoint's own numbers for sampling mean nothing now; those given here do not go unnoticed.
    for (const name of SAMPLING) options[name.replaceAll("-", "_")] ??= null;
  } else if (values["do-sample"] || SAMPLING.some((name) => values[name] !== undefined)) options["do_sample"] = true;
  if (values.stop.length > 0) options["stop_strings"] = values.stop;
  for (const assignment of values.set) {
    const [name, value] = read_assignment(assignment);
    options[name] = value;
  }
  return options;
}

function read_assignment(text: string): [string, unknown] {
  const at = text.indexOf("=");
  const name = text.slice(0, at).trim().replaceAll("-", "_");
  if (at < 1) throw new UsageError(`--set needs name=value, not "${text}"`);
  if (!Object.hasOwn(GENERATION_FIELDS, name))
    throw new UsageError(`--set: unknown field ${name}${did_you_mean(name, Object.keys(GENERATION_FIELDS))}`);
  const value = text.slice(at + 1);
  try {
    return [name, JSON.parse(value)];
  } catch {
    if (/^[a-z]\w*$/.test(value)) return [name, value]; // "dynamic" needs no quotes of its own
    throw new UsageError(`--set ${name}: not JSON: ${value}`);
  }
}

/** Sets `max_new_tokens` where neither the command line nor the checkpoint limits the length: `wanted`, or what the model has positions for. */
export function limit_length(
  model: CausalLM,
  options: Record<string, unknown>,
  prompt_length: number,
  wanted: number,
): Record<string, unknown> {
  const { max_new_tokens, max_length } = model.generation_config;
  const limited = max_new_tokens !== null || max_length !== GENERATION_FIELDS["max_length"];
  if (limited || "max_new_tokens" in options || "max_length" in options) return options;
  return { ...options, max_new_tokens: Math.max(1, Math.min(wanted, model.max_positions - prompt_length)) };
}

/** How long it took. Milliseconds; the first token comes at the end of the prompt. */
export interface Timings {
  prompt_tokens: number;
  prompt_ms: number;
  generated_tokens: number;
  generated_ms: number;
  tokens_per_second: number;
}

export interface Continuation {
  text: string;
  tokens: number[];
}

export interface Generated {
  sequences: Continuation[];
  timings: Timings;
  /** The signal stopped it: the text ends where it was. */
  stopped: boolean;
}

export interface Request {
  model: CausalLM;
  tokenizer: PreTrainedTokenizerFast;
  prompt_ids: number[];
  options: Record<string, unknown>;
  signal: AbortSignal;
  /** Gets the text as it comes, if there is one row and no beams. */
  on_text?: (text: string) => void;
}

/** Generates, and hands out the text as it comes. */
export async function generate_text({
  model,
  tokenizer,
  prompt_ids,
  options,
  signal,
  on_text,
}: Request): Promise<Generated> {
  const started = performance.now();
  let first: number | undefined;
  const stream = new DecodeStream(tokenizer, { skip_special_tokens: true });
  stream.push(prompt_ids); // how a token is spelled depends on what stands before it
  const tokens: number[] = [];
  let text = "";
  const take = (piece: string) => {
    text += piece;
    if (piece) on_text?.(piece);
  };

  let stopped = false;
  let rows: number[][] = [];
  const call = model.generate([prompt_ids], { ...options, tokenizer, signal });
  try {
    for await (const step of call) {
      first ??= performance.now();
      if (step.length > 1) continue;
      tokens.push(step[0]);
      take(stream.push(step[0]));
    }
    rows = ((await call) as Tensor).tolist() as number[][];
  } catch (error) {
    if (!(error instanceof TransformersError && error.code === "aborted" && signal.aborted)) throw error;
    stopped = true;
  }
  take(stream.end());
  const streamed = stopped || (rows.length === 1 && tokens.length > 0);
  const sequences = streamed ? [{ text, tokens }] : rows.map((row) => continuation(tokenizer, row, prompt_ids.length));
  if (!streamed && sequences.length === 1) on_text?.(sequences[0].text);
  return { sequences, timings: timings(started, first, prompt_ids.length, sequences), stopped };
}

/** What a whole row adds to its prompt. */
function continuation(tokenizer: PreTrainedTokenizerFast, row: number[], prompt_length: number): Continuation {
  const decode = (ids: number[]) => tokenizer.decode(ids, { skip_special_tokens: true });
  return { text: decode(row).slice(decode(row.slice(0, prompt_length)).length), tokens: row.slice(prompt_length) };
}

function timings(started: number, first: number | undefined, prompt_tokens: number, rows: Continuation[]): Timings {
  const ended = performance.now();
  const generated_tokens = rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const [prompt_ms, generated_ms] = [(first ?? ended) - started, ended - (first ?? started)];
  const after_first = first === undefined ? generated_tokens : generated_tokens - rows.length;
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    prompt_tokens,
    prompt_ms: round(prompt_ms),
    generated_tokens,
    generated_ms: round(generated_ms),
    tokens_per_second: generated_ms > 0 ? round((after_first / generated_ms) * 1000) : 0,
  };
}

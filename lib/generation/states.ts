// Hidden states and attentions of generate(): the rows that ran are run once more, whole, and cut into steps.
// A token's states depend on those before it alone, so that the numbers are those of the steps themselves.
import type { NativeGenerateResult } from "../native.js";
import { Tensor } from "../tensor/index.js";
import type { StepStates } from "./outputs.js";
import type { Start, Vectors } from "./start.js";

/** Which rows ran at each step. */
interface Ran {
  /** Rows of tokens, as long as they ran. The row of a step is the beginning of one of them. */
  paths: Int32Array[];
  /** The running row that each path was: rows of one prompt lie together. */
  owners: number[];
  /** For each step and running row: its path. */
  at: number[][];
}

/** What was asked for. */
export interface StateFlags {
  output_hidden_states: boolean;
  output_attentions: boolean;
}

/** States of whole rows by the name of the output's field: of each layer [rows, …]. */
export type RowStates = Record<string, readonly Tensor[] | undefined>;

/** Rows of one length, the prompt's padding in front, ours behind. */
export interface Rows {
  input_ids: Int32Array[];
  attention_mask: Uint8Array[];
  [input: string]: unknown;
}

/** Computes the states of whole rows. `owners`: see `Ran`. */
export type Rerun = (rows: Rows, owners: number[]) => Promise<RowStates>;

/** How the rows of a request began. */
interface Prompts {
  ids: Int32Array[];
  /** 0 for padding. */
  mask: Uint8Array[] | undefined;
  /** Columns that a cache held already: nobody computed their states. */
  cached: number;
}

/** Rows that began with embeddings: zeros stand for those. */
function with_columns({ ids, mask, embeds, cached }: Start, sequences: Int32Array[]): [Prompts, Int32Array[]] {
  if (!embeds) return [{ ids, mask, cached }, sequences];
  const room = new Int32Array(embeds.length);
  return [
    { ids: ids.map(() => room), mask, cached },
    sequences.map((row) => Int32Array.of(...room, ...row.subarray(ids[0].length))),
  ];
}

/** Rows without beams: the sequences themselves. */
function of_sequences(sequences: Int32Array[], prompt_length: number): Ran {
  const steps = sequences[0].length - prompt_length;
  const rows = sequences.map((_, row) => row);
  return {
    paths: sequences.map((row) => row.subarray(0, row.length - 1)),
    owners: rows,
    at: Array.from({ length: steps }, () => rows),
  };
}

/** Beams: what each step gave each row, from the last step back, because a row's continuation has its tokens too. */
function of_beams(prompts: Int32Array[], tokens: Int32Array[], sources: Int32Array[]): Ran {
  const rows = tokens[0].length;
  const running: number[][][] = [];
  let now = Array.from({ length: rows }, (_, row) => Array.from(prompts[Math.floor((row * prompts.length) / rows)]));
  for (const [step, source] of sources.entries()) {
    running.push(now);
    now = Array.from(source, (from, row) => [...running[step][from], tokens[step][row]]);
  }
  const key = (ids: number[], row: number) => `${Math.floor((row * prompts.length) / rows)}:${ids}`;
  const paths: Int32Array[] = [];
  const owners: number[] = [];
  const at: number[][] = [];
  for (let step = running.length - 1; step >= 0; step--) {
    const known = new Map<string, number>();
    for (const [row, path] of (at[0] ?? []).entries()) known.set(key(running[step][sources[step][row]], row), path);
    const own = running[step].map((ids, row) => {
      const path = known.get(key(ids, row));
      if (path !== undefined) return path;
      owners.push(row);
      known.set(key(ids, row), paths.length);
      return paths.push(Int32Array.from(ids)) - 1;
    });
    at.unshift(own);
  }
  return { paths, owners, at };
}

/**
 * The states of each step of a finished request, by field: of each layer [rows, tokens fed, size], or for the fields of
 * attentions [rows, heads, tokens fed, keys], where self-attention sees the tokens so far.
 */
export async function step_states(
  result: NativeGenerateResult,
  start: Start,
  rerun: Rerun,
): Promise<Record<string, StepStates>> {
  const { running_tokens: tokens, running_sources: sources } = result;
  const [prompts, sequences] = with_columns(start, result.sequences);
  const length = prompts.ids[0].length;
  const ran = tokens && sources ? of_beams(prompts.ids, tokens, sources) : of_sequences(sequences, length);
  const rows = ran.at[0].length;
  const fields: Record<string, StepStates> = {};

  /** Computes some paths and puts into the steps from `first_step` on what runs along them. */
  const compute = async (
    paths: Int32Array[],
    owners: number[],
    at: number[][],
    first_path: number,
    first_step: number,
  ) => {
    const states = await rerun(pad_right(paths, owners, prompts, rows), owners);
    for (const [field, layers] of Object.entries(states)) {
      if (!layers) continue;
      fields[field] ??= ran.at.map(() => []);
      for (const [i, own] of at.entries()) {
        const step = first_step + i;
        const [begin, end] = [step === 0 ? prompts.cached : length + step - 1, length + step];
        for (const [layer, source] of layers.entries()) {
          fields[field][step][layer] ??= room(
            source,
            rows,
            end - begin,
            field === "cross_attentions" ? undefined : end,
          );
          for (const [row, path] of own.entries())
            if (path >= first_path && path < first_path + paths.length)
              copy_row(source, path - first_path, fields[field][step][layer], row, begin);
        }
      }
    }
  };

  // What hidden tokens hold depends on the length of their row: the prompts run alone then.
  const alone = prompts.mask?.some((mask) => mask.includes(0)) ? 1 : 0;
  const each = rows / prompts.ids.length;
  if (alone) {
    const owners = prompts.ids.map((_, prompt) => prompt * each);
    await compute(prompts.ids, owners, [ran.at[0].map((_, row) => Math.floor(row / each))], 0, 0);
  }
  // As many at a time as ran together: no more memory than a step of forward() takes.
  for (let first = 0; first < ran.paths.length && alone < ran.at.length; first += rows)
    await compute(
      ran.paths.slice(first, first + rows),
      ran.owners.slice(first, first + rows),
      ran.at.slice(alone),
      first,
      alone,
    );
  return fields;
}

/** Zeros for a step: `tokens` of them, for attentions with so many keys (default: all). */
function room(source: Tensor, rows: number, tokens: number, keys: number | undefined): Tensor {
  const shape = [rows, ...source.dims.slice(1)];
  shape[shape.length - 2] = tokens;
  if (shape.length === 4 && keys !== undefined) shape[3] = keys;
  return new Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b)), shape);
}

/** Makes rows of one length. */
function pad_right(paths: Int32Array[], owners: number[], { ids, mask }: Prompts, rows: number): Rows {
  const longest = Math.max(...paths.map((path) => path.length));
  const input_ids = paths.map((path) => {
    const row = new Int32Array(longest);
    row.set(path);
    return row;
  });
  const attention_mask = paths.map((path, i) => {
    const row = new Uint8Array(longest).fill(1, 0, path.length);
    if (mask) row.set(mask[Math.floor((owners[i] * ids.length) / rows)]);
    return row;
  });
  return { input_ids, attention_mask };
}

/** Copies from `begin` on what fits: of [rows, tokens, size], or of [rows, heads, tokens, keys]. */
function copy_row(source: Tensor, from: number, target: Tensor, to: number, begin: number): void {
  const [heads, length, size] = source.dims.length === 4 ? source.dims.slice(1) : [1, ...source.dims.slice(1)];
  const [count, width] = target.dims.slice(-2);
  const [values, result] = [source.data as Float32Array, target.data as Float32Array];
  for (let head = 0; head < heads; head++)
    for (let token = 0; token < count; token++) {
      const at = ((from * heads + head) * length + begin + token) * size;
      result.set(values.subarray(at, at + width), ((to * heads + head) * count + token) * width);
    }
}

/** Some of the rows, one after another: [prompts, length, size]. */
export function pick_rows({ data, length, size }: Vectors, rows: number[]): Tensor {
  const count = length * size;
  const picked = new Float32Array(rows.length * count);
  for (const [i, row] of rows.entries()) picked.set(data.subarray(row * count, (row + 1) * count), i * count);
  return new Tensor("float32", picked, [rows.length, length, size]);
}

/** States of whole rows from those of their beginning and those of what follows, whose attentions see both. */
export function joined_states(before: RowStates, behind: RowStates): RowStates {
  const joined: RowStates = {};
  for (const [field, layers] of Object.entries(behind))
    joined[field] = layers?.map((last, layer) => {
      const first = (before[field] as readonly Tensor[])[layer];
      const length = first.dims[first.dims.length - 2] + last.dims[last.dims.length - 2];
      const shape = [...last.dims.slice(0, -2), length, last.dims.at(-1) as number];
      const whole = new Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b)), shape);
      const data = whole.data as Float32Array;
      const [width, groups] = [shape.at(-1) as number, shape.slice(0, -2).reduce((a, b) => a * b)];
      for (const [part, begin] of [
        [first, 0],
        [last, first.dims[first.dims.length - 2]],
      ] as const) {
        const [count, size] = part.dims.slice(-2);
        for (let i = 0; i < groups * count; i++)
          data.set(
            (part.data as Float32Array).subarray(i * size, (i + 1) * size),
            (Math.floor(i / count) * length + begin + (i % count)) * width,
          );
      }
      return whole;
    });
  return joined;
}

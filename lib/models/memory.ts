// What the rows of a decoder see of the encoder's tokens.
import { isDeepStrictEqual } from "node:util";
import { expected, out_of_range, TransformersError } from "../errors.js";
import { is_tensor, Tensor } from "../tensor/index.js";
import { to_mask } from "./inputs.js";
import type { Keys, Packing } from "./packing.js";

/** The encoder's tokens that the engine keeps, row by row: those that the mask shows or, where it shows none, all. */
export interface Memory {
  /** Length of the encoder's padded rows. */
  length: number;
  /** The columns of each row's tokens. */
  columns: number[][];
  /** Rows whose mask shows nothing: as in Python they see all tokens equally. */
  blind: boolean[];
}

/** Of packed rows of an encoder. */
export function memory_of({ length, columns, hidden, visible }: Packing): Memory {
  let start = 0;
  const kept = Array.from(visible, (count, row) => {
    const begin = start + (count > 0 ? hidden[row] : 0);
    start += hidden[row] + count;
    return [...columns.subarray(begin, start)];
  });
  return { length, columns: kept, blind: Array.from(visible, (count) => count === 0) };
}

/** … of rows that each became `copies`. */
export function repeat_memory({ length, columns, blind }: Memory, copies: number): Memory {
  const repeat = <Item>(items: Item[]) => items.flatMap((item) => new Array<Item>(copies).fill(item));
  return { length, columns: repeat(columns), blind: repeat(blind) };
}

/** The keys of cross-attention over tokens that the program itself encodes. */
export function packed_keys(decoder: Packing, { columns, hidden, visible }: Packing): Keys {
  let end = 0;
  const spans = Array.from(visible, (count, row) => {
    const begin = end + (count > 0 ? hidden[row] : 0);
    end += hidden[row] + count;
    return [begin, end, count > 0 ? 0 : -1];
  });
  return { spans: spread(spans, decoder), columns };
}

/** … over what the engine keeps of them. */
export function stored_keys(decoder: Packing, { columns, blind }: Memory): Keys {
  let end = 0;
  const spans = columns.map((row, i) => {
    const begin = end;
    end += row.length;
    return [begin, end, blind[i] ? -1 : 0];
  });
  return { spans: spread(spans, decoder), columns: columns.flat() };
}

/** Gives each token what belongs to its row. */
function spread(spans: number[][], { count, length, places }: Packing): Int32Array {
  const result = new Int32Array(3 * count);
  places.forEach((place, token) => {
    result.set(spans[Math.floor(place / length)], 3 * token);
  });
  return result;
}

/**
 * The memory behind `past_key_values`, for a call with this mask of the encoder's tokens.
 * @throws TypeError for a cache without one, TransformersError `unsupported` for a mask that shows other tokens.
 */
export function continued_memory(past: unknown, attention_mask: unknown): Memory {
  const memory = (past as { memory?: Memory } | undefined)?.memory;
  if (!memory) throw expected("a cache that this model returned", "past_key_values", past);
  if (attention_mask === undefined || attention_mask === null) return memory;
  const mask = to_mask(attention_mask, [memory.columns.length, memory.length], "attention_mask");
  const all = Array.from({ length: memory.length }, (_, column) => column);
  const shown = mask.map((row) => (row.includes(1) ? all.filter((column) => row[column]) : all));
  if (isDeepStrictEqual(shown, memory.columns)) return memory;
  throw new TransformersError(
    "attention_mask shows other tokens of the encoder than when past_key_values were computed",
    "unsupported",
  );
}

/** What an encoder gave, as a caller hands it on. */
export interface EncoderOutputs {
  last_hidden_state: Tensor;
  hidden_states?: Tensor[] | undefined;
  attentions?: Tensor[] | undefined;
}

/**
 * Reads `encoder_outputs`: an output object, or a list of its fields.
 * @throws TypeError for anything else, RangeError for states of another size.
 */
export function read_encoder_outputs(value: unknown, size: number): EncoderOutputs {
  const fields = value as Record<string | number, unknown>;
  const [states, hidden_states, attentions] = Array.isArray(value)
    ? value
    : [fields?.["last_hidden_state"] ?? fields?.[0], fields?.["hidden_states"], fields?.["attentions"]];
  if (!is_tensor(states) || states.dims.length !== 3)
    throw expected("an encoder's output with last_hidden_state [rows, length, size]", "encoder_outputs", value);
  if (states.dims[2] !== size)
    throw out_of_range(`states of ${size} values`, "encoder_outputs", `states of ${states.dims[2]}`);
  return {
    last_hidden_state:
      states instanceof Tensor ? states : new Tensor(states.type as "float32", states.data, states.dims),
    hidden_states: hidden_states as Tensor[] | undefined,
    attentions: attentions as Tensor[] | undefined,
  };
}

// What generate() is called with: prompts, masks, and the arguments that no model knows.
import { expected, out_of_range } from "../errors.js";
import { check_ids, to_mask, to_rows } from "../models/inputs.js";
import type { NativeGenerationOptions } from "../native.js";
import { is_tensor } from "../tensor/index.js";
import type { GenerationConfig } from "./configuration.js";

/** `generate(ids, options)`, `generate({...inputs, ...options})`, `generate(encoding, options)`: one object of arguments. */
export function merge<Options extends object>(inputs: unknown, options: Options): Options & { inputs?: unknown } {
  if (typeof options !== "object" || options === null) throw expected("an object of options", "options", options);
  const is_ids =
    inputs === undefined || inputs === null || Array.isArray(inputs) || ArrayBuffer.isView(inputs) || is_tensor(inputs);
  if (is_ids) return inputs === undefined || inputs === null ? options : { ...options, inputs };
  if (typeof inputs !== "object") throw expected("token ids or an object with input_ids", "inputs", inputs);
  return { ...inputs, ...options };
}

/** The prompt's rows; without any, one row that begins with BOS. */
export function prompt_rows(inputs: unknown, config: GenerationConfig, vocab_size: number): Int32Array[] {
  if (inputs === undefined || inputs === null) {
    if (config.bos_token_id === null)
      throw new TypeError("`bos_token_id` has to be defined when no `input_ids` are provided.");
    return [Int32Array.of(config.bos_token_id)];
  }
  const rows = to_rows(inputs, "input_ids");
  if (rows[0].length === 0) throw out_of_range("at least one token in each row", "input_ids", inputs);
  check_ids(rows, vocab_size, "input_ids");
  return rows;
}

/** The mask as 0 and 1, of `length` columns; without one, what Python infers from the padding token. */
export function prompt_mask(
  ids: Int32Array[],
  mask: unknown,
  config: GenerationConfig,
  length: number = ids[0].length,
): Uint8Array[] | undefined {
  if (mask !== undefined && mask !== null) {
    const rows = to_mask(mask, [ids.length, length], "attention_mask");
    if (rows.some((row) => !row.includes(1)))
      throw out_of_range("at least one visible token in each row", "attention_mask", mask);
    return rows;
  }
  return inferred_mask(ids, config);
}

/** … what shows the ids that are no padding, where that can be told. */
export function inferred_mask(ids: Int32Array[], config: GenerationConfig): Uint8Array[] | undefined {
  const pad = config.pad_token_id;
  const eos = config.eos_token_id;
  const is_eos = Array.isArray(eos) ? eos.includes(pad as number) : eos === pad;
  if (pad === null || is_eos || !ids.some((row) => row.includes(pad))) return undefined;
  return ids.map((row) => Uint8Array.from(row, (id) => (id === pad ? 0 : 1)));
}

/** The rows that classifier-free guidance moves away from. */
export function negative_prompt(ids: unknown, mask: unknown, vocab_size: number): NativeGenerationOptions {
  const rows = to_rows(ids, "negative_prompt_ids");
  check_ids(rows, vocab_size, "negative_prompt_ids");
  const shape = [rows.length, rows[0].length] as const;
  return {
    negative_prompt_ids: rows,
    ...(mask ? { negative_prompt_attention_mask: to_mask(mask, shape, "negative_prompt_attention_mask") } : {}),
  };
}

/**
 * Takes out of `kwargs` what the rows have beside their ids or embeddings, `shape` of them: the names in `bounds`, each of
 * that shape and below its bound. As in Python the last number of a row goes for all tokens that follow.
 */
export function take_row_inputs(
  kwargs: Record<string, unknown>,
  bounds: Record<string, number>,
  [count, length]: readonly [number, number],
): Record<string, Int32Array[]> {
  const taken: Record<string, Int32Array[]> = {};
  for (const [name, bound] of Object.entries(bounds)) {
    const value = kwargs[name];
    delete kwargs[name];
    if (value === undefined || value === null) continue;
    const rows = to_rows(value, name);
    if (rows.length !== count || rows[0].length !== length)
      throw out_of_range(
        `the shape of input_ids, [${count}, ${length}]`,
        name,
        `shape [${rows.length}, ${rows[0].length}]`,
      );
    check_ids(rows, bound, name);
    taken[name] = rows;
  }
  return taken;
}

/** @throws TypeError with Python's text for arguments that nobody takes. */
export function check_model_kwargs(strangers: Record<string, unknown>): void {
  const names = Object.keys(strangers).filter((name) => strangers[name] !== undefined && strangers[name] !== null);
  if (names.length === 0) return;
  const quoted = names.map((name) => `'${name}'`).join(", ");
  throw new TypeError(
    `The following \`model_kwargs\` are not used by the model: [${quoted}] (note: typos in the generate arguments will also show up in this list)`,
  );
}

// Between [batch, length] with padding, as callers see it, and rows of tokens without it, as the engine takes them.
import { out_of_range } from "../../errors.js";
import { to_mask, to_rows } from "../inputs.js";

/** The tokens that a mask leaves of each row: one run, without gaps. */
export class Padding {
  /** Tokens of each row. */
  readonly rows: Int32Array[];
  /** Tokens of all rows. */
  readonly count: number;
  private readonly starts: number[];
  private readonly length: number;

  /**
   * `mask`: [batch, length], or [batch, cached + length] when `cached` tokens came before.
   * @throws RangeError for a mask of another shape, with a gap, or that hides a whole row.
   */
  constructor(ids: Int32Array[], mask: unknown, cached?: number[]) {
    this.length = ids[0].length;
    const bits = mask === undefined || mask === null ? undefined : this.own_columns(mask, ids, cached);
    this.starts = ids.map((_, i) => (bits ? bits[i].indexOf(1) : 0));
    this.rows = ids.map((row, i) => {
      if (!bits) return row;
      const end = bits[i].lastIndexOf(1) + 1;
      const kept = row.subarray(this.starts[i], end);
      if (end === 0) throw out_of_range("at least one visible token in each row", "attention_mask", `none in row ${i}`);
      if (bits[i].subarray(this.starts[i], end).includes(0))
        throw out_of_range("zeros at the ends of a row only", "attention_mask", `a gap in row ${i}`);
      return kept;
    });
    this.count = this.rows.reduce((sum, row) => sum + row.length, 0);
  }

  /** The mask's columns for the new tokens: with a cache, the last ones. */
  private own_columns(mask: unknown, ids: Int32Array[], cached: number[] | undefined): Uint8Array[] {
    if (cached) {
      const rows = to_rows(mask, "attention_mask");
      if (rows.length === ids.length && rows[0].length > this.length)
        return rows.map((row) => Uint8Array.from(row.subarray(row.length - this.length), (bit) => (bit === 0 ? 0 : 1)));
    }
    return to_mask(mask, [ids.length, ids[0].length], "attention_mask");
  }

  /** No padding stands after the last token of any row. */
  get ends_with_tokens(): boolean {
    return this.rows.every((row, i) => this.starts[i] + row.length === this.length);
  }

  /** Where the token at a position of a row is among those of all rows; undefined for padding. */
  token_at(row: number, position: number): number | undefined {
    const at = position - this.starts[row];
    if (at < 0 || at >= this.rows[row].length) return undefined;
    return this.rows.slice(0, row).reduce((sum, { length }) => sum + length, at);
  }

  /** The position of each row's first token. Positions must be consecutive where the mask shows tokens. */
  first_positions(position_ids: unknown): Int32Array {
    const positions = to_rows(position_ids, "position_ids");
    const of = (i: number) => positions[positions.length === 1 ? 0 : i];
    if ((positions.length !== 1 && positions.length !== this.rows.length) || positions[0].length !== this.length)
      throw out_of_range(
        `shape [${this.rows.length}, ${this.length}]`,
        "position_ids",
        `shape [${positions.length}, ${positions[0].length}]`,
      );
    return Int32Array.from(this.rows, (row, i) => {
      const first = of(i)[this.starts[i]];
      for (let t = 0; t < row.length; t++)
        if (of(i)[this.starts[i] + t] !== first + t)
          throw out_of_range("consecutive positions", "position_ids", `row ${i}`);
      if (first < 0) throw out_of_range("positions from 0 on", "position_ids", first);
      return first;
    });
  }

  /** Values of `width` for each token of all rows, put where the tokens stood; zeros for padding. */
  spread(values: Float32Array, width: number): Float32Array {
    if (this.count === this.rows.length * this.length) return values;
    const result = new Float32Array(this.rows.length * this.length * width);
    let from = 0;
    this.rows.forEach((row, i) => {
      const part = values.subarray(from * width, (from + row.length) * width);
      result.set(part, (i * this.length + this.starts[i]) * width);
      from += row.length;
    });
    return result;
  }

  /** The number of the tokens among the last `keep` of each row. */
  kept_count(keep: number): number {
    return this.rows.reduce((sum, row) => sum + Math.min(row.length, keep), 0);
  }

  /** Values for these tokens, as [batch, keep, width], where no padding stands after them. */
  spread_last(values: Float32Array, width: number, keep: number): Float32Array {
    if (values.length === this.rows.length * keep * width) return values;
    const result = new Float32Array(this.rows.length * keep * width);
    let from = 0;
    this.rows.forEach((row, i) => {
      const count = Math.min(row.length, keep);
      result.set(values.subarray(from * width, (from + count) * width), ((i + 1) * keep - count) * width);
      from += count;
    });
    return result;
  }
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/tapas/tokenization_tapas.py
import { expected, out_of_range, TransformersError, warn_once } from "../errors.js";
import type { AddedToken } from "./added_token.js";
import { BatchEncoding } from "./batch_encoding.js";
import type { PadOptions } from "./options.js";
import { strip, words_of } from "./python_text.js";
import { WordPieceTokenizer } from "./slow_words.js";
import {
  column_values,
  compare_keys,
  type NumericValue,
  normalize_for_match,
  numeric_values,
  sort_key,
} from "./tapas_numbers.js";
import { to_lists } from "./tensors.js";

type Keywords = Record<string, unknown>;
/** Columns by their names, or rows; all cells are strings. */
export type Table = Readonly<Record<string, readonly string[]>> | readonly Readonly<Record<string, string>>[];
/** Row and column, from 0, without the names of the columns. */
export type Coordinates = readonly [row: number, column: number];

export interface TapasOptions extends PadOptions {
  queries?: string | readonly string[] | null;
  query?: string | null;
  /** The cells that answer; of several questions, lists of them. Needs `answer_text` too. */
  answer_coordinates?: readonly Coordinates[] | readonly (readonly Coordinates[])[] | null;
  answer_text?: readonly string[] | readonly (readonly string[])[] | null;
  /** true is "drop_rows_to_fit". */
  truncation?: boolean | "drop_rows_to_fit" | "do_not_truncate" | null;
  add_special_tokens?: boolean;
  return_token_type_ids?: boolean | null;
  return_special_tokens_mask?: boolean;
  return_length?: boolean;
}

interface Limits {
  cell_trim_length: number;
  max_column_id: number;
  max_row_id: number;
  strip_column_names: boolean;
  min_question_length: number | null;
  max_question_length: number | null;
}
interface Columns {
  names: string[];
  rows: string[][];
}
/** A token of the table; columns and rows from 1, row 0 has the names. */
interface TableToken {
  token: string;
  column: number;
  row: number;
  /** The first token of its word, within the cell. */
  word: number;
  index: number;
}

const OPTIONS = new Set([
  ..."queries query answer_coordinates answer_text truncation add_special_tokens return_token_type_ids".split(" "),
  ..."return_special_tokens_mask return_length padding max_length pad_to_multiple_of padding_side".split(" "),
  ..."return_tensors return_tensor return_attention_mask verbose".split(" "),
]);

function columns_of(table: unknown): Columns {
  if (typeof table !== "object" || table === null)
    throw expected("an object of columns or a list of rows", "table", table);
  const names = Object.keys((Array.isArray(table) ? (table[0] ?? {}) : table) as object);
  const columns = table as Record<string, unknown[]>;
  const height = Array.isArray(table) ? table.length : Math.max(0, ...names.map((name) => columns[name]?.length ?? 0));
  const rows = Array.from({ length: height }, (_, i) =>
    names.map((name) => {
      const cell = Array.isArray(table) ? (table[i] as Record<string, unknown>)?.[name] : columns[name]?.[i];
      if (typeof cell === "string") return cell;
      throw expected("a string", `the cell of row ${i} in column "${name}" of the table`, cell);
    }),
  );
  return { names, rows };
}

/** What a text says, without marks; nothing for what stands for an empty cell. */
function said(text: string): string {
  const plain = strip(text.toLowerCase());
  if (["n/a", "?", "nan"].includes(plain)) return "";
  return words_of(plain.replace(/[^\p{L}\p{N}]+/gu, " ")).join(" ");
}

/** BERT's for questions and a table: `tokenizer(table, query, options)`, `tokenizer(table, queries, options)`. */
export class TapasTokenizer extends WordPieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "vocab.txt" };
  static override readonly keywords = {
    do_lower_case: true,
    do_basic_tokenize: true,
    never_split: null,
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
    empty_token: "[EMPTY]",
    tokenize_chinese_chars: true,
    strip_accents: null,
    cell_trim_length: -1,
    max_column_id: null,
    max_row_id: null,
    strip_column_names: false,
    update_answer_coordinates: false,
    min_question_length: null,
    max_question_length: null,
    model_max_length: 512,
    clean_up_tokenization_spaces: true,
  };

  readonly #options: Limits;

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...TapasTokenizer.keywords, ...keywords };
    const given = (kwargs["additional_special_tokens"] ?? []) as (string | AddedToken)[];
    const empty = String(kwargs["empty_token"]);
    const additional_special_tokens = given.map(String).includes(empty) ? given : [...given, empty];
    super(vocab_file, { ...kwargs, additional_special_tokens });
    const most = kwargs["model_max_length"] as number;
    this.#options = {
      ...(kwargs as unknown as Limits),
      max_column_id: (kwargs["max_column_id"] as number | null) ?? most,
      max_row_id: (kwargs["max_row_id"] as number | null) ?? most,
    };
    if (kwargs["update_answer_coordinates"])
      throw new TransformersError(
        "update_answer_coordinates is not supported: it fails in Python too",
        "not_supported",
      );
  }

  override get pad_values(): Keywords {
    const types = new Array(7).fill(this.pad_token_type_id);
    return { token_type_ids: types, labels: 0, numeric_values: Number.NaN, numeric_values_scale: 1 };
  }
  protected override _ends() {
    return { first: [this.cls_token_id!], between: [this.sep_token_id!], last: [] };
  }
  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    if (pair) return super.build_inputs_with_special_tokens(ids, pair);
    throw new TypeError("With TAPAS, you must provide both question IDs and table IDs.");
  }
  override num_special_tokens_to_add(_pair = false): number {
    return 2;
  }
  protected override _tokenize(text: string): string[] {
    return said(text) === "" ? [this.additional_special_tokens[0]!.toString()] : super._tokenize(text);
  }
  override vocabulary_files(): Record<string, string> {
    return { "vocab.txt": this.vocabulary_lines() };
  }

  override _call(table: unknown, ...rest: unknown[]): BatchEncoding {
    const [queries, options] = arguments_of_table(rest);
    if (queries !== null && typeof queries !== "string" && !is_texts(queries))
      throw expected("a string or a list of strings", "queries", queries);
    return typeof queries === "string" || queries === null
      ? this.#one(table, queries, options)
      : this.#batch(table, queries, options);
  }
  override encode_plus(table: unknown, ...rest: unknown[]): BatchEncoding {
    const [query, options] = arguments_of_table(rest);
    return this.#one(table, query as string | null, options);
  }
  /** Several questions about one table. */
  override batch_encode_plus(table: unknown, ...rest: unknown[]): BatchEncoding {
    const [queries, options] = arguments_of_table(rest);
    if (!is_texts(queries)) throw expected("a list of strings", "queries", queries);
    return this.#batch(table, queries, options);
  }

  #one(table: unknown, given: string | null, options: TapasOptions): BatchEncoding {
    check(options);
    if (given === null)
      warn_once(
        "TAPAS is a question answering model but you have not passed a query. Please be aware that the model will" +
          " probably not behave correctly.",
      );
    const { padding = false, max_length = null, pad_to_multiple_of = null } = options;
    const has_length = max_length !== null || pad_to_multiple_of !== null;
    const pads = typeof padding === "boolean" ? (padding && has_length ? "max_length" : "do_not_pad") : padding;
    const answers = options.answer_coordinates as readonly Coordinates[] | null | undefined;
    const data = this.#prepared(columns_of(table), given ?? "", answers ?? null, null, options);
    const with_mask = options.return_attention_mask ?? this.model_input_names.includes("attention_mask");
    const sizes = { max_length, pad_to_multiple_of, padding_side: options.padding_side ?? null };
    const padded =
      pads !== "do_not_pad" || with_mask
        ? this.pad(data, { ...sizes, padding: pads, return_attention_mask: with_mask }).data
        : data;
    if (options.return_length) padded["length"] = (padded["input_ids"] as number[]).length;
    const tensor_type = options.return_tensors ?? options.return_tensor;
    return new BatchEncoding(padded, null, { tensor_type, prepend_batch_axis: true });
  }

  #batch(table: unknown, queries: readonly string[], options: TapasOptions): BatchEncoding {
    check(options);
    const columns = columns_of(table);
    const answers = (options.answer_coordinates ?? null) as readonly (readonly Coordinates[])[] | null;
    if (answers && answers.length !== queries.length)
      throw expected(`a list for each of the ${queries.length} questions`, "answer_coordinates", answers);
    const rows = queries.map((query, i) => {
      const data = this.#prepared(columns, query, answers?.[i] ?? null, answers?.[i - 1] ?? null, options);
      return options.return_length ? { ...data, length: data["input_ids"]!.length } : data;
    });
    return this.pad(rows, {
      padding: options.padding ?? false,
      max_length: options.max_length ?? null,
      pad_to_multiple_of: options.pad_to_multiple_of ?? null,
      padding_side: options.padding_side ?? null,
      return_attention_mask: options.return_attention_mask ?? null,
      return_tensors: options.return_tensors ?? (options.return_tensor ? "pt" : null),
    });
  }

  /** The question's tokens; none if there are too many or too few. */
  #question(query: string): string[] {
    const tokens = this.tokenize(query);
    const { max_question_length: most, min_question_length: least } = this.#options;
    if (most !== null && tokens.length > most) {
      warn_once("Skipping query as its tokens are longer than the max question length");
      return [];
    }
    if (least !== null && tokens.length < least) {
      warn_once("Skipping query as its tokens are shorter than the min question length");
      return [];
    }
    return tokens;
  }

  #table_tokens({ names, rows }: Columns): TableToken[] {
    const header = names.map((name) => (this.#options.strip_column_names ? "" : name));
    return [header, ...rows].flatMap((cells, row) =>
      cells.flatMap((cell, column) => {
        const tokens = this.tokenize(cell);
        return tokens.map((token, index) => {
          let word = index;
          while (word >= 0 && tokens[word]!.startsWith("##")) word--;
          return { token, column: column + 1, row, word, index };
        });
      }),
    );
  }

  /** The tokens of the table that fit: rows are left out from below, then the ends of cells. */
  #fitting(tokens: readonly TableToken[], table: Columns, question: readonly string[], options: TapasOptions) {
    const truncation = options.truncation ?? false;
    const drops = truncation === true || truncation === "drop_rows_to_fit";
    if (!drops && truncation !== false && truncation !== "do_not_truncate")
      throw expected('true, false, "drop_rows_to_fit" or "do_not_truncate"', "truncation", truncation);
    const { max_row_id, max_column_id, cell_trim_length: trim } = this.#options;
    if (table.names.length >= max_column_id) throw new RangeError("Too many columns");
    if (table.rows.length >= max_row_id && !drops) throw new RangeError("Too many rows");
    let rows = Math.min(table.rows.length, drops ? max_row_id - 1 : Number.POSITIVE_INFINITY);
    const longest = Math.max(0, ...tokens.map(({ index }) => index + 1));
    const kept = (size: number) => tokens.filter(({ row, word }) => row <= rows && word < size);
    if (!drops) return kept(longest);
    const room = (options.max_length ?? this.model_max_length) - question.length - 2;
    const most = trim >= 0 ? Math.min(longest, trim) : longest;
    do {
      let size = 0;
      while (size < most && kept(size + 1).length <= room) size++;
      if (size >= most || (trim < 0 && size > 0)) return kept(size || 1);
    } while (--rows >= 1);
    return kept(1);
  }

  #prepared(
    table: Columns,
    query: string,
    answers: readonly Coordinates[] | null,
    previous: readonly Coordinates[] | null,
    options: TapasOptions,
  ): Record<string, unknown[]> {
    const { add_special_tokens = true, max_length = null } = options;
    const question = this.#question(query);
    const tokens = this.#fitting(this.#table_tokens(table), table, question, options);
    const question_ids = this.convert_tokens_to_ids(question) as number[];
    const table_ids = this.convert_tokens_to_ids(tokens.map(({ token }) => token)) as number[];
    const input_ids = add_special_tokens
      ? this.build_inputs_with_special_tokens(question_ids, table_ids)
      : [...question_ids, ...table_ids];
    if (max_length !== null && input_ids.length > max_length)
      throw new RangeError(
        "Could not encode the query and table header given the maximum length. Encoding the query and table header" +
          ` results in a length of ${input_ids.length} which is higher than the max_length of ${max_length}`,
      );
    if (max_length === null) this.warn_if_too_long(input_ids.length, null, options.verbose ?? true);
    const before = new Array<number>(question.length + 2).fill(0);
    const places = [...before.map(() => ({ column: 0, row: 0 })), ...tokens];
    const values = table.names.map((_, column) => column_values(table.rows.map((row) => row[column]!)));
    // The text of a question that was skipped is empty.
    const asked = numeric_values(normalize_for_match(question.length ? query : ""));
    const per_cell = cells_of(places);
    const data: Record<string, unknown[]> = { input_ids };
    if (options.return_attention_mask ?? this.model_input_names.includes("attention_mask"))
      data["attention_mask"] = places.map(() => 1);
    if (answers) {
      data["labels"] = marked(places, answers);
      data["numeric_values"] = places.map(({ column, row }) => {
        const value = row > 0 ? values[column - 1]?.[row - 1] : undefined;
        return typeof value === "number" ? value : Number.NaN;
      });
      data["numeric_values_scale"] = places.map(({ column, row }) => (row > 0 ? per_cell.get(`${column} ${row}`)! : 1));
    }
    if (options.return_token_type_ids ?? this.model_input_names.includes("token_type_ids")) {
      const previous_labels = previous ? marked(places, previous) : places.map(() => 0);
      const ranks = values.map(ranks_of);
      const relations = values.map((column) => relations_of(asked, column));
      data["token_type_ids"] = places.map(({ column, row }, i) => {
        const of_cell = (numbers: readonly (readonly number[])[]) => (row > 0 ? numbers[column - 1]![row - 1]! : 0);
        const inverse = ranks.map(([, inverse_ranks]) => inverse_ranks);
        const segment = i < before.length ? 0 : 1;
        return [
          segment,
          column,
          row,
          previous_labels[i],
          of_cell(ranks.map(([rank]) => rank)),
          of_cell(inverse),
          of_cell(relations),
        ];
      });
    }
    if (options.return_special_tokens_mask)
      data["special_tokens_mask"] = add_special_tokens
        ? this.get_special_tokens_mask(question_ids, { token_ids_1: table_ids })
        : input_ids.map(() => 0);
    return data;
  }

  /**
   * Cells, as [row, column], whose tokens are chosen with more than `cell_classification_threshold` on average, for each
   * row of logits; with `logits_agg` also the number of the best aggregation: `[coordinates, aggregations]`.
   */
  convert_logits_to_predictions(
    data: Readonly<Record<string, unknown>>,
    logits: unknown,
    logits_agg: unknown = null,
    cell_classification_threshold = 0.5,
  ): [Coordinates[][]] | [Coordinates[][], number[]] {
    const types = to_lists(data["token_type_ids"]) as number[][][];
    const mask = to_lists(data["attention_mask"]) as number[][];
    const rows = to_lists(logits) as number[][];
    const coordinates: Coordinates[][] = [];
    rows.forEach((row, i) => {
      const cells = new Map<string, { place: Coordinates; probabilities: number[] }>();
      types[i]!.forEach(([segment, column, table_row], k) => {
        if (segment !== 1 || column! < 1 || table_row! < 1) return;
        const place: Coordinates = [table_row! - 1, column! - 1];
        const cell = cells.get(String(place)) ?? { place, probabilities: [] };
        cell.probabilities.push(mask[i]![k]! / (1 + Math.exp(-Math.max(row[k]!, -88.7))));
        cells.set(String(place), cell);
      });
      // A row without a table has no answer of its own, not even an empty one.
      if (types[i]!.every(([, column, table_row]) => column === 0 && table_row === 0)) return;
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const chosen = [...cells.values()].filter(
        ({ probabilities }) => mean(probabilities) > cell_classification_threshold,
      );
      coordinates.push(chosen.map(({ place }) => place).sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    });
    if (logits_agg === null) return [coordinates];
    return [coordinates, (to_lists(logits_agg) as number[][]).map((row) => row.indexOf(Math.max(...row)))];
  }
}

const is_texts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === "string");

/** `(queries, options)` and `(options)`. */
function arguments_of_table(rest: unknown[]): [unknown, TapasOptions] {
  const [first, second] = rest;
  if (typeof first === "string" || Array.isArray(first)) return [first, (second ?? {}) as TapasOptions];
  const options = (first ?? second ?? {}) as TapasOptions;
  if (typeof options !== "object") throw expected("a question, a list of them or options", "queries", options);
  return [options.queries ?? options.query ?? null, options];
}

function check(options: TapasOptions): void {
  if ("is_split_into_words" in options)
    throw new TransformersError("Currently TapasTokenizer only supports questions as strings.", "not_supported");
  for (const key of Object.keys(options))
    if (!OPTIONS.has(key)) throw expected(`one of ${[...OPTIONS].join(", ")}`, "an option of TapasTokenizer", key);
  const { answer_coordinates, answer_text, max_length, return_token_type_ids, add_special_tokens } = options;
  if (Boolean(answer_coordinates) !== Boolean(answer_text))
    throw new TypeError("In case you provide answers, both answer_coordinates and answer_text should be provided");
  if (max_length !== undefined && max_length !== null && !(Number.isInteger(max_length) && max_length >= 0))
    throw out_of_range("a whole number from 0", "max_length", max_length);
  if ((return_token_type_ids ?? null) !== null && add_special_tokens === false)
    throw new TypeError(
      "Asking to return token_type_ids while setting add_special_tokens to False results in an undefined behavior." +
        " Please set add_special_tokens to True or set return_token_type_ids to None.",
    );
}

interface Place {
  column: number;
  row: number;
}

/** How many tokens each cell has. */
function cells_of(places: readonly Place[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { column, row } of places) counts.set(`${column} ${row}`, (counts.get(`${column} ${row}`) ?? 0) + 1);
  return counts;
}

/** 1 for the tokens of these cells. */
function marked(places: readonly Place[], answers: readonly Coordinates[]): number[] {
  const wanted = new Set(answers.map(([row, column]) => `${column + 1} ${row + 1}`));
  const found = cells_of(places);
  if ([...wanted].some((cell) => !found.has(cell))) throw new RangeError("Couldn't find all answers");
  return places.map(({ column, row }) => Number(wanted.has(`${column} ${row}`)));
}

/** For each cell of a column the place of its value among the others, from 1, and from the end; 0 without one. */
function ranks_of(column: readonly (NumericValue | undefined)[]): [ranks: number[], inverse: number[]] {
  const values = column.filter((value) => value !== undefined);
  const key = values.length ? sort_key(values) : undefined;
  if (!key) return [column.map(() => 0), column.map(() => 0)];
  const keys = new Map(values.map((value) => [String(key(value)), key(value)]));
  const sorted = [...keys.values()].sort(compare_keys).map(String);
  const ranks = column.map((value) => (value === undefined ? 0 : sorted.indexOf(String(key(value))) + 1));
  return [ranks, ranks.map((rank) => (rank ? sorted.length + 1 - rank : 0))];
}

/** For each cell of a column which of the question's values are the same (1), less (2) or more (4), added up. */
function relations_of(asked: readonly NumericValue[], column: readonly (NumericValue | undefined)[]): number[] {
  const values = column.filter((value) => value !== undefined);
  const relations = column.map(() => 0);
  if (values.length === 0) return relations;
  for (const value of asked) {
    const key = sort_key([...values, value]);
    if (!key) continue;
    column.forEach((cell, row) => {
      if (cell === undefined) return;
      const order = compare_keys(key(value), key(cell));
      relations[row]! |= order === 0 ? 1 : order < 0 ? 2 : 4;
    });
  }
  return relations;
}

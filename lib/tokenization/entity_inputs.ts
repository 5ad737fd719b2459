// Texts with entities, as LUKE and mLUKE take them: ids of the words and, beside them, of the entities.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/luke/tokenization_luke.py
import { inspect } from "node:util";
import { expected, TransformersError, warn_once } from "../errors.js";
import { AddedToken } from "./added_token.js";
import type { CallOptions } from "./base.js";
import { BatchEncoding } from "./batch_encoding.js";
import { check_options, type EncodeOptions, type PadOptions, type Strategies, strategies } from "./options.js";
import { pad } from "./pad.js";
import { type Beside, prepare_for_model } from "./prepare.js";
import type { TokenizerWithEnds } from "./slow_ends.js";
import { read_vocab_file } from "./slow_parts.js";
import { to_lists } from "./tensors.js";

type Keywords = Record<string, unknown>;
/** Characters from `start` to before `end`: UTF-16 units, with `offsets_unit: "code_point"` code points as in Python. */
export type EntitySpan = readonly [start: number, end: number];

export interface EntityOptions extends CallOptions {
  /** Where the entities stand in the text. Of a batch, lists of them. */
  entity_spans?: readonly EntitySpan[] | readonly (readonly EntitySpan[])[] | null;
  entity_spans_pair?: readonly EntitySpan[] | readonly (readonly EntitySpan[])[] | null;
  /** Their names; without, `[MASK]` for each. */
  entities?: readonly string[] | readonly (readonly string[])[] | null;
  entities_pair?: readonly string[] | readonly (readonly string[])[] | null;
  /** Default: the tokenizer's. */
  max_entity_length?: number | null;
}
export interface EntityPadOptions extends PadOptions {
  max_entity_length?: number | null;
}

export const ENTITY_KEYWORDS = {
  task: null,
  max_entity_length: 32,
  max_mention_length: 30,
  entity_token_1: "<ent>",
  entity_token_2: "<ent2>",
  entity_unk_token: "[UNK]",
  entity_pad_token: "[PAD]",
  entity_mask_token: "[MASK]",
  entity_mask2_token: "[MASK2]",
};
const TASKS = ["entity_classification", "entity_pair_classification", "entity_span_classification"];

/** The keywords with the tokens for entities among the special ones: twice if they were given, as in Python. */
export function with_entity_tokens(kwargs: Keywords): Keywords {
  const made = ["entity_token_1", "entity_token_2"].map((name) =>
    typeof kwargs[name] === "string" ? new AddedToken(kwargs[name]) : kwargs[name],
  );
  const given = (kwargs["additional_special_tokens"] ?? []) as unknown[];
  return { ...kwargs, additional_special_tokens: [...given, ...made] };
}

/** One text: ids, and the entities with the tokens that they cover. */
interface Row {
  ids: number[];
  entities: number[] | null;
  spans: [number, number][] | null;
}
interface Given {
  text: string;
  pair: string | null;
  spans: unknown;
  pair_spans: unknown;
  entities: unknown;
  pair_entities: unknown;
}

const is_list = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const is_text = (value: unknown) => typeof value === "string";
const is_span = (value: unknown): value is EntitySpan =>
  is_list(value) && value.length === 2 && value.every((place) => Number.isInteger(place) && (place as number) >= 0);

export class EntityInputs {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly task: string | null;
  readonly max_entity_length: number;
  readonly max_mention_length: number;
  readonly unk_token_id: number;
  readonly pad_token_id: number;
  readonly mask_token_id: number;
  readonly mask2_token_id: number;
  /** Whether special tokens in the texts of this call are text. */
  #split = false;

  constructor(
    readonly tokenizer: TokenizerWithEnds,
    entity_vocab_file: unknown,
    kwargs: Keywords,
  ) {
    this.vocabulary = read_vocab_file(entity_vocab_file, "entity_vocab_file") as Record<string, number>;
    const id_of = (role: string) => {
      const token = String(kwargs[role]);
      if (Object.hasOwn(this.vocabulary, token)) return this.vocabulary[token]!;
      throw new TransformersError(
        `Specified entity special token \`\`${token}\`\` is not found in entity_vocab. Probably an incorrect entity` +
          ` vocab file is loaded: ${String(entity_vocab_file)}.`,
        "tokenizer_invalid",
      );
    };
    this.unk_token_id = id_of("entity_unk_token");
    this.pad_token_id = id_of("entity_pad_token");
    this.mask_token_id = id_of("entity_mask_token");
    this.mask2_token_id = id_of("entity_mask2_token");
    this.task = kwargs["task"] as string | null;
    if (this.task !== null && !TASKS.includes(this.task))
      throw new TypeError(`Task ${this.task} not supported. Select task from ['${TASKS.join("', '")}'] only.`);
    const counts: Record<string, number> = { entity_classification: 1, entity_pair_classification: 2 };
    this.max_entity_length = counts[this.task ?? ""] ?? (kwargs["max_entity_length"] as number);
    this.max_mention_length = kwargs["max_mention_length"] as number;
  }

  call(text: unknown, pair: unknown, options: EntityOptions): BatchEncoding {
    if (!is_text(text) && !(is_list(text) && text.every(is_text)))
      throw new TypeError(
        `text input must be of type \`str\` (single example) or \`list[str]\` (batch). ${received(text)}`,
      );
    if (pair !== null && pair !== undefined && !is_text(pair) && !(is_list(pair) && pair.every(is_text)))
      throw new TypeError(
        `text_pair input must be of type \`str\` (single example) or \`list[str]\` (batch). ${received(pair)}`,
      );
    if (is_text(text)) return this.encode_plus(text as string, (pair ?? null) as string | null, options);
    return this.batch_encode_plus(text as string[], (pair ?? null) as string[] | null, options);
  }

  encode_plus(text: string, pair: string | null, options: EntityOptions): BatchEncoding {
    const { entity_spans: spans, entity_spans_pair: pair_spans, entities, entities_pair: pair_entities } = options;
    const given = { text, pair, spans, pair_spans, entities, pair_entities };
    const plan = strategies(call_options(options), this.tokenizer);
    const { data } = this.#prepared(given, { ...options, ...alone(plan), return_length: false });
    const with_mask = options.return_attention_mask ?? this.tokenizer.model_input_names.includes("attention_mask");
    const sizes = {
      padding: plan.padding,
      max_length: plan.max_length,
      pad_to_multiple_of: options.pad_to_multiple_of ?? null,
      padding_side: options.padding_side ?? null,
      max_entity_length: options.max_entity_length || null,
    };
    const needs = plan.padding !== "do_not_pad" || with_mask;
    const padded = needs ? this.pad(data, { ...sizes, return_attention_mask: with_mask }).data : data;
    if (options.return_length) padded["length"] = (padded["input_ids"] as number[]).length;
    const tensor_type = options.return_tensors ?? options.return_tensor;
    return new BatchEncoding(padded, null, { tensor_type, prepend_batch_axis: true });
  }

  batch_encode_plus(texts: readonly string[], pairs: readonly string[] | null, options: EntityOptions): BatchEncoding {
    const { padding, max_length, pad_to_multiple_of, padding_side, return_attention_mask, return_tensors } = options;
    const plan = strategies(call_options(options), this.tokenizer);
    const of = (value: unknown, i: number, argument: string) => {
      if (value === undefined || value === null) return undefined;
      if (is_list(value) && value.length === texts.length) return value[i];
      throw expected(`a list for each of the ${texts.length} texts`, argument, value);
    };
    const rows = texts.map((text, i) => {
      const given: Given = {
        text,
        pair: (of(pairs, i, "text_pair") ?? null) as string | null,
        spans: of(options.entity_spans, i, "entity_spans"),
        pair_spans: of(options.entity_spans_pair, i, "entity_spans_pair"),
        entities: of(options.entities, i, "entities"),
        pair_entities: of(options.entities_pair, i, "entities_pair"),
      };
      return this.#prepared(given, { ...options, ...alone(plan) }).data;
    });
    return this.pad(rows, {
      padding: padding ?? false,
      max_length: plan.max_length ?? max_length ?? null,
      pad_to_multiple_of: pad_to_multiple_of ?? null,
      padding_side: padding_side ?? null,
      return_attention_mask: return_attention_mask ?? null,
      return_tensors: return_tensors ?? (options.return_tensor ? "pt" : null),
    });
  }

  #prepared(given: Given, options: EntityOptions): BatchEncoding {
    const call = call_options(options);
    if (call.return_offsets_mapping)
      throw new TransformersError(
        "return_offset_mapping is not available when using Python tokenizers. To use this feature, change your" +
          " tokenizer to one deriving from transformers.PreTrainedTokenizerFast.",
        "not_supported",
      );
    if (call.is_split_into_words)
      throw new TransformersError("is_split_into_words is not supported in this tokenizer.", "not_supported");
    const by_code_points = call.offsets_unit === "code_point";
    const { offsets_unit: _unit, split_special_tokens, is_split_into_words: _words, ...rest } = call;
    this.#split = split_special_tokens ?? this.tokenizer.split_special_tokens;
    const first = this.#row(given.text, given.spans, given.entities, by_code_points, true);
    const second =
      given.pair === null ? null : this.#row(given.pair, given.pair_spans, given.pair_entities, by_code_points, false);
    const beside = this.#beside(first, second, options);
    return prepare_for_model(this.tokenizer, first.ids, second?.ids ?? null, rest, beside);
  }

  /** A text's ids, cut where entities begin and end so that they cover whole tokens. */
  #row(text: string, spans: unknown, names: unknown, by_code_points: boolean, is_first: boolean): Row {
    const needs = is_first && this.task !== null;
    if (!needs && (spans === undefined || spans === null)) return { ids: this.#ids(text), entities: null, spans: null };
    if (!is_list(spans) || !spans.every(is_span))
      throw expected("a list of [start, end]: where entities stand in the text", "entity_spans", spans);
    const places = (by_code_points ? spans.map((span) => utf16_span(text, span)) : spans) as EntitySpan[];
    const [ids, found] = this.#cut(text, places);
    const row: Row = { ids, entities: found.map(() => this.mask_token_id), spans: found };
    if (needs) return this.#marked(row);
    if (names === undefined || names === null) return row;
    if (!is_list(names) || !names.every(is_text)) throw expected("a list of the entities' names", "entities", names);
    if (names.length !== spans.length)
      throw new RangeError("If you specify entities, entities and entity_spans must be the same length");
    return {
      ...row,
      entities: (names as string[]).map((name) =>
        Object.hasOwn(this.vocabulary, name) ? this.vocabulary[name]! : this.unk_token_id,
      ),
    };
  }

  #ids(text: string): number[] {
    const tokens = this.tokenizer.tokenize(text, { split_special_tokens: this.#split });
    return this.tokenizer.convert_tokens_to_ids(tokens) as number[];
  }

  #cut(text: string, spans: readonly EntitySpan[]): [number[], [number, number][]] {
    const ids: number[] = [];
    const tokens = new Map<number, number>();
    let done = 0;
    for (const place of [...new Set(spans.flat())].sort((a, b) => a - b)) {
      // A space belongs to the token behind it.
      const at = place > 0 && text[place - 1] === " " ? place - 1 : place;
      if (done !== at) ids.push(...this.#ids(text.slice(done, at)));
      done = at;
      tokens.set(place, ids.length);
    }
    ids.push(...this.#ids(text.slice(done)));
    return [ids, spans.map(([start, end]) => [tokens.get(start)!, tokens.get(end)!])];
  }

  /** What a task needs: signs around its one or two entities. */
  #marked({ ids, entities, spans }: Row): Row {
    if (this.task === "entity_span_classification") {
      if (spans!.length === 0) throw expected("at least one [start, end]", "entity_spans", spans);
      return { ids, entities, spans };
    }
    const count = this.max_entity_length;
    if (spans!.length !== count) throw expected(`${count} × [start, end]`, "entity_spans", spans);
    const signs = this.tokenizer.additional_special_tokens_ids as number[];
    const order = spans!.map((_, i) => i);
    // The one that stands later first, so that places before it stay.
    if (count === 2 && spans![0]![0] < spans![1]![0]) order.reverse();
    const row = [...ids];
    for (const i of order) {
      const [start, end] = spans![i]!;
      row.splice(end, 0, signs[i]!);
      row.splice(start, 0, signs[i]!);
    }
    const earlier = order.at(-1)!;
    const marked = spans!.map(([start, end], i): [number, number] =>
      i === earlier ? [start, end + 2] : [start + 2, end + 4],
    );
    const masks = [this.mask_token_id, this.mask2_token_id];
    return { ids: row, entities: marked.map((_, i) => masks[i]!), spans: marked };
  }

  /** The fields of the entities that truncation left whole. */
  #beside(first: Row, second: Row | null, options: EntityOptions): Beside {
    return (ids, pair_ids, { truncation }) => {
      if (!first.entities) return {};
      const whole = (row: Row, kept: readonly number[]) =>
        row.spans!.flatMap((span, i) => (span[1] <= kept.length ? [{ span, id: row.entities![i]! }] : []));
      let entities = whole(first, ids);
      let pair_entities = second?.entities ? whole(second, pair_ids!) : null;
      const total = entities.length + (pair_entities?.length ?? 0);
      const lost = first.entities.length + (second?.entities?.length ?? 0) - total;
      if (lost > 0)
        warn_once(
          `${lost} entities are ignored because their entity spans are invalid due to the truncation of input tokens`,
        );
      const most = options.max_entity_length || this.max_entity_length;
      let overflowing: number[] = [];
      if (truncation !== "do_not_truncate" && total > most) {
        const [kept, kept_pair, over] = this.tokenizer.truncate_sequences(
          entities.map(({ id }) => id),
          pair_entities?.map(({ id }) => id) ?? null,
          { num_tokens_to_remove: total - most, truncation_strategy: truncation, stride: options.stride ?? 0 },
        );
        entities = kept.map((id, i) => ({ id, span: entities[i]!.span }));
        pair_entities = kept_pair?.map((id, i) => ({ id, span: pair_entities![i]!.span })) ?? null;
        overflowing = over;
      }
      const special = options.add_special_tokens ?? true;
      const moved = (found: typeof entities, offset: number) =>
        found.map(({ span: [start, end] }) => [start + offset, end + offset] as const);
      const spans = [
        ...moved(entities, special ? 1 : 0),
        ...moved(pair_entities ?? [], special ? ids.length + 3 : ids.length),
      ];
      const all = [...entities, ...(pair_entities ?? [])].map(({ id }) => id);
      const with_types = options.return_token_type_ids ?? this.tokenizer.model_input_names.includes("token_type_ids");
      return {
        ...(options.return_overflowing_tokens && {
          overflowing_entities: overflowing,
          num_truncated_entities: total - most,
        }),
        entity_ids: all,
        entity_position_ids: spans.map(([start, end]) => this.#positions(start, end)),
        ...(this.task === "entity_span_classification" && {
          entity_start_positions: spans.map(([start]) => start),
          entity_end_positions: spans.map(([, end]) => end - 1),
        }),
        ...(with_types && { entity_token_type_ids: all.map(() => 0) }),
      };
    };
  }

  #positions(start: number, end: number): number[] {
    return Array.from({ length: this.max_mention_length }, (_, i) => (start + i < end ? start + i : -1));
  }

  /** Pads words and entities, each to their own length. */
  pad(inputs: Keywords | readonly Keywords[], options: EntityPadOptions = {}): BatchEncoding {
    const { max_entity_length, ...words } = options;
    const given: Keywords = is_list(inputs)
      ? Object.fromEntries(
          Object.keys((inputs[0] ?? {}) as object).map((key) => [key, inputs.map((row) => (row as Keywords)[key])]),
        )
      : { ...(inputs as Keywords) };
    const padded = (fields: Keywords) => pad(this.tokenizer, fields, words);
    if (given["entity_ids"] === undefined) return padded(given);
    const is_entity = (key: string) => key.startsWith("entity_");
    const only = (wanted: boolean) =>
      Object.fromEntries(Object.entries(given).filter(([key]) => is_entity(key) === wanted));
    const tensor_type = words.return_tensors ?? (words.return_tensor ? "pt" : null);
    const { data } = pad(this.tokenizer, only(false), { ...words, return_tensors: null, return_tensor: false });
    const single = !is_list(to_lists((given["input_ids"] as unknown[])[0]));
    const most = max_entity_length ?? this.max_entity_length;
    const entities = this.#padded_entities(only(true), single, words, most);
    return new BatchEncoding({ ...data, ...entities }, null, { tensor_type });
  }

  #padded_entities(given: Keywords, single: boolean, options: PadOptions, most: number): Keywords {
    const fields = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, to_lists(value)])) as Record<
      string,
      unknown[]
    >;
    const ids = fields["entity_ids"]!;
    const rows = single
      ? [fields]
      : ids.map((_, i) =>
          Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value[i] as unknown[]])),
        );
    const { padding } = strategies({ ...options, padding: options.padding ?? true, truncation: false }, this.tokenizer);
    const lengths = rows.map((row) => row["entity_ids"]!.length);
    const multiple = options.pad_to_multiple_of ?? 1;
    const length = Math.ceil((padding === "longest" ? Math.max(...lengths) : most) / multiple) * multiple;
    const side = options.padding_side ?? this.tokenizer.padding_side;
    const with_mask = options.return_attention_mask ?? this.tokenizer.model_input_names.includes("attention_mask");
    const fill: Record<string, unknown> = {
      entity_ids: this.pad_token_id,
      entity_position_ids: new Array(this.max_mention_length).fill(-1),
      entity_start_positions: 0,
      entity_end_positions: 0,
      entity_token_type_ids: 0,
      entity_attention_mask: 0,
    };
    const done = rows.map((row) => {
      const needs_mask = with_mask && !row["entity_attention_mask"];
      const mask: Record<string, unknown[]> = needs_mask
        ? { entity_attention_mask: row["entity_ids"]!.map(() => 1) }
        : {};
      const missing = padding === "do_not_pad" ? 0 : Math.max(0, length - row["entity_ids"]!.length);
      return Object.fromEntries(
        Object.entries<unknown[]>({ ...row, ...mask }).map(([key, value]) => {
          const filling = new Array<unknown>(missing).fill(fill[key]);
          return [key, side === "left" ? [...filling, ...value] : [...value, ...filling]];
        }),
      );
    });
    if (single) return done[0]!;
    return Object.fromEntries(Object.keys(done[0] ?? {}).map((key) => [key, done.map((row) => row[key])]));
  }
}

/** As a row of its own goes through: padding and tensors come later. */
const alone = ({ truncation, max_length }: Strategies) => ({
  truncation,
  max_length,
  padding: false,
  return_attention_mask: false,
  pad_to_multiple_of: null,
  return_tensors: null,
  return_tensor: false,
});
const received = (value: unknown) => `Received ${inspect(value, { depth: 1, maxArrayLength: 3 })}`;

function utf16_span(text: string, [start, end]: EntitySpan): EntitySpan {
  const characters = Array.from(text);
  const place = (n: number) => characters.slice(0, n).join("").length;
  return [place(start), place(end)];
}

/** The options that other tokenizers have too. */
function call_options(options: EntityOptions): EncodeOptions {
  const { entity_spans: _s, entity_spans_pair: _sp, entities: _e, entities_pair: _ep, ...rest } = options;
  const { max_entity_length: _m, text_pair: _p, text_target: _t, text_pair_target: _pt, ...call } = rest;
  check_options(call, ["entity_spans", "entity_spans_pair", "entities", "entities_pair", "max_entity_length"]);
  return call;
}

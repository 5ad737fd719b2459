// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/tokenization_whisper_fast.py
import { TransformersError } from "../errors.js";
import { AddedToken } from "./added_token.js";
import type { DecodeOptions, Ids, MaskOptions } from "./base.js";
import { english_normalize } from "./english_normalizer.js";
import { GPT2Family } from "./families.js";
import type { TokenizerKeywords } from "./fast.js";
import { strip } from "./python_text.js";
import { read_vocab_file } from "./slow_parts.js";
import { template } from "./template.js";
import { to_lists } from "./tensors.js";
import { type AsrChunk, type AsrOptions, type AsrOutput, decode_asr } from "./whisper_asr.js";
import { basic_normalize } from "./whisper_normalizer.js";
import { prompt_ids, type WhisperPrompt } from "./whisper_prompt.js";

export interface WhisperDecodeOptions extends DecodeOptions {
  /** Also the texts between timestamps, with the seconds at which they begin and end. */
  output_offsets?: boolean;
  /** The seconds that one timestamp token stands for. Default: 0.02. */
  time_precision?: number;
  /** Timestamps stay in the text, such as `<|1.08|>`. */
  decode_with_timestamps?: boolean;
  /** English in one spelling: see `normalize`. */
  normalize?: boolean;
  /** Without case, punctuation and what is in brackets. */
  basic_normalize?: boolean;
  /** With `basic_normalize`: marks of letters go too. */
  remove_diacritics?: boolean;
}

export interface WhisperOffset {
  text: string;
  timestamp: [start: number, end: number];
}
export interface WhisperText {
  text: string;
  offsets: WhisperOffset[];
}

function read_spellings(path: string): Record<string, string> {
  const spellings = read_vocab_file(path, "normalizer_file");
  const wrong = Object.entries(spellings).find(([, text]) => typeof text !== "string");
  if (wrong)
    throw new TransformersError(`${path}: the spelling of "${wrong[0]}" must be a string`, "tokenizer_invalid");
  return spellings as Record<string, string>;
}

/** The frames of a segment of 30 seconds. */
const SEGMENT = 1500;
const TIMESTAMP = /<\|(\d+\.\d+)\|>/g;

/** Whisper's: the language, the task and whether there are timestamps are told by tokens before the text. */
export class WhisperTokenizerFast extends GPT2Family {
  static override readonly vocab_files_names: Readonly<Record<string, string>> = {
    ...GPT2Family.vocab_files_names,
    normalizer_file: "normalizer.json",
  };
  static override readonly keywords = {
    unk_token: "<|endoftext|>",
    bos_token: "<|endoftext|>",
    eos_token: "<|endoftext|>",
    add_prefix_space: false,
    language: null,
    task: null,
    predict_timestamps: false,
  };

  language: string | null;
  task: string | null;
  predict_timestamps: boolean;
  /** British spellings and the American ones, from the checkpoint's normalizer.json. */
  readonly english_spelling_normalizer: Readonly<Record<string, string>> | null;

  constructor(keywords: TokenizerKeywords = {}) {
    const special: Record<string, AddedToken> = {};
    for (const role of ["bos_token", "eos_token", "unk_token"] as const) {
      const token = keywords[role] ?? WhisperTokenizerFast.keywords[role];
      if (typeof token === "string") special[role] = new AddedToken(token, { special: true, normalized: false });
    }
    super({ ...keywords, ...special });
    const { language, task, predict_timestamps } = this.init_kwargs as unknown as WhisperPrompt;
    const { normalizer_file } = this.init_kwargs;
    this.english_spelling_normalizer = typeof normalizer_file === "string" ? read_spellings(normalizer_file) : null;
    this.language = language;
    this.task = task;
    this.predict_timestamps = predict_timestamps;
    // As in Python, a saved tokenizer has them in its post-processor alone.
    for (const name of ["language", "task", "predict_timestamps"]) delete this.init_kwargs[name];
  }

  /** The ids before a text. */
  get prefix_tokens(): number[] {
    return prompt_ids(this, (token) => this.convert_tokens_to_ids(token)!);
  }

  /** Changes what the tokens before a text say; what is not given stays. */
  set_prefix_tokens(prompt: Partial<WhisperPrompt> = {}): void {
    const before: WhisperPrompt = {
      language: this.language,
      task: this.task,
      predict_timestamps: this.predict_timestamps,
    };
    const given = Object.entries(prompt).filter(([, value]) => value !== undefined && value !== null);
    const next: WhisperPrompt = { ...before, ...Object.fromEntries(given) };
    const ids = prompt_ids(next, (token) => this.convert_tokens_to_ids(token)!);
    this.language = next.language?.toLowerCase() ?? null;
    this.task = next.task;
    this.predict_timestamps = next.predict_timestamps;
    const prefix = this.convert_ids_to_tokens(ids).map((token) => `${token}:0`);
    const eos = this.eos_token!;
    const single = [...prefix, "$A:0", `${eos}:0`].join(" ");
    const pair = [...prefix, "$A:0", "$B:1", `${eos}:1`].join(" ");
    this.set_component(
      "post_processor",
      template(single, pair, (token) => this.convert_tokens_to_ids(token)!),
    );
  }

  /** `[position, id]` of the tokens that a generation must begin with, behind the first one. */
  get_decoder_prompt_ids(
    options: { task?: string | null; language?: string | null; no_timestamps?: boolean } = {},
  ): [number, number][] {
    const { task = null, language = null, no_timestamps = true } = options;
    this.set_prefix_tokens({ task, language, predict_timestamps: !no_timestamps });
    return this.prefix_tokens.slice(1).map((id, i) => [i + 1, id]);
  }

  /** The ids of a text that came before, for `prompt_ids` of a generation. */
  get_prompt_ids(text: string): number[] {
    const ids: number[] = this.encode("<|startofprev|>", ` ${strip(text)}`, { add_special_tokens: false });
    const first_special = Math.min(...this.all_special_ids);
    const special = ids.slice(1).find((id) => id >= first_special);
    if (special === undefined) return ids;
    const token = this.convert_ids_to_tokens(special);
    throw new RangeError(`Encountered text in the prompt corresponding to disallowed special token: ${token}.`);
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    return [...this.prefix_tokens, ...ids, ...pair, this.eos_token_id!];
  }

  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (options.already_has_special_tokens) return super.get_special_tokens_mask(ids, options);
    const texts = [...ids, ...(options.token_ids_1 ?? [])].map(() => 0);
    return [...this.prefix_tokens.map(() => 1), ...texts, 1];
  }

  /** An English text in one spelling; `normalizer.json` of the checkpoint says how words are written. */
  normalize(text: string): string {
    if (this.english_spelling_normalizer) return english_normalize(text, this.english_spelling_normalizer);
    throw new TransformersError("normalize() needs the checkpoint's normalizer.json", "not_supported");
  }
  /** A text of any language without case, punctuation and what is in brackets. */
  basic_normalize(text: string, options: { remove_diacritics?: boolean } = {}): string {
    return basic_normalize(text, options.remove_diacritics ?? false);
  }

  /** The ids of the timestamps from 0 to 30 seconds. */
  timestamp_ids(time_precision = 0.02): (number | null)[] {
    const names = Array.from({ length: SEGMENT + 1 }, (_, i) => `<|${(i * time_precision).toFixed(2)}|>`);
    return this.convert_tokens_to_ids(names);
  }

  override decode(token_ids: Ids, options: WhisperDecodeOptions & { output_offsets: true }): WhisperText;
  override decode(token_ids: Ids, options?: WhisperDecodeOptions): string;
  override decode(token_ids: Ids, options: WhisperDecodeOptions = {}): unknown {
    const { output_offsets, decode_with_timestamps, time_precision = 0.02, skip_special_tokens = false } = options;
    const list = to_lists(token_ids);
    const all = (Array.isArray(list) ? list : [list]) as number[];
    const ids = skip_special_tokens ? this._without_prompt(all) : all;
    const text = decode_with_timestamps
      ? this.#with_timestamps(ids, time_precision, skip_special_tokens)
      : this.#plain(ids, options);
    return output_offsets ? { text, offsets: this.#offsets(all, time_precision) } : text;
  }

  #plain(ids: readonly number[], options: WhisperDecodeOptions): string {
    const { normalize, basic_normalize: is_basic, remove_diacritics = false } = options;
    const text = super.decode(ids, options);
    const clean = normalize ? this.normalize(text) : is_basic ? basic_normalize(text, remove_diacritics) : text;
    return clean.replace(TIMESTAMP, "");
  }

  /** Python's `_decode_asr`, for the pipeline: the text of a recording's windows, with times or languages if asked for. */
  _decode_asr(
    model_outputs: Iterable<AsrOutput>,
    options: AsrOptions,
  ): [text: string, optional: { chunks?: AsrChunk[] }] {
    return decode_asr(this, model_outputs, options);
  }

  /** What came before the transcript goes. */
  _without_prompt(ids: readonly number[]): readonly number[] {
    if (ids[0] !== this.convert_tokens_to_ids("<|startofprev|>")) return ids;
    const start = ids.indexOf(this.convert_tokens_to_ids("<|startoftranscript|>")!);
    return start < 0 ? [] : ids.slice(start);
  }

  get #timestamp_begin(): number {
    return this.all_special_ids.at(-1)! + 1;
  }

  /** Timestamps count on over segments: one that goes back starts the next. */
  #with_timestamps(ids: readonly number[], precision: number, skip_special_tokens: boolean): string {
    const begin = this.#timestamp_begin;
    const parts: (string | number[])[] = [[]];
    let [latest, before, penultimate] = [0, 0, 0];
    ids.forEach((id, i) => {
      if (id < begin) {
        (parts.at(-1) as number[]).push(id);
        return;
      }
      const time = (id - begin) * precision;
      if (time < latest) {
        const is_single_end = i >= 2 && !(ids[i - 1]! >= begin && ids[i - 2]! >= begin);
        if (is_single_end) before += precision * SEGMENT;
        else {
          latest = penultimate;
          before += penultimate;
          parts.splice(-2);
        }
      }
      penultimate = latest;
      latest = time;
      parts.push(`<|${(time + before).toFixed(2)}|>`, []);
    });
    const text_of = (part: number[]) => this.decode(part, { skip_special_tokens });
    return parts.map((part) => (typeof part === "string" ? part : text_of(part))).join("");
  }

  #offsets(ids: readonly number[], precision: number): WhisperOffset[] {
    const begin = this.#timestamp_begin;
    const is_time = (i: number) => ids[i] !== undefined && ids[i]! >= begin;
    const times = ids.map((_, i) => i).filter(is_time);
    const cuts = times.filter((i) => i > 0 && is_time(i - 1));
    if (cuts.length === 0 && times.length <= 1) return [];
    const end = times.at(-1)! + 1;
    if (!cuts.includes(end)) cuts.push(end);
    const offsets: WhisperOffset[] = [];
    let [last, latest, before] = [times[0]!, 0, 0];
    for (const cut of cuts) {
      const slice = ids.slice(last, cut);
      if (slice.length > 1) {
        const [first, final] = [slice[0]! - begin, slice.at(-1)! - begin];
        if (first < latest) {
          const is_single_end = last >= 2 && !(is_time(last - 2) && is_time(last - 1));
          before += is_single_end ? SEGMENT : latest;
        }
        latest = final;
        const text = this._decode([...slice], {}).replace(TIMESTAMP, "");
        offsets.push({
          text,
          timestamp: [first * precision + before * precision, final * precision + before * precision],
        });
      }
      last = cut;
    }
    return offsets;
  }
}

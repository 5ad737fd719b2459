// What the windows of a recording say, joined: text, and chunks with their times.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/tokenization_whisper.py (_decode_asr)
import { warn_once } from "../errors.js";
import { round } from "../python.js";
import type { Ids } from "./base.js";
import { to_lists } from "./tensors.js";
import type { WhisperTokenizerFast } from "./whisper.js";
import { LANGUAGE_NAMES } from "./whisper_prompt.js";
import { words_of_tokens } from "./whisper_words.js";

/** What a model wrote for one window. */
export interface AsrOutput {
  /** One row of ids. */
  tokens: Ids;
  /** Seconds: the window's length, and what of it other windows also have on its left and its right. */
  stride?: readonly [length: number, left: number, right: number];
  /** The second at which each token ends; needed for `return_timestamps: "word"`. */
  token_timestamps?: Ids;
}

export interface AsrOptions {
  /** true: the chunks that the timestamps among the tokens make; "word": one for each word. */
  return_timestamps?: boolean | "word" | null;
  return_language?: boolean | null;
  /** The seconds that one timestamp token stands for. */
  time_precision: number;
  /** The frames of a segment. Default: 1500. */
  segment_size?: number;
}

export interface AsrChunk {
  text: string;
  timestamp?: [start: number | null, end: number | null];
  language?: string | null;
}

type Span = [start: number, end: number];
/** Tokens and, where words are asked for, their times. */
interface Run {
  tokens: number[];
  times: Span[];
}
interface Chunk {
  language: string | null;
  timestamp: [number | null, number | null];
  text: string;
  words: AsrChunk[];
}

const first_row = (value: Ids): number[] => (to_lists(value) as number[][])[0]!;
const halfway = (start: number, stop: number) => Math.floor((start + stop) / 2);

/**
 * Joins runs whose ends overlap: at each place of the second along the first the longest match counts, and half of the
 * overlap comes from either side.
 */
function join_runs([first, ...others]: readonly Run[], is_timed: boolean): Run {
  let left = first!;
  const total: Run = { tokens: [], times: [] };
  for (const right of others) {
    const [m, n] = [left.tokens.length, right.tokens.length];
    let best = 0;
    let [left_mid, right_mid] = [m, 0];
    for (let i = 1; i < m + n; i++) {
      const [left_start, left_stop] = [Math.max(0, m - i), Math.min(m, m + n - i)];
      const [right_start, right_stop] = [Math.max(0, i - m), Math.min(n, i)];
      let matches = 0;
      for (let k = 0; k < left_stop - left_start; k++) {
        const [a, b] = [left_start + k, right_start + k];
        if (left.tokens[a] === right.tokens[b] && (!is_timed || !is_after(left.times[a]!, right.times[b]!))) matches++;
      }
      const share = matches / i + i / 10000;
      if (matches <= 1 || share <= best) continue;
      best = share;
      [left_mid, right_mid] = [halfway(left_start, left_stop), halfway(right_start, right_stop)];
    }
    total.tokens.push(...left.tokens.slice(0, left_mid));
    total.times.push(...left.times.slice(0, left_mid));
    left = { tokens: right.tokens.slice(right_mid), times: right.times.slice(right_mid) };
  }
  return { tokens: [...total.tokens, ...left.tokens], times: [...total.times, ...left.times] };
}

/** Python's order of tuples. */
const is_after = (a: Span, b: Span) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

/** The windows of a recording, taken one after another. */
class Transcript {
  readonly chunks: Chunk[] = [];
  readonly #tokenizer: WhisperTokenizerFast;
  readonly #options: AsrOptions;
  readonly #by_word: boolean;
  readonly #special: ReadonlySet<number>;
  readonly #begin: number;
  #language: string | null = null;
  #chunk = this.#new_chunk();
  /** Runs that are not resolved yet: the beginning of the chunk, in earlier windows. */
  #previous: Run[] = [];
  #current: Run = { tokens: [], times: [] };
  #offset = 0;
  #skip = false;

  constructor(tokenizer: WhisperTokenizerFast, options: AsrOptions) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#by_word = options.return_timestamps === "word";
    this.#special = new Set(tokenizer.all_special_ids);
    this.#begin = tokenizer.convert_tokens_to_ids("<|notimestamps|>")! + 1;
  }

  #new_chunk(): Chunk {
    return { language: this.#language, timestamp: [null, null], text: "", words: [] };
  }

  /** Ends the chunk with all that was said since the last one. */
  #finish(runs: readonly Run[]): void {
    const { return_language } = this.#options;
    const { tokens, times } = join_runs(runs, this.#by_word);
    this.#chunk.text = this.#tokenizer.decode(tokens);
    if (this.#by_word) {
      const words = words_of_tokens(this.#tokenizer, tokens, this.#language);
      this.#chunk.words = words.map(({ text, indices }) => ({
        text,
        timestamp: [times[indices[0]!]![0], times[indices.at(-1)!]![1]],
        ...(return_language && { language: this.#language }),
      }));
    }
    this.chunks.push(this.#chunk);
    this.#previous = [];
    this.#current = { tokens: [], times: [] };
    this.#chunk = this.#new_chunk();
  }

  take({ tokens, stride, token_timestamps }: AsrOutput): void {
    const ids = this.#tokenizer._without_prompt(first_row(tokens));
    const ends = this.#by_word ? first_row(token_timestamps!) : [];
    const { time_precision: precision, segment_size = 1500 } = this.#options;
    const begin = this.#begin;
    let first_timestamp = begin;
    let last_timestamp: number | null = null;
    if (stride) {
      const [length, left, right] = stride;
      this.#offset -= left;
      if (left) first_timestamp = left / precision + begin;
      // Times in what the next window also has are left to it; only the last one always is.
      for (const id of right ? [...ids].reverse() : []) {
        if (id < begin) continue;
        if (last_timestamp !== null && (id - begin) * precision < length - right) break;
        last_timestamp = id;
      }
    }
    this.#current = { tokens: [], times: [] };
    // Times count from 0 again in each segment of a long recording.
    let [latest, before, penultimate] = [0, 0, 0];
    ids.forEach((id, i) => {
      if (this.#special.has(id)) this.#take_special(id);
      else if (id < begin) {
        this.#current.tokens.push(id);
        const at = (second: number) => round(second + this.#offset, 2);
        if (this.#by_word) this.#current.times.push([at(i === 0 ? 0 : ends[i - 1]!), at(ends[i]!)]);
      } else {
        const time = (id - begin) * precision;
        if (time < latest) {
          const is_single_end = i >= 2 && !(ids[i - 1]! >= begin && ids[i - 2]! >= begin);
          if (is_single_end) before += precision * segment_size;
          else {
            latest = penultimate;
            before += penultimate;
          }
        }
        penultimate = latest;
        latest = time;
        const second = round(time + this.#offset + before, 2);
        if (last_timestamp && id >= last_timestamp) this.#skip = true;
        else if (this.#skip || (this.#previous.length && id < first_timestamp)) this.#skip = false;
        else this.#take_time(second);
      }
    });
    if (stride) this.#offset += stride[0] - stride[2];
    if (this.#current.tokens.length) this.#previous.push(this.#current);
    else if (!this.#previous.some((run) => run.tokens.length)) {
      this.#chunk = this.#new_chunk();
      this.#previous = [];
    }
  }

  /** Special tokens say nothing, but for the language. */
  #take_special(id: number): void {
    const language = LANGUAGE_NAMES.get(this.#tokenizer.decode([id]).slice(2, -2));
    if (language === undefined) return;
    if (this.#language && language !== this.#language && !this.#options.return_timestamps)
      this.#finish([...this.#previous, this.#current]);
    this.#chunk.language = language;
    this.#language = language;
  }

  #take_time(second: number): void {
    const { timestamp } = this.#chunk;
    if (timestamp[0] === null) timestamp[0] = second;
    else if (second !== timestamp[0]) {
      timestamp[1] = second;
      this.#finish([...this.#previous, this.#current]);
    }
  }

  end(): void {
    if (!this.#previous.length) return;
    if (this.#options.return_timestamps) {
      warn_once(
        "Whisper did not predict an ending timestamp, which can happen if audio is cut off in the middle of a word. Also" +
          " make sure WhisperTimeStampLogitsProcessor was used during generation.",
      );
    }
    this.#finish(this.#previous);
  }
}

/** Python's `_decode_asr`: the text of all windows, and chunks if times or languages are asked for. */
export function decode_asr(
  tokenizer: WhisperTokenizerFast,
  model_outputs: Iterable<AsrOutput>,
  options: AsrOptions,
): [text: string, optional: { chunks?: AsrChunk[] }] {
  const transcript = new Transcript(tokenizer, options);
  for (const output of model_outputs) transcript.take(output);
  transcript.end();
  const { chunks } = transcript;
  const text = chunks.map((chunk) => chunk.text).join("");
  const { return_timestamps, return_language } = options;
  if (!return_timestamps && !return_language) return [text, {}];
  if (return_timestamps === "word") return [text, { chunks: chunks.flatMap(({ words }) => words) }];
  const listed = chunks.map(({ language, timestamp, text }) => ({
    ...(return_language && { language }),
    ...(return_timestamps && { timestamp }),
    text,
  }));
  return [text, { chunks: listed }];
}

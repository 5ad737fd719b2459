import { clean_up_tokenization } from "./clean_up.js";
import type { PreTrainedTokenizerFast } from "./fast.js";

export interface DecodeStreamOptions {
  skip_special_tokens?: boolean;
  /** Default: the tokenizer's. */
  clean_up_tokenization_spaces?: boolean | null;
}

const BROKEN = "\ufffd";
/** Longest UTF-8 sequence: an unfinished character lies within as many tokens. */
const SEQUENCE = 4;

/**
 * Ids to text as they come. What `push` and `end` return, joined, is `decode` of all ids; no part is ever a broken
 * character. Only the last few tokens are decoded again at each step, so that a step costs the same throughout.
 */
export class DecodeStream {
  readonly #tokenizer: PreTrainedTokenizerFast;
  readonly #skipped: ReadonlySet<number>;
  readonly #byte_fallback: boolean;
  readonly #clean: boolean;
  #window: number[] = [];
  /** How many tokens of the window have given all their text, and how many characters of its text are out. */
  #settled = 0;
  #emitted = 0;
  #uncleaned = "";

  constructor(tokenizer: PreTrainedTokenizerFast, options: DecodeStreamOptions = {}) {
    this.#tokenizer = tokenizer;
    const special = options.skip_special_tokens
      ? tokenizer._tokenizer.added_tokens().filter((token) => token.special)
      : [];
    this.#skipped = new Set(special.map((token) => token.id!));
    this.#byte_fallback = JSON.stringify(tokenizer.component("decoder")).includes('"ByteFallback"');
    this.#clean = options.clean_up_tokenization_spaces ?? tokenizer.clean_up_tokenization_spaces;
  }

  /** Takes one or more ids; returns the text that is certain now, "" if none is. */
  push(ids: number | bigint | Iterable<number | bigint>): string {
    const list = typeof ids === "number" || typeof ids === "bigint" ? [ids] : ids;
    let text = "";
    for (const id of list) text += this.#push(Number(id));
    return this.#clean ? this.#take_clean(text, false) : text;
  }

  /** The rest: what was held back. The stream can be used for a new text then. */
  end(): string {
    const text = this.#decode().slice(this.#emitted);
    this.#window = [];
    this.#settled = this.#emitted = 0;
    return this.#clean ? this.#take_clean(text, true) : text;
  }

  #decode(): string {
    return this.#tokenizer.decode(this.#window, { clean_up_tokenization_spaces: false });
  }

  #push(id: number): string {
    const token = this.#tokenizer.convert_ids_to_tokens(id);
    if (this.#skipped.has(id) || token === null) return "";
    this.#window.push(id);
    // A run of byte tokens is text or, as a whole, not: the next other token tells.
    if (this.#byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token)) return "";
    const text = this.#decode();
    const broken = !this.#byte_fallback && text.endsWith(BROKEN);
    if (text.length <= this.#emitted) return "";
    if (!broken) return this.#emit(text, text.length, this.#settled);
    const pending = this.#window.length - this.#settled;
    // More tokens than a character can take: all but the last sign is settled.
    return pending > 2 * SEQUENCE ? this.#emit(text, text.length - 1, this.#window.length - SEQUENCE) : "";
  }

  /** Gives out the text up to `end` and forgets the first `drop` tokens of the window. */
  #emit(text: string, end: number, drop: number): string {
    const held = text.length - end;
    const out = text.slice(this.#emitted, end);
    this.#window = this.#window.slice(drop);
    this.#settled = held ? 0 : this.#window.length;
    this.#emitted = this.#decode().length - held;
    return out;
  }

  /** Cleans up to where no later text can make an artifact of it: they start at a space and have at most 4 characters. */
  #take_clean(text: string, all: boolean): string {
    this.#uncleaned += text;
    const pending = this.#uncleaned;
    let cut = pending.length;
    if (!all) {
      const tail = pending.slice(-3).indexOf(" ");
      if (tail >= 0) cut = Math.max(0, pending.length - 3) + tail;
      if (pending.slice(0, cut).endsWith(" '")) cut -= 2;
    }
    this.#uncleaned = pending.slice(cut);
    return clean_up_tokenization(pending.slice(0, cut));
  }
}

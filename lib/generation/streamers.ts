// Text as it is generated. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/streamers.py
import { expected } from "../errors.js";
import { is_tensor, type TensorLike } from "../tensor/index.js";

/** What a streamer needs of a tokenizer. */
interface Decoder {
  decode(ids: number[], options?: Record<string, unknown>): string;
}

/** Token ids as `generate` hands them to `put`: the prompt [batch, length] first, then one id for each row and step. */
export type StreamedIds = number[] | bigint[] | number[][] | bigint[][] | TensorLike;

/** Receives the prompt, then each step's tokens, then `end`. */
export abstract class BaseStreamer {
  abstract put(value: StreamedIds): void;
  abstract end(): void;
}

/** Options of TextStreamer; whatever else is given goes to the tokenizer's `decode`. */
export interface TextStreamerOptions {
  skip_prompt?: boolean;
  skip_special_tokens?: boolean;
  /** Receives the text instead of the standard output (as in transformers.js). */
  callback_function?: (text: string) => void;
  /** Receives the ids of each `put` after the prompt (as in transformers.js). */
  token_callback_function?: (tokens: number[]) => void;
  decode_kwargs?: Record<string, unknown>;
  [decode_option: string]: unknown;
}

/** The blocks that Python flushes at once: ideographs, but no kana and no Hangul. */
const CJK =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u;

/** Prints text as soon as whole words are there. One row only. */
export class TextStreamer extends BaseStreamer {
  readonly tokenizer: Decoder;
  readonly skip_prompt: boolean;
  readonly decode_kwargs: Record<string, unknown>;
  protected readonly callback_function: ((text: string) => void) | undefined;
  protected readonly token_callback_function: ((tokens: number[]) => void) | undefined;
  private token_cache: number[] = [];
  private print_len = 0;
  private next_tokens_are_prompt = true;

  constructor(tokenizer: Decoder, options: TextStreamerOptions = {}) {
    super();
    if (typeof tokenizer?.decode !== "function") throw expected("a tokenizer", "tokenizer", tokenizer);
    const { skip_prompt = false, callback_function, token_callback_function, decode_kwargs, ...rest } = options;
    this.tokenizer = tokenizer;
    this.skip_prompt = skip_prompt;
    this.decode_kwargs = { ...rest, ...decode_kwargs };
    this.callback_function = callback_function;
    this.token_callback_function = token_callback_function;
  }

  put(value: StreamedIds): void {
    const is_prompt = this.next_tokens_are_prompt;
    this.next_tokens_are_prompt = false;
    const ids = one_row(value);
    if (is_prompt && this.skip_prompt) return;
    if (!is_prompt) this.token_callback_function?.(ids);

    for (const id of ids) this.token_cache.push(id);
    const text = this.tokenizer.decode(this.token_cache, this.decode_kwargs);
    if (text.endsWith("\n")) {
      this.on_finalized_text(text.slice(this.print_len));
      this.token_cache = [];
      this.print_len = 0;
      return;
    }
    const end = CJK.test(text) ? text.length : text.lastIndexOf(" ") + 1;
    const printable = text.slice(this.print_len, end);
    this.print_len += printable.length;
    this.on_finalized_text(printable);
  }

  end(): void {
    let rest = "";
    if (this.token_cache.length > 0) {
      rest = this.tokenizer.decode(this.token_cache, this.decode_kwargs).slice(this.print_len);
      this.token_cache = [];
      this.print_len = 0;
    }
    this.next_tokens_are_prompt = true;
    this.on_finalized_text(rest, true);
  }

  /** Where the text goes: override it, or pass `callback_function`. */
  on_finalized_text(text: string, stream_end = false): void {
    if (this.callback_function) {
      if (text) this.callback_function(text);
    } else {
      process.stdout.write(stream_end ? `${text}\n` : text);
    }
  }
}

/** The ids of the one row that a text streamer can follow. */
function one_row(value: StreamedIds): number[] {
  const nested = is_tensor(value)
    ? value.dims.length > 1 && value.dims[0] !== 1
    : Array.isArray(value[0]) && value.length > 1;
  if (nested) throw new TypeError("TextStreamer only supports batch size 1");
  const flat = is_tensor(value) ? value.data : Array.isArray(value[0]) ? value[0] : value;
  return Array.from(flat as ArrayLike<number | bigint>, Number);
}

/** A text streamer to iterate over: `for await (const text of streamer)`. */
export class TextIteratorStreamer extends TextStreamer implements AsyncIterable<string> {
  /** Seconds to wait for the next text; then iteration throws. Undefined: for ever. */
  readonly timeout: number | undefined;
  private readonly queue: string[] = [];
  private ended = false;
  private failure: unknown;
  private wake: (() => void) | undefined;

  constructor(tokenizer: Decoder, options: TextStreamerOptions & { timeout?: number } = {}) {
    const { timeout, ...rest } = options;
    super(tokenizer, rest);
    this.timeout = timeout;
  }

  override on_finalized_text(text: string, stream_end = false): void {
    this.queue.push(text);
    if (stream_end) this.ended = true;
    this.wake?.();
  }

  /** `generate` failed: whoever iterates learns it. */
  fail(error: unknown): void {
    this.failure = error;
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    for (;;) {
      while (this.queue.length > 0) yield this.queue.shift() as string;
      if (this.ended) break;
      await this.next_text();
    }
    this.ended = false;
    if (this.failure) throw this.failure;
  }

  private next_text(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer =
        this.timeout === undefined
          ? undefined
          : setTimeout(() => reject(new Error(`No text within ${this.timeout} s`)), this.timeout * 1000);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }
}

/** In JavaScript every iteration over text that comes later is asynchronous: the same class under Python's other name. */
export const AsyncTextIteratorStreamer = TextIteratorStreamer;

import { type InspectOptions, inspect } from "node:util";
import { is_tensor } from "../tensor/index.js";
import { Encoding, type Span } from "./encoding.js";
import { type Nested, tensor_type, to_tensor } from "./tensors.js";

const NOT_FAST = (method: string) =>
  new TypeError(`${method}() is not available: these fields did not come from a text that a tokenizer encoded`);

/** `enc[0]` is the first Encoding. Sits at the end of the prototype chain, so that only unknown names arrive here. */
const by_index = new Proxy(Object.create(null) as object, {
  get(_, key, self: BatchEncoding) {
    return typeof key === "string" && /^\d+$/.test(key)
      ? self.encodings?.[Number(key)]
      : Reflect.get(Object.prototype, key, self);
  },
  has: (_, key) => key in Object.prototype,
});

class Indexed {}
Object.setPrototypeOf(Indexed.prototype, by_index);

/**
 * What a tokenizer returns (Python's BatchEncoding). The fields are the object's own properties, so that `enc.input_ids`,
 * `enc["input_ids"]`, `Object.keys(enc)` and `{...enc}` all work; `enc[0]` is the first Encoding.
 */
export class BatchEncoding extends Indexed {
  // The values of the fields, that each caller knows better than a type could say.
  // biome-ignore lint/suspicious/noExplicitAny: as a Python dict
  [field: string]: any;
  #encodings: Encoding[] | null | (() => Encoding[]);
  readonly #n_sequences: number | null;

  constructor(
    data: Record<string, unknown> = {},
    encoding: Encoding | Encoding[] | (() => Encoding[]) | null = null,
    options: { tensor_type?: unknown; prepend_batch_axis?: boolean; n_sequences?: number } = {},
  ) {
    super();
    this.#encodings = encoding instanceof Encoding ? [encoding] : encoding;
    this.#n_sequences = options.n_sequences ?? null;
    Object.assign(this, data);
    this.convert_to_tensors(options.tensor_type, options.prepend_batch_axis);
  }

  /** The fields as a plain object. */
  get data(): Record<string, unknown> {
    return { ...this };
  }
  get encodings(): Encoding[] | null {
    if (typeof this.#encodings === "function") this.#encodings = this.#encodings();
    return this.#encodings;
  }
  get is_fast(): boolean {
    return this.#encodings !== null;
  }
  /** 1 for texts, 2 for pairs, null if unknown. */
  get n_sequences(): number | null {
    return this.#n_sequences ?? this.encodings?.[0]?.n_sequences ?? null;
  }

  keys(): string[] {
    return Object.keys(this);
  }
  values(): unknown[] {
    return Object.values(this);
  }
  items(): [string, unknown][] {
    return Object.entries(this);
  }

  #encoding(method: string, batch_index: number): Encoding {
    const { encodings } = this;
    if (!encodings?.length) throw NOT_FAST(method);
    const encoding = encodings.at(batch_index);
    if (!encoding) throw new RangeError(`${method}(): no encoding ${batch_index}, the batch has ${encodings.length}`);
    return encoding;
  }

  /** `(index)` means batch 0, `(batch, index)` both; a negative index counts from the end. */
  #at(method: string, batch_or_index: number, index?: number | null): [Encoding, number] {
    const [batch, position] = index === undefined || index === null ? [0, batch_or_index] : [batch_or_index, index];
    const encoding = this.#encoding(method, batch);
    return [encoding, position < 0 ? encoding.length + position : position];
  }

  tokens(batch_index = 0): string[] {
    return this.#encoding("tokens", batch_index).tokens;
  }
  sequence_ids(batch_index = 0): (number | null)[] {
    return this.#encoding("sequence_ids", batch_index).sequence_ids;
  }
  word_ids(batch_index = 0): (number | null)[] {
    return this.#encoding("word_ids", batch_index).word_ids;
  }
  /** Python's older name of `word_ids`. */
  words(batch_index = 0): (number | null)[] {
    return this.word_ids(batch_index);
  }

  token_to_sequence(batch_or_token: number, token?: number): number | null {
    const [encoding, at] = this.#at("token_to_sequence", batch_or_token, token);
    return encoding.token_to_sequence(at);
  }
  token_to_word(batch_or_token: number, token?: number): number | null {
    const [encoding, at] = this.#at("token_to_word", batch_or_token, token);
    return encoding.token_to_word(at);
  }
  token_to_chars(batch_or_token: number, token?: number): Span | null {
    const [encoding, at] = this.#at("token_to_chars", batch_or_token, token);
    return encoding.token_to_chars(at);
  }
  word_to_tokens(batch_or_word: number, word?: number | null, sequence_index = 0): Span | null {
    const [encoding, at] = this.#at("word_to_tokens", batch_or_word, word);
    return encoding.word_to_tokens(at, sequence_index);
  }
  word_to_chars(batch_or_word: number, word?: number | null, sequence_index = 0): Span | null {
    const [encoding, at] = this.#at("word_to_chars", batch_or_word, word);
    return encoding.word_to_chars(at, sequence_index);
  }
  char_to_token(batch_or_char: number, char?: number | null, sequence_index = 0): number | null {
    const [encoding, at] = this.#at("char_to_token", batch_or_char, char);
    return encoding.char_to_token(at, sequence_index);
  }
  char_to_word(batch_or_char: number, char?: number | null, sequence_index = 0): number | null {
    const [encoding, at] = this.#at("char_to_word", batch_or_char, char);
    return encoding.char_to_word(at, sequence_index);
  }

  /** Turns every field into a Tensor in place. Throws where rows differ in length. */
  convert_to_tensors(type?: unknown, prepend_batch_axis = false): this {
    if (tensor_type(type, "tensor_type") === null) return this;
    for (const [key, value] of Object.entries(this)) {
      if (is_tensor(value)) continue;
      try {
        (this as Record<string, unknown>)[key] = to_tensor((prepend_batch_axis ? [value] : value) as Nested);
      } catch (cause) {
        throw new RangeError(
          "Unable to create tensor, you should probably activate truncation and/or padding with" +
            " 'padding=True' 'truncation=True' to have batched tensors with the same length. Perhaps your" +
            ` features (\`${key}\` in this case) have excessive nesting (inputs type \`list\` where type \`int\` is expected).`,
          { cause },
        );
      }
    }
    return this;
  }

  /** Python's move to a device. Inputs live in JavaScript's memory, and the engines fetch them: nothing moves. */
  to(_device: string | number): this {
    return this;
  }

  override toString(): string {
    return inspect(this);
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return depth < 0 ? "[BatchEncoding]" : `BatchEncoding ${inspect({ ...this }, options)}`;
  }
}

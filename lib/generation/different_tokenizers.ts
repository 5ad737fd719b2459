// An assistant that has another tokenizer: tokens go from one vocabulary to the other as text.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py `AssistedCandidateGeneratorDifferentTokenizers`
import { expected } from "../errors.js";

/** What is needed of a tokenizer. */
export interface TextTokenizer {
  (text: string, options?: Record<string, unknown>): { input_ids: unknown };
  decode(ids: number[], options?: Record<string, unknown>): string;
}

/** Continues rows of the assistant's tokens, of which the first `known` are as they were in the call before. */
export type Continue = (ids: number[], known: number, count: number) => Promise<number[]>;

/** @throws TypeError for what is no tokenizer. */
export function text_tokenizer(value: unknown, argument: string): TextTokenizer {
  if (typeof value === "function" && typeof (value as unknown as TextTokenizer).decode === "function")
    return value as unknown as TextTokenizer;
  throw expected("a tokenizer", argument, value);
}

/** How a prompt and its continuation in another tokenization lie to each other. */
export interface Diagonal {
  /** Tokens at the end of the prompt that are to be replaced. */
  discrepancy_length: number;
  new_tokens: number[];
  /** What replaces them. */
  discrepancy: number[];
}

/** The longest run that both have in common, and what comes after it; undefined when they have no token in common. */
export function tokens_diagonal(prompt: number[], prompt_plus_new_tokens: number[]): Diagonal | undefined {
  let best = { row: 0, column: 0, length: 0 };
  for (const [row, token] of prompt_plus_new_tokens.entries())
    for (const [column, other] of prompt.entries()) {
      if (token !== other || (row > 0 && column > 0 && prompt_plus_new_tokens[row - 1] === prompt[column - 1]))
        continue;
      let length = 1;
      while (
        row + length < prompt_plus_new_tokens.length &&
        column + length < prompt.length &&
        prompt_plus_new_tokens[row + length] === prompt[column + length]
      )
        length++;
      if (length > best.length) best = { row, column, length };
    }
  if (best.length === 0) return undefined;
  const start = best.row + best.length;
  const discrepancy_length = prompt.length - best.column - best.length;
  return {
    discrepancy_length,
    new_tokens: prompt_plus_new_tokens.slice(start + discrepancy_length),
    discrepancy: prompt_plus_new_tokens.slice(start, start + discrepancy_length),
  };
}

/** Guesses tokens of one vocabulary with a model of another. */
export class DifferentTokenizers {
  private previous_length = 0;
  private previous: number[] | undefined;

  constructor(
    private readonly target_tokenizer: TextTokenizer,
    private readonly assistant_tokenizer: TextTokenizer,
    private readonly settings: { target_lookbehind: number; assistant_lookbehind: number; max_length: number },
    private readonly generate: Continue,
  ) {}

  /** Tokens that may follow `input_ids`; the assistant makes `count` of its own for them. */
  async get_candidates(input_ids: number[], count: number): Promise<number[]> {
    if (count === 0) return [];
    const [ids, known] = this.assistant_ids(input_ids);
    const sequences = await this.generate(ids, known, count);
    const candidates = this.target_ids(input_ids, ids, sequences);
    this.previous_length = input_ids.length;
    this.previous = sequences;
    return candidates.slice(0, Math.max(0, this.settings.max_length - input_ids.length));
  }

  /** The text so far in the assistant's tokens, and how many of them are those of its last answer. */
  private assistant_ids(input_ids: number[]): [ids: number[], known: number] {
    const { target_lookbehind } = this.settings;
    if (!this.previous || this.previous_length <= target_lookbehind)
      return [convert(input_ids, this.target_tokenizer, this.assistant_tokenizer), 0];
    const window = input_ids.slice(this.previous_length - target_lookbehind);
    const converted = convert(window, this.target_tokenizer, this.assistant_tokenizer);
    const diagonal = tokens_diagonal(this.previous.slice(-converted.length), converted);
    if (!diagonal) return [[...this.previous, ...converted], this.previous.length];
    const { discrepancy_length, new_tokens, discrepancy } = diagonal;
    let ids = this.previous;
    if (discrepancy_length > 0 && discrepancy.length > 0)
      ids = [...ids.slice(0, ids.length - discrepancy_length), ...discrepancy];
    return [[...ids, ...new_tokens], ids === this.previous ? ids.length : ids.length - discrepancy.length];
  }

  /** What the assistant added, in the model's tokens. */
  private target_ids(input_ids: number[], ids: number[], sequences: number[]): number[] {
    const start = ids.length - this.settings.assistant_lookbehind;
    const window = sequences.slice(start); // a negative one counts from the end, as in Python
    const converted = convert(window, this.assistant_tokenizer, this.target_tokenizer);
    const diagonal = tokens_diagonal(input_ids.slice(-converted.length), converted);
    return diagonal ? diagonal.new_tokens : converted;
  }
}

function convert(ids: number[], from: TextTokenizer, to: TextTokenizer): number[] {
  const text = from.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: true });
  return [...(to(text, { add_special_tokens: true }).input_ids as number[])];
}

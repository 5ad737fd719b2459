// Sampling with an assistant of another tokenizer: tokens that both vocabularies have stand for each other, so that what
// the assistant gave them can be compared with what the model gives.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py `UniversalSpeculativeDecodingGenerator`, `AssistantToTargetTranslator`
import type { AssistantRuns } from "./assistant_runs.js";
import type { TextTokenizer } from "./different_tokenizers.js";

/** What is needed of a tokenizer beside its texts. */
interface Vocabulary extends TextTokenizer {
  readonly length: number;
  get_vocab(): Record<string, number>;
  convert_ids_to_tokens(ids: number[]): (string | null)[];
}

/** What an assistant guesses; `scores` [tokens, the model's vocabulary]: what each was drawn from. */
export interface Guess {
  tokens: number[];
  scores?: Float32Array;
}

/** Which tokens of an assistant are tokens of the model. */
export interface Translator {
  /** By the assistant's id; -1: the model has no such token. */
  to_target: Int32Array;
  to_assistant: Map<number, number>;
  /** The assistant's tokens that the model does not have. */
  suppressed: Int32Array;
  target_vocab_size: number;
  /** A text of the model's tokens in the assistant's. */
  convert(ids: number[]): number[];
}

const made = new WeakMap<object, WeakMap<object, Translator>>();

/** The translator between two tokenizers; made once. `sizes`: of the models' vocabularies. */
export function translator_of(
  target: TextTokenizer,
  assistant: TextTokenizer,
  sizes: { target: number; assistant: number },
): Translator {
  const known = made.get(target) ?? new WeakMap<object, Translator>();
  made.set(target, known);
  const last = known.get(assistant);
  if (last?.target_vocab_size === sizes.target && last.to_target.length === sizes.assistant) return last;
  const translator = translate(target as Vocabulary, assistant as Vocabulary, sizes);
  known.set(assistant, translator);
  return translator;
}

function translate(
  target: Vocabulary,
  assistant: Vocabulary,
  sizes: { target: number; assistant: number },
): Translator {
  const target_vocabulary = new Map(Object.entries(target.get_vocab()));
  const [theirs, ours] = [space_sign(target), space_sign(assistant)];
  const to_target = new Int32Array(sizes.assistant).fill(-1);
  const to_assistant = new Map<number, number>();
  for (const [token, id] of Object.entries(assistant.get_vocab())) {
    const name =
      theirs && ours && theirs !== ours && token.startsWith(ours) ? theirs + token.slice(ours.length) : token;
    const target_id = target_vocabulary.get(name);
    if (target_id === undefined || target_id >= sizes.target || id >= sizes.assistant) continue;
    to_target[id] = target_id;
    to_assistant.set(target_id, id);
  }
  const convert = (ids: number[]): number[] => {
    const text = target.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: true });
    return [...(assistant(text, { add_special_tokens: false }).input_ids as number[])];
  };
  const suppressed = Int32Array.from(to_target.keys()).filter((id) => to_target[id] === -1);
  return { to_target, to_assistant, suppressed, target_vocab_size: sizes.target, convert };
}

/** What a tokenizer writes for a space in front of a word. */
function space_sign(tokenizer: Vocabulary): string | undefined {
  const ids = tokenizer(" ", { add_special_tokens: false }).input_ids as number[];
  const [first] = tokenizer.convert_ids_to_tokens([...ids]);
  return first ? String.fromCodePoint(first.codePointAt(0) as number) : undefined;
}

/** Options that name tokens of the model: in the assistant's vocabulary they would be others. */
const WITHOUT_IDS = {
  sequence_bias: null,
  bad_words_ids: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  forced_bos_token_id: null,
  forced_eos_token_id: null,
  watermarking_config: null,
};

/** Guesses tokens of one vocabulary by drawing from a model of another. */
export class UniversalSpeculativeDecoding {
  private previous: number[] | undefined;
  /** Tokens of the model's row with the guesses of the last round. */
  private length_with_candidates = 0;
  private readonly eos_token_id: number[];

  constructor(
    private readonly translator: Translator,
    private readonly runs: AssistantRuns,
    private readonly settings: { max_length: number; eos_token_id: number | number[] | null },
  ) {
    const ends = [settings.eos_token_id ?? []].flat();
    this.eos_token_id = ends.flatMap((id) => translator.to_assistant.get(id) ?? []);
  }

  /** Tokens that may follow `input_ids`, at most `count`, drawn by `uniforms`. */
  async get_candidates(input_ids: number[], count: number, uniforms: Float64Array): Promise<Guess> {
    const [ids, known] = this.assistant_ids(input_ids);
    const most = Math.min(Math.trunc(count), this.settings.max_length - input_ids.length - 1);
    if (most <= 0) return { tokens: [] };
    const { suppressed, to_target, target_vocab_size } = this.translator;
    const { sequence, scores } = await this.runs.go_on(
      ids,
      known,
      most,
      {
        ...WITHOUT_IDS,
        suppress_tokens: suppressed,
        eos_token_id: this.eos_token_id,
        output_scores: true,
        uniforms,
      },
      input_ids.length,
    );
    this.previous = sequence;
    const tokens = sequence.slice(ids.length).map((id) => to_target[id]);
    this.length_with_candidates = input_ids.length + tokens.length;
    const translated = new Float32Array(tokens.length * target_vocab_size).fill(Number.NEGATIVE_INFINITY);
    for (const [i, row] of scores.entries())
      for (const [id, target_id] of to_target.entries())
        if (target_id >= 0) translated[i * target_vocab_size + target_id] = row[id];
    return { tokens, scores: translated };
  }

  /** The row in the assistant's tokens, and how many of them are those of its last answer. */
  private assistant_ids(input_ids: number[]): [ids: number[], known: number] {
    const { translator, previous } = this;
    if (!previous) return [translator.convert(input_ids), 0];
    const last = input_ids[input_ids.length - 1];
    const turned_down = Math.max(0, this.length_with_candidates + 1 - input_ids.length);
    const kept = previous.slice(0, previous.length - turned_down);
    const same = translator.to_assistant.get(last);
    return [[...kept, ...(same === undefined ? translator.convert([last]) : [same])], kept.length];
  }
}

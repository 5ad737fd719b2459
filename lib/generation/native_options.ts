// From a resolved GenerationConfig to what the native loop takes.
import { expected } from "../errors.js";
import type { NativeGenerationOptions } from "../native.js";
import { float_repr, repr } from "../python.js";
import type { GenerationConfig } from "./configuration.js";
import { response_grammar } from "./response_format.js";
import { token_strings } from "./stop_strings.js";

/** What decides the draws, and the tokenizer for stop strings. */
interface CallOptions {
  seed: number | undefined;
  generator: ArrayLike<number> | (() => number) | undefined;
  tokenizer: unknown;
  response_format?: unknown;
}

/** What the native loop takes: the configuration's fields under their names, and what decides the draws. */
export function native_options(
  config: GenerationConfig,
  { seed, generator, tokenizer, response_format }: CallOptions,
): NativeGenerationOptions {
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
    throw expected("a non-negative integer", "seed", seed);
  const is_uniforms = (values: unknown) =>
    typeof (values as ArrayLike<unknown> | null)?.length === "number" &&
    Array.prototype.every.call(values, (value) => typeof value === "number");
  if (generator !== undefined && typeof generator !== "function" && !is_uniforms(generator))
    throw expected("an array of uniforms or a function that gives them", "generator", generator);
  if (config.stop_strings && !tokenizer)
    throw new TypeError(
      "There are one or more stop strings, either in the arguments to `generate` or in the model's generation config, but we could not locate a tokenizer. When generating with stop strings, you must pass the model's tokenizer to the `tokenizer` argument of `generate`.",
    );
  check_bad_words(config["bad_words_ids"] ?? undefined);
  check_sequence_bias(config["sequence_bias"] ?? undefined);
  check_decay(config["exponential_decay_length_penalty"] ?? undefined);
  if (config.do_sample) check_warpers(config);
  const grammar = response_grammar(response_format, tokenizer);
  return {
    ...config.to_dict(),
    no_repeat_ngram_size: Math.max(0, config["no_repeat_ngram_size"] ?? 0),
    encoder_no_repeat_ngram_size: Math.max(0, config["encoder_no_repeat_ngram_size"] ?? 0),
    ...(seed === undefined ? {} : { seed }),
    ...(generator && typeof generator !== "function" ? { uniforms: Float64Array.from(generator) } : {}),
    ...(grammar ? { grammar } : {}),
    ...(config.stop_strings ? { token_strings: token_strings(tokenizer) } : {}),
  };
}

function check_decay(decay: unknown): void {
  const is_pair =
    Array.isArray(decay) && decay.length === 2 && Number.isInteger(decay[0]) && typeof decay[1] === "number";
  if (decay !== undefined && !is_pair)
    throw expected("[tokens after the prompt, factor]", "exponential_decay_length_penalty", decay);
}

/** Python's checks of SequenceBiasLogitsProcessor. */
export function check_sequence_bias(bias: unknown): void {
  if (bias === undefined) return;
  if (!Array.isArray(bias) || bias.length === 0)
    throw new TypeError(
      `\`sequence_bias\` has to be a non-empty dictionary, or non-empty list of lists but is ${repr(bias)}.`,
    );
  const is_pair = (pair: unknown) =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    Array.isArray(pair[0]) &&
    pair[0].length > 0 &&
    pair[0].every((id) => Number.isInteger(id) && id >= 0) &&
    typeof pair[1] === "number";
  if (!bias.every(is_pair))
    throw new TypeError(
      `Each element in \`sequence_bias\` has to be a non-empty list of lists of positive integers and float, but is ${repr(bias)}.`,
    );
}

/** Python's checks of NoBadWordsLogitsProcessor. */
export function check_bad_words(words: unknown): void {
  if (words === undefined) return;
  if (!Array.isArray(words) || words.length === 0)
    throw new TypeError(`\`bad_words_ids\` has to be a non-empty list, but is ${repr(words)}.`);
  if (words.some((word) => !Array.isArray(word)))
    throw new TypeError(`\`bad_words_ids\` has to be a list of lists, but is ${repr(words)}.`);
  if (words.flat().some((id) => !Number.isInteger(id) || id < 0))
    throw new TypeError(`Each list in \`bad_words_ids\` has to be a list of positive integers, but is ${repr(words)}.`);
}

/** Python's checks of TemperatureLogitsWarper and TopKLogitsWarper. */
function check_warpers({ temperature, top_k }: GenerationConfig): void {
  check_temperature(temperature);
  if (typeof top_k === "number" && (!Number.isInteger(top_k) || top_k < 0))
    throw new RangeError(`\`top_k\` has to be a strictly positive integer, but is ${repr(top_k)}`);
}

export function check_temperature(temperature: unknown): void {
  if (typeof temperature === "number" && temperature <= 0)
    throw new RangeError(
      `\`temperature\` (=${float_repr(temperature)}) has to be a strictly positive float, otherwise your next token scores will be invalid.` +
        (temperature === 0 ? " If you're looking for greedy decoding strategies, set `do_sample=False`." : ""),
    );
}

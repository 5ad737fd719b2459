// Assisted generation: what is asked of it, and what an assistant needs to know.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py
import { compare_versions } from "../configuration/loading.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import type { AssistantState, NativeAssistant, NativeGeneratingEngine, NativeGenerationHooks } from "../native.js";
import { AssistantRuns } from "./assistant_runs.js";
import type { EngineCache } from "./cache.js";
import type { GenerationConfig } from "./configuration.js";
import { type Continue, DifferentTokenizers, text_tokenizer } from "./different_tokenizers.js";
import { GENERATION_FIELDS } from "./fields.js";
import { check_model_kwargs } from "./inputs.js";
import type { GenerationMixin } from "./mixin.js";
import { native_options } from "./native_options.js";
import { prepare_generation_config } from "./prepare.js";
import { type Guess, translator_of, UniversalSpeculativeDecoding } from "./universal.js";

const DOC_REFERENCE =
  "(see https://huggingface.co/docs/transformers/en/generation_strategies#universal-assisted-decoding)";

/** What assisted generation is called with. */
export interface Assistance {
  /** A smaller model with the same vocabulary, which guesses the next tokens; on either engine. */
  assistant_model?: GenerationMixin | null | undefined;
  tokenizer?: unknown;
  assistant_tokenizer?: unknown;
}

/** Sizes that an assistant which shares the model's encoder must have, too. */
const ENCODER_SIZES = ["encoder_attention_heads", "encoder_ffn_dim", "encoder_layers"];

/** @throws TypeError, RangeError or TransformersError `unsupported` for what cannot be assisted. */
export function check_assistance(
  model: GenerationMixin,
  config: GenerationConfig,
  { assistant_model, tokenizer, assistant_tokenizer }: Assistance,
): void {
  const { assistant_early_exit, prompt_lookup_num_tokens, max_matching_ngram_size } = config;
  if (assistant_early_exit !== null && !(Number.isInteger(assistant_early_exit) && assistant_early_exit > 0))
    throw expected("a number of layers", "assistant_early_exit", assistant_early_exit);
  if (config.use_cache === false) throw new TypeError("assisted generate requires `use_cache=True`");
  if (prompt_lookup_num_tokens !== null) {
    if (prompt_lookup_num_tokens <= 0 || (max_matching_ngram_size ?? 2) < 0)
      throw new RangeError("Invalid max_matching_ngram_size or num_output_tokens");
    if (assistant_model) warn_once("`assistant_model` is not used beside `prompt_lookup_num_tokens`.");
  }
  if (!assistant_model) return;
  if (typeof assistant_model.can_generate !== "function" || !assistant_model.can_generate())
    throw expected("a model that generates", "assistant_model", assistant_model);
  if (model.config.is_encoder_decoder && !assistant_model.config.is_encoder_decoder)
    check_decoder(model, assistant_model);
  if (!model.config.is_encoder_decoder && assistant_model.config.is_encoder_decoder)
    throw new TransformersError(
      "An encoder-decoder as the assistant_model of a decoder is not supported: in Python the tokens are no longer the model's own",
      "unsupported",
    );
  if (model.vocab_size === assistant_model.vocab_size) {
    if (assistant_tokenizer !== undefined)
      throw new TypeError(
        `\`assistant_tokenizer\` is not required when the main and assistant models use the same tokenizer. Please omit \`assistant_tokenizer\` from \`generate()\` ${DOC_REFERENCE}.`,
      );
  } else {
    if (!tokenizer || !assistant_tokenizer)
      throw new TypeError(
        `The main and assistant models have different tokenizers. Please provide \`tokenizer\` and \`assistant_tokenizer\` to \`generate()\` ${DOC_REFERENCE}.`,
      );
    text_tokenizer(tokenizer, "tokenizer");
    text_tokenizer(assistant_tokenizer, "assistant_tokenizer");
    if (model.config.is_encoder_decoder)
      throw new TransformersError("An encoder-decoder needs an assistant_model with its own tokenizer", "unsupported");
  }
}

/** Python lets a decoder assist an encoder-decoder whose encoder it can look at. None of those that are here can. */
function check_decoder({ config }: GenerationMixin, assistant_model: GenerationMixin): never {
  const own = assistant_model.config as Record<string, unknown>;
  if (ENCODER_SIZES.some((name) => own[name] !== undefined && own[name] !== config[name]))
    throw new TypeError(
      "The main model and the assistant don't have compatible encoder-dependent input shapes. Ensure you load the assistant with the correct encoder-decoder class, e.g. `AutoModelForSpeechSeq2Seq` for Whisper.",
    );
  check_model_kwargs({ encoder_outputs: true });
  throw new Error("unreachable");
}

/** What the native loop is told of an assistant. `config`: that of the call, resolved. */
function native_assistant(config: GenerationConfig, assistant_model: GenerationMixin): Omit<NativeAssistant, "engine"> {
  const own = assistant_model.generation_config.clone();
  own.eos_token_id = config.eos_token_id;
  const copy = config.clone();
  copy.min_length = 0;
  Object.assign(copy, {
    min_new_tokens: null,
    max_new_tokens: null,
    stop_strings: null,
    prompt_lookup_num_tokens: null,
    assistant_early_exit: null,
  });
  const use_model_defaults = compare_versions(own.transformers_version, "4.50.0") >= 0;
  const [resolved] = prepare_generation_config(
    own,
    copy,
    {},
    { use_model_defaults, model_config: assistant_model.config },
  );
  // Candidates are neither guided, which takes the model itself, nor cut by the time.
  Object.assign(resolved, { guidance_scale: null, max_time: null, pad_token_id: config.pad_token_id });
  const threshold = own.assistant_confidence_threshold ?? 0;
  return {
    options: native_options(resolved, { seed: undefined, generator: undefined, tokenizer: undefined }),
    max_positions: assistant_model.max_positions,
    num_assistant_tokens: own.num_assistant_tokens ?? 20,
    heuristic: ["heuristic", "heuristic_transient"].includes(String(own.num_assistant_tokens_schedule)),
    confidence_threshold: threshold,
    // Python's call of the assistant takes the model's threshold for one that has its default value.
    adapts_now: use_model_defaults && threshold === GENERATION_FIELDS["assistant_confidence_threshold"],
  };
}

/** An assistant at work in one call. */
export interface AssistedCall {
  assistant: NativeAssistant;
  /** The assistant's; it must not be collected before the call is over. */
  engine: NativeGeneratingEngine;
  /** For the hooks: an assistant with another tokenizer is asked in JavaScript. */
  candidates?: NonNullable<NativeGenerationHooks["candidates"]>;
  /** When the call is over: the assistant remembers what it has learned, as in Python. */
  end(learned: AssistantState | undefined): void;
}

/** Who assists: a model, its engine, and behind an encoder what that made of the text; `is_self`: layers of the model. */
interface Assistant {
  model: GenerationMixin;
  engine: NativeGeneratingEngine;
  cache: EngineCache | undefined;
  is_self: boolean;
}

/** How the model itself is called. */
interface Assisted extends Assistance {
  signals: AbortSignal[];
  target_vocab_size: number;
}

/** Puts an assistant to work; `signals` stop it. */
export function assist(config: GenerationConfig, one: Assistant, call: Assisted): AssistedCall {
  const { model, engine, cache, is_self } = one;
  const { generation_config } = model;
  const made = native_assistant(config, model);
  const assistant = { ...made, adapts_now: made.adapts_now && !is_self };
  const end = (learned: AssistantState | undefined) => {
    if (!learned) return;
    if (generation_config.num_assistant_tokens_schedule === "heuristic")
      generation_config.num_assistant_tokens = learned.num_assistant_tokens;
    // Only an assistant that is another model of the same tokens learns how sure it must be.
    if (generation_config.assistant_confidence_threshold && !is_self && call.assistant_tokenizer === undefined)
      generation_config.assistant_confidence_threshold = learned.confidence_threshold;
  };
  if (is_self || call.assistant_tokenizer === undefined)
    return { assistant: { ...assistant, engine: engine.target(cache?.give_away()) }, engine, end };

  const run = new AssistantRuns(engine, assistant, config.min_length, call.signals);
  const generator = make_generator(config, model, call, run);
  return {
    assistant: { ...assistant, confidence_threshold: 0 },
    engine,
    candidates(input_ids, count, uniforms, done) {
      run.under_way = generator(Array.from(input_ids), count, uniforms).then(
        ({ tokens, scores }) => done(undefined, Int32Array.from(tokens), scores),
        (error) => done({ code: String(error?.code ?? "hook_failed"), message: String(error?.message ?? error) }),
      );
    },
    end(learned) {
      end(learned);
      run.end();
    },
  };
}

type Generator = (ids: number[], count: number, uniforms: Float64Array) => Promise<Guess>;

/** How an assistant with another tokenizer guesses: its tokens are drawn where the model's are. */
function make_generator(
  config: GenerationConfig,
  model: GenerationMixin,
  call: Assisted,
  run: AssistantRuns,
): Generator {
  const target_tokenizer = text_tokenizer(call.tokenizer, "tokenizer");
  const assistant_tokenizer = text_tokenizer(call.assistant_tokenizer, "assistant_tokenizer");
  const { max_length } = config;
  if (config.do_sample) {
    const sizes = { target: call.target_vocab_size, assistant: model.vocab_size };
    const translator = translator_of(target_tokenizer, assistant_tokenizer, sizes);
    const universal = new UniversalSpeculativeDecoding(translator, run, {
      max_length,
      eos_token_id: config.eos_token_id,
    });
    return (ids, count, uniforms) => universal.get_candidates(ids, count, uniforms);
  }
  const { target_lookbehind, assistant_lookbehind } = model.generation_config;
  const settings = {
    target_lookbehind: Number(target_lookbehind),
    assistant_lookbehind: Number(assistant_lookbehind),
    max_length,
  };
  const go_on: Continue = async (ids, known, count) => (await run.go_on(ids, known, count)).sequence;
  const generator = new DifferentTokenizers(target_tokenizer, assistant_tokenizer, settings, go_on);
  return async (ids, count) => ({ tokens: await generator.get_candidates(ids, count) });
}

// Assisted generation: what is asked of it, and what an assistant needs to know.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py
import { compare_versions } from "../configuration/loading.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import type { AssistantState, NativeAssistant, NativeGeneratingEngine, NativeGenerationHooks } from "../native.js";
import type { GenerationConfig } from "./configuration.js";
import { type Continue, DifferentTokenizers, text_tokenizer } from "./different_tokenizers.js";
import { GENERATION_FIELDS } from "./fields.js";
import type { GenerationMixin } from "./mixin.js";
import { native_options } from "./native_options.js";
import { prepare_generation_config } from "./prepare.js";
import { run_request } from "./request.js";

const DOC_REFERENCE =
  "(see https://huggingface.co/docs/transformers/en/generation_strategies#universal-assisted-decoding)";

/** What assisted generation is called with. */
export interface Assistance {
  /** A smaller model with the same vocabulary, which guesses the next tokens; on either engine. */
  assistant_model?: GenerationMixin | null | undefined;
  tokenizer?: unknown;
  assistant_tokenizer?: unknown;
}

/** @throws TypeError, RangeError or TransformersError `unsupported` for what cannot be assisted. */
export function check_assistance(
  model: GenerationMixin,
  config: GenerationConfig,
  { assistant_model, tokenizer, assistant_tokenizer }: Assistance,
): void {
  const { assistant_early_exit, prompt_lookup_num_tokens, max_matching_ngram_size } = config;
  if (assistant_early_exit !== null)
    throw new TransformersError(
      "assistant_early_exit is not supported: no engine can leave a model at one of its layers. Use an assistant_model or prompt_lookup_num_tokens.",
      "unsupported",
    );
  if (config.use_cache === false) throw new TypeError("assisted generate requires `use_cache=True`");
  if (prompt_lookup_num_tokens !== null) {
    if (prompt_lookup_num_tokens <= 0 || (max_matching_ngram_size ?? 2) < 0)
      throw new RangeError("Invalid max_matching_ngram_size or num_output_tokens");
    if (assistant_model) warn_once("`assistant_model` is not used beside `prompt_lookup_num_tokens`.");
  }
  if (!assistant_model) return;
  if (typeof assistant_model.can_generate !== "function" || !assistant_model.can_generate())
    throw expected("a model that generates", "assistant_model", assistant_model);
  if (model.config.is_encoder_decoder || assistant_model.config.is_encoder_decoder)
    throw new TransformersError(
      "An assistant_model for, or of, an encoder-decoder is not supported. Use prompt_lookup_num_tokens.",
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
  }
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

/** Puts an assistant to work. `engine` is its own; `signals` stop it. */
export function assist(
  config: GenerationConfig,
  assistant_model: GenerationMixin,
  engine: NativeGeneratingEngine,
  { tokenizer, assistant_tokenizer, signals }: Assistance & { signals: AbortSignal[] },
): AssistedCall {
  const { generation_config } = assistant_model;
  const assistant = native_assistant(config, assistant_model);
  const keep_number = (learned: AssistantState | undefined) => {
    if (learned && generation_config.num_assistant_tokens_schedule === "heuristic")
      generation_config.num_assistant_tokens = learned.num_assistant_tokens;
  };
  if (assistant_tokenizer === undefined)
    return {
      assistant: { ...assistant, engine: engine.target() },
      engine,
      end(learned) {
        keep_number(learned);
        if (learned && generation_config.assistant_confidence_threshold)
          generation_config.assistant_confidence_threshold = learned.confidence_threshold;
      },
    };

  let cache: number | undefined;
  let under_way: Promise<unknown> = Promise.resolve();
  const go_on: Continue = async (ids, known, count) => {
    const most = Math.min(count, assistant.max_positions - ids.length);
    if (most <= 0) return ids;
    const options = {
      ...assistant.options,
      is_assistant: true,
      assistant_confidence_threshold: assistant.confidence_threshold,
      max_length: ids.length + most,
      min_new_tokens: Math.max(Math.min(most, config.min_length - ids.length), 0),
      return_dict_in_generate: true,
      output_scores: false,
      output_logits: false,
      use_cache: true,
    };
    const continued = cache === undefined ? {} : { cache, cache_length: Math.min(known, ids.length - 1) };
    const request = { input_ids: [Int32Array.from(ids)], options, ...continued };
    const result = await run_request(engine, request, { rows: 1, call: { push() {} }, signals });
    cache = result.cache;
    return Array.from(result.sequences[0]);
  };
  const { target_lookbehind, assistant_lookbehind } = generation_config;
  const settings = {
    target_lookbehind: Number(target_lookbehind),
    assistant_lookbehind: Number(assistant_lookbehind),
    max_length: config.max_length,
  };
  const generator = new DifferentTokenizers(
    text_tokenizer(tokenizer, "tokenizer"),
    text_tokenizer(assistant_tokenizer, "assistant_tokenizer"),
    settings,
    go_on,
  );
  return {
    assistant: { ...assistant, confidence_threshold: 0 },
    engine,
    candidates(input_ids, count, done) {
      under_way = generator.get_candidates(Array.from(input_ids), count).then(
        (tokens) => done(undefined, Int32Array.from(tokens)),
        (error) => done({ code: String(error?.code ?? "hook_failed"), message: String(error?.message ?? error) }),
      );
    },
    end(learned) {
      keep_number(learned);
      void under_way.then(() => cache !== undefined && engine.release_cache(cache));
    },
  };
}

// The addon's typed interface, second part: generation and the two engines. A section for each file of native/bindings.
import type { NativeStateDict } from "./native_interface.js";

// ---- generation

/** A native logits processor by its Python class, with Python's arguments under their names. */
export interface LogitsProcessorSpec {
  class: string;
  [argument: string]: unknown;
}

/** What each id of a vocabulary adds to a text, for stop strings. */
export interface NativeTokenStrings {
  /** Whether each row ends with one of the strings, as Python's StopStringCriteria says. */
  ends_with(stop_strings: string[], input_ids: ArrayLike<number>[]): boolean[];
}

/** The bytes that each token adds to a text, for grammars. */
export interface NativeGrammarVocabulary {
  readonly __vocabulary?: never;
}

/** A grammar over the tokens of one vocabulary. */
export interface NativeGrammar {
  /** Whether the grammar has the text, or with `beginning` one that begins with it. */
  matches(text: string, beginning?: boolean): boolean;
  /** The tokens that may follow these new ones, ascending, and whether the text may end; null: they lead out of the grammar. */
  allowed_tokens(ids: ArrayLike<number>): { tokens: Int32Array; complete: boolean } | null;
}

/** One request to `generate_table`; `cancel_after` that many steps it is cancelled. */
export interface TableRequest {
  input_ids: number[][];
  attention_mask?: number[][];
  /** NativeGenerationOptions, also wrong ones. */
  options: Record<string, unknown>;
  cancel_after?: number;
}

export interface TableResult {
  /** Tokens of all rows, step by step. */
  streamed: Int32Array;
  error?: Error;
  sequences: Int32Array[];
  scores: Float32Array[];
  logits: Float32Array[];
  sequences_scores: Float32Array;
  beam_indices: Int32Array[];
}

/**
 * Fields of Python's GenerationConfig under their names, already resolved: `max_length` counts the prompt, null and
 * undefined switch a feature off. The fields that the native loop does not have are passed over.
 * `return_dict_in_generate` without `use_cache: false` gives the result a cache.
 */
export interface NativeGenerationOptions {
  max_length?: number | null;
  min_length?: number | null;
  min_new_tokens?: number | null;
  /** Seconds. */
  max_time?: number | null;
  /** Assisted decoding from what the row holds already. */
  prompt_lookup_num_tokens?: number | null;
  max_matching_ngram_size?: number | null;
  stop_strings?: string | string[] | null;
  token_strings?: NativeTokenStrings | null;
  do_sample?: boolean | null;
  num_beams?: number | null;
  num_return_sequences?: number | null;
  early_stopping?: boolean | "never" | null;
  length_penalty?: number | null;
  eos_token_id?: number | number[] | null;
  pad_token_id?: number | null;
  guidance_scale?: number | null;
  /** One array for each row, left-padded to one length; default: the last token of each prompt. */
  negative_prompt_ids?: ArrayLike<number>[] | null;
  negative_prompt_attention_mask?: ArrayLike<number>[] | null;
  /** What the rows of the negative prompt go on with; default: the tokens that are chosen. */
  guidance_token?: number | null;
  /** Pairs of token ids and bias. */
  sequence_bias?: [number[], number][] | null;
  encoder_repetition_penalty?: number | null;
  repetition_penalty?: number | null;
  prompt_ignore_length?: number | null;
  no_repeat_ngram_size?: number | null;
  encoder_no_repeat_ngram_size?: number | null;
  /** What the two of the encoder look at, a row for each of the request's; default: the prompt. */
  encoder_input_ids?: ArrayLike<number>[] | null;
  bad_words_ids?: number[][] | null;
  forced_bos_token_id?: number | null;
  forced_eos_token_id?: number | number[] | null;
  remove_invalid_values?: boolean | null;
  exponential_decay_length_penalty?: [number, number] | null;
  suppress_tokens?: ArrayLike<number> | null;
  begin_suppress_tokens?: number[] | null;
  /** That the new tokens keep to. */
  grammar?: NativeGrammar | null;
  temperature?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  min_p?: number | null;
  typical_p?: number | null;
  epsilon_cutoff?: number | null;
  eta_cutoff?: number | null;
  watermarking_config?: {
    greenlist_ratio?: number;
    bias?: number;
    hashing_key?: number;
    seeding_scheme?: "lefthash" | "selfhash";
    context_width?: number;
  } | null;
  renormalize_logits?: boolean | null;
  /** Without one, and without `uniforms`, each call draws anew. */
  seed?: number | null;
  /** Numbers in [0, 1), one after another in the order of draws; RangeError when they run out. */
  uniforms?: ArrayLike<number> | null;
  output_scores?: boolean | null;
  output_logits?: boolean | null;
  /** All rows run to the end, and with beams the result says what ran. */
  output_hidden_states?: boolean | null;
  output_attentions?: boolean | null;
  /** The caller's processors in order, each with the size of the vocabulary; null: the next group of `hooks.logits_processor`. */
  user_processors?: ((LogitsProcessorSpec & { vocab_size: number }) | null)[] | null;
  /** What ends a row, where it is not `eos_token_id`. */
  stop_token_id?: number[] | null;
  return_dict_in_generate?: boolean | null;
  use_cache?: boolean | null;
  [passed_over: string]: unknown;
}

export interface NativeGenerateRequest {
  /** One array for each row, left-padded to one length. */
  input_ids: Int32Array[];
  /** 1: a token, 0: padding. */
  attention_mask?: Uint8Array[];
  /** What the graph engine's rows have beside their ids, by the input's name: the last number goes for all new tokens. */
  row_inputs?: Record<string, Int32Array[]>;
  options: NativeGenerationOptions;
  /** Calls into JavaScript from the engine's thread, which waits for them. */
  hooks?: NativeGenerationHooks;
  /** A cache handle of forward() or of an earlier result, covering a prefix of the rows. */
  cache?: number;
  /** Tokens of its rows that still hold; default: all. */
  cache_length?: number;
  /** [rows, n_vocab]: what follows the rows of `cache`, which hold the whole prompt. `input_ids` may be empty then. */
  first_logits?: Float32Array;
  /** Behind an encoder: a cache that the rows of `negative_prompt_ids` begin from, and which stays as it is. */
  guidance_cache?: number;
  assistant?: NativeAssistant;
}

/** A model that guesses the next tokens. Its calls are requests to its own engine. */
export interface NativeAssistant extends AssistantState {
  /** What its engine's target() gave; without one the hook `candidates` is asked. */
  engine?: unknown;
  /** Of its calls; lengths and outputs are set anew for each. */
  options: NativeGenerationOptions;
  max_positions: number;
  /** Whether num_assistant_tokens follows the matches. */
  heuristic: boolean;
  /** Whether a threshold that was learned counts from the next round on. */
  adapts_now: boolean;
}

export interface AssistantState {
  num_assistant_tokens: number;
  /** 0: none. */
  confidence_threshold: number;
}

export interface NativeGenerationHooks {
  /** Changes `scores` [rows, n_vocab] in place, or returns new ones. `input_ids` [rows, length]; `group` counts from 0. */
  logits_processor?(input_ids: Int32Array, scores: Float32Array, rows: number, group: number): Float32Array | undefined;
  /** True, or true for each row that is done. */
  stopping_criteria?(input_ids: Int32Array, scores: Float32Array, rows: number): boolean | boolean[];
  prefix_allowed_tokens_fn?(batch_id: number, input_ids: Int32Array): Int32Array;
  /** The next uniform in [0, 1). */
  uniform?(): number;
  /**
   * Tokens to follow `input_ids`, of an assistant that is to make `count` of its own; the loop goes on when `done` is
   * called. An assistant that draws them does so by `uniforms`, and gives what it drew from: [tokens, n_vocab].
   */
  candidates?(
    input_ids: Int32Array,
    count: number,
    uniforms: Float64Array,
    done: (error?: { code: string; message: string }, tokens?: Int32Array, scores?: Float32Array) => void,
  ): void;
}

export interface NativeGenerateEvents {
  /**
   * New tokens since the last call, in the order made: `tokens[i]` belongs to row `rows[i]`; `steps`: how many each step
   * made. Not for beams.
   */
  on_tokens?(tokens: Int32Array, rows: Int32Array, steps: Int32Array): void;
  on_done(result: NativeGenerateResult): void;
  /** TypeError, RangeError, or an Error with `code` ("aborted", "disposed", …); what a hook threw comes as it is. */
  on_error(error: unknown): void;
}

export interface NativeGenerateResult {
  /** Prompt and generated tokens of each row, padded on the right to one length. */
  sequences: Int32Array[];
  /** For each step [rows, n_vocab]: with output_scores / output_logits. */
  scores?: Float32Array[];
  logits?: Float32Array[];
  /** Beams only. */
  sequences_scores?: Float32Array;
  beam_indices?: Int32Array[];
  /** Beams with output_hidden_states or output_attentions: of each step, the token of each running row, and the row that it continues. */
  running_tokens?: Int32Array[];
  running_sources?: Int32Array[];
  cache?: number;
  /** Tokens that the cache holds of each row. */
  cache_lengths?: Int32Array;
  /** What the assistant has learned. */
  assistant?: AssistantState;
  /** Seconds that the engine computed for it; the rest is the loop's. */
  decode_time: number;
}

/** What both engines do. */
export interface NativeGeneratingEngine {
  generate(request: NativeGenerateRequest, events: NativeGenerateEvents): { cancel(): void };
  /** For `NativeAssistant`: the engine, and a cache whose first row is to go on; that is the request's from then on. */
  target(cache?: number): unknown;
  /** A cache that a call is continuing goes when that ends. */
  release_cache(cache: number): void;
  /** Frees everything; requests under way end with code "disposed", later calls throw it. */
  dispose(): Promise<void>;
}

export interface NativeGeneration {
  /** Runs the processors over `scores` [rows, vocab_size], in place; returns `scores`. */
  process_logits(processors: LogitsProcessorSpec[], input_ids: ArrayLike<number>[], scores: Float32Array): Float32Array;
  /** Throws what is wrong with a processor, whatever the vocabulary. */
  check_logits_processor(processor: LogitsProcessorSpec): void;
  /** One string for each id, null where no token has it; or what `NativeTokenizer.token_texts` gives. */
  TokenStrings: new (
    strings: (string | null)[] | { bytes: Uint8Array; ends: Uint32Array; known: Uint8Array },
  ) => NativeTokenStrings;
  /** `bytes` of all ids one after another, those of id i up to `ends[i]`; `special`: control tokens, which no text has. */
  GrammarVocabulary: new (
    bytes: Uint8Array,
    ends: Uint32Array,
    special: ArrayLike<number>,
  ) => NativeGrammarVocabulary;
  /** `text` in llama.cpp's notation (GBNF). RangeError for what is wrong with it. */
  Grammar: new (
    text: string,
    vocabulary: NativeGrammarVocabulary,
  ) => NativeGrammar;
  /** For tests: what an assistant has learned after each round. */
  assistant_strategy(
    state: AssistantState,
    heuristic: boolean,
    rounds: { probabilities: number[]; candidates: number; matches: number }[],
  ): AssistantState[];
  /** For tests: the loop over a model whose logits are row `last token` of `table`; waits for all requests. */
  generate_table(
    table: Float32Array,
    requests: TableRequest[],
    limits: { max_positions?: number; max_rows?: number; max_tokens?: number },
  ): TableResult[];
}

// ---- llama_engine

/** One metadata entry of a GGUF file. */
export type GgufValue =
  | { type: "u32" | "i32" | "f32"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "string"; value: string }
  | { type: "u32[]" | "i32[]" | "f32[]"; value: ArrayLike<number> }
  | { type: "bool[]"; value: boolean[] }
  | { type: "string[]"; value: string[] };

/**
 * Where one GGUF tensor comes from: tensors of the state dict (each with the shape and type that it has there), or
 * `data`. Transforms, on Python's axis order (rows first):
 * - none: the one source as it is;
 * - "permute_heads": rows of each of `n_head` heads from halves (rotate_half) to interleaved pairs;
 * - "concat": sources one below the other along axis 0;
 * - "stack": sources of one shape along a new axis 0 (experts);
 * - "rows": rows `begin` to `end` (exclusive) of the source;
 * - "transpose": a matrix, transposed (Conv1D);
 * - "add_one": 1 + source (Gemma's norms).
 */
export interface TensorSource {
  /** Name in the GGUF file, such as "blk.0.attn_q.weight". */
  name: string;
  /** Names in the state dict. */
  sources?: string[];
  transform?: "permute_heads" | "concat" | "stack" | "rows" | "transpose" | "add_one";
  n_head?: number;
  begin?: number;
  end?: number;
  /** Computed values instead of sources, such as rope factors; always float32. `shape` in Python's order. */
  data?: Float32Array;
  shape?: number[];
}

/** Types of weights: "f32", "f16", "bf16", or a llama.cpp mix by its name ("q8_0", "q4_k_m", "iq4_nl", …). */
export type LlamaDtype = string;

export interface LlamaLoadOptions {
  /** A GGUF file (of a split file: the first part). Excludes `state_dict`, `metadata`, `tensors` and `dtype`. */
  gguf_path?: string;
  /** Its tensors as they are now. */
  state_dict?: NativeStateDict;
  /** Hyperparameters under GGUF's keys, with "general.architecture". Tokenizer keys are not needed. */
  metadata?: Record<string, GgufValue>;
  tensors?: TensorSource[];
  dtype?: LlamaDtype;
  /** A name of devices(); default: every GPU there is, else the CPU. */
  device?: string;
  /** Layers on the GPU; default: all. */
  n_gpu_layers?: number;
  /** Default: one for each physical core, fewer for a small model. */
  n_threads?: number;
  /** Longest row, in tokens; default: what the model was trained for. */
  max_positions?: number;
  /** false: forward() gives hidden states alone, and the head costs nothing. */
  output_logits?: boolean;
}

export interface LlamaInfo {
  n_vocab: number;
  n_ctx_train: number;
  n_embd: number;
  n_layer: number;
  n_head: number;
  n_params: number;
  /** Bytes of all weights. */
  size: number;
  /** As llama.cpp says it: "llama 1B Q4_K - Medium". */
  description: string;
  /** "F16", "Q4_K - Medium", … */
  ftype: string;
  /** Names of devices() that hold layers; empty: the CPU alone. */
  devices: string[];
  /** Scalar metadata as text, arrays left out. */
  metadata: Record<string, string>;
}

export interface LlamaForwardRequest {
  /** One array for each row, without padding. */
  input_ids: Int32Array[];
  /** Position of the first token of each row; default: after the cache, else 0. */
  first_position?: Int32Array;
  /** Logits for the last tokens of each row only; default 0: for all. */
  logits_to_keep?: number;
  /** Logits are wanted; default: as the engine was loaded. */
  output_logits?: boolean;
  output_hidden_states?: boolean;
  /** `hidden_states` with the last one alone. */
  output_last_hidden_state?: boolean;
  /** Return a cache handle. */
  use_cache?: boolean;
  /** A handle of an earlier result: each row continues its row. The handle stays valid and now covers the new tokens. */
  cache?: number;
  /** Row i continues what row `beam_idx[i]` of `cache` held, as after Python's reorder_cache. */
  beam_idx?: Int32Array;
}

export interface LlamaForwardResult {
  /** [kept tokens of all rows, n_vocab], rows one after another. */
  logits?: Float32Array;
  /** n_layer + 1 arrays of [tokens of all rows, n_embd]: embeddings, then each layer; the last one is normed. With output_last_hidden_state that one. */
  hidden_states?: Float32Array[];
  cache?: number;
}

export interface LlamaSaveOptions {
  /** Default: the type that the engine was loaded with. */
  dtype?: LlamaDtype;
  /** Added to (or put over) the engine's own: tokenizer keys, general.name, … */
  metadata?: Record<string, GgufValue>;
}

/** One low-rank addition of an adapter: `scale * b a` to the matrix `tensor`, by its name in the GGUF file. */
export interface LoraPair {
  tensor: string;
  /** [rank, columns] of the matrix; for "token_embd.weight" [tokens, rank]. */
  a: TensorSource;
  /** [rows of the matrix, rank]. */
  b: TensorSource;
  scale: number;
}

export interface NativeLlamaEngine extends NativeGeneratingEngine {
  info(): LlamaInfo;
  forward(request: LlamaForwardRequest): Promise<LlamaForwardResult>;
  /** Reads the sources from `state_dict` as they are now. Error "bad_adapter". Frees itself with the engine. */
  add_adapter(state_dict: NativeStateDict, pairs: LoraPair[]): Promise<{ adapter: number }>;
  /** The adapters of the calls made from now on; they wait for the end of those made with others. */
  use_adapters(adapters: number[]): void;
  remove_adapter(adapter: number): void;
  /** Writes beside `path` first and renames, so that `path` is whole or as it was. */
  /** On a thread of its own, while the engine goes on. `on_progress` gets 0 to 1. */
  save_gguf(path: string, options: LlamaSaveOptions, on_progress?: (progress: number) => void): Promise<void>;
}

export interface NativeLlama {
  /** Loads on a thread of its own. `on_progress` gets 0 to 1. Errors have codes "load_failed", "missing_tensor", "aborted", … */
  load_llama_engine(
    options: LlamaLoadOptions,
    on_progress?: (progress: number) => void,
  ): { promise: Promise<NativeLlamaEngine>; cancel(): void };
}

// ---- graph_engine

export interface GraphEngineOptions {
  /** Its tensors as they are now. Float32 ones are used where they lie in their files. */
  state_dict: NativeStateDict;
  /** What matrices are held as; default "f32". */
  dtype?: LlamaDtype;
  /** A name of devices(); default: a GPU if there is one. */
  device?: string;
  /** Default: one for each physical core. */
  n_threads?: number;
}

/**
 * What a run with a cache says of its rows. New tokens lie row by row, in each row first those that nobody will see. Its
 * spans count keys; those are, row by row: the hidden new tokens, the row's tokens in the cache, the visible new ones.
 */
export interface GraphCachedRows {
  /** A handle of an earlier result: each row continues its row. The handle stays valid and covers the new tokens too. */
  cache?: number;
  /** New tokens of each row that are not kept, and that are. */
  hidden: Int32Array;
  visible: Int32Array;
  /** Where each key that the spans count stands in its row, for biases by distance. Default: keys follow each other. */
  places?: Int32Array;
  /**
   * Tokens of each new row that the program's encoder reads: hidden ones first, likewise. It stores what cross-attention
   * makes of the visible ones (of all, where none is); "memory_spans" count those, row by row.
   */
  memory?: { hidden: Int32Array; visible: Int32Array };
}

/**
 * Where an output goes; what is computed beyond its end is dropped. With `places` row i along the first axis goes to row
 * places[i] of `data`, for as many rows as there are places.
 */
export type GraphTarget = Float32Array | { data: Float32Array; places: Int32Array };

/** Runs programs of lib/nn on a thread of its own. */
export interface NativeGraphEngine extends NativeGeneratingEngine {
  /** Takes a program (JSON of `Program` in lib/nn/trace.ts); returns its number. Error "invalid_program". */
  add_program(program: string): number;
  remove_program(program: number): void;
  /**
   * Computes a program's outputs: from inputs by name, of which those that it does not read are passed over, into new
   * arrays, which come back; or from inputs in the program's order into `targets`, one for each output.
   * Errors: "invalid_program" and "missing_tensor" (at the first run), "missing_input", "invalid_input", "disposed",
   * "cache_in_use", "out_of_memory".
   */
  run(
    program: number,
    inputs: Record<string, Int32Array | Float32Array>,
    cached?: GraphCachedRows,
  ): Promise<{ outputs: Record<string, Float32Array>; cache?: number }>;
  run(
    program: number,
    inputs: (Int32Array | Float32Array)[],
    cached: GraphCachedRows | undefined,
    targets: readonly GraphTarget[],
  ): Promise<{ cache?: number }>;
  /** For benchmarks: the time within ggml of the last run(). */
  compute_nanoseconds(): number;
  /**
   * The programs for generate(), all that there are now: with a cache, from "input_ids" (and "position_ids") of a number
   * of tokens to "logits" of all of them, or of those that the input "outputs" names. `counts_padding`: positions count what run() hid, too. Error "invalid_program".
   */
  set_decoder(decoder: { programs: number[]; max_positions: number; counts_padding?: boolean }): void;
}

export interface NativeGraph {
  /** TypeError for an unknown dtype; Errors "device_not_found", "load_failed". */
  GraphEngine: new (
    options: GraphEngineOptions,
  ) => NativeGraphEngine;
}

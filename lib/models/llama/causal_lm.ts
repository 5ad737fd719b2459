import { expected, from_native, out_of_range, TransformersError } from "../../errors.js";
import { EngineCache } from "../../generation/cache.js";
import { GenerationMixin, type SaveGgufOptions } from "../../generation/mixin.js";
import type { GgufValue, LlamaLoadOptions, NativeLlamaEngine } from "../../native.js";
import { Tensor } from "../../tensor/index.js";
import type { PreTrainedTokenizerFast } from "../../tokenization/fast.js";
import { tokenizer_to_gguf } from "../../tokenization/to_gguf.js";
import { parse_dtype } from "../dtype.js";
import { check_ids, to_rows } from "../inputs.js";
import { causal_lm_loss } from "../loss.js";
import { CausalLMOutputWithPast } from "../outputs.js";
import type { ModelOptions, Placement } from "../pretrained.js";
import { Padding } from "./padding.js";

/** Arguments of `forward`, under Python's names. */
export interface CausalLMInputs {
  /** [batch, length]. */
  input_ids: unknown;
  /** [batch, cached + length]; zeros at one end of a row only. */
  attention_mask?: unknown;
  /** [batch, length]; consecutive. */
  position_ids?: unknown;
  past_key_values?: EngineCache | null;
  /** [batch, length]; -100 does not count. */
  labels?: unknown;
  use_cache?: boolean;
  output_hidden_states?: boolean;
  output_attentions?: boolean;
  /** Logits of the last positions only; 0: of all. */
  logits_to_keep?: number;
}

const FORWARD_ARGUMENTS = new Set([
  ...["input_ids", "attention_mask", "position_ids", "past_key_values", "labels", "use_cache", "output_hidden_states"],
  ...["output_attentions", "logits_to_keep", "return_dict"],
]);

/** The options of loading that say where and how the engine runs. */
export function engine_options({ device, n_threads, n_gpu_layers }: Placement): Partial<LlamaLoadOptions> {
  return {
    ...(device === undefined ? {} : { device }),
    ...(n_threads === undefined ? {} : { n_threads }),
    ...(n_gpu_layers === undefined ? {} : { n_gpu_layers }),
  };
}

/** An `on_progress` that reports the loading of the weights like a download: it is the long part. */
export function weights_progress(name: string, callback: ModelOptions["progress_callback"]) {
  if (!callback) return undefined;
  return (done: number) =>
    callback({ status: "progress", name, file: "weights", progress: done * 100, loaded: done, total: 1 });
}

/** Base of the decoder-only models that run on libllama. */
export abstract class LlamaEngineForCausalLM extends GenerationMixin {
  private engine_promise: Promise<NativeLlamaEngine> | undefined;

  /** Starts loading an engine. */
  protected abstract load_engine(on_progress?: (progress: number) => void): {
    promise: Promise<NativeLlamaEngine>;
    cancel(): void;
  };

  /** The engine, built on first use. `signal` stops the loading, `on_progress` gets 0 to 1. */
  engine(signal?: AbortSignal, on_progress?: (progress: number) => void): Promise<NativeLlamaEngine> {
    this.check_alive();
    if (!this.engine_promise) {
      const { promise, cancel } = this.load_engine(on_progress);
      signal?.addEventListener("abort", cancel, { once: true });
      this.engine_promise = promise.finally(() => signal?.removeEventListener("abort", cancel));
      this.engine_promise.catch(() => {
        this.engine_promise = undefined;
      });
    }
    return this.engine_promise.catch((error) => {
      throw from_native(error);
    });
  }

  protected override vocabulary_resized(count: number): void {
    this.config["vocab_size"] = count;
  }

  protected override get gives_attentions(): boolean {
    return false;
  }

  protected override generating_engine(): Promise<NativeLlamaEngine> {
    return this.engine();
  }

  protected override async drop_engine(): Promise<void> {
    const engine = this.engine_promise;
    this.engine_promise = undefined;
    await engine?.then(
      (loaded) => loaded.dispose(),
      () => {},
    );
  }

  /** Takes an engine that was loaded before the model was made. */
  protected set_engine(engine: NativeLlamaEngine): void {
    this.engine_promise = Promise.resolve(engine);
  }

  /**
   * One pass over the tokens: logits float32 [batch, length, vocabulary] (or the last `logits_to_keep` positions),
   * and on request the loss, the hidden states ([batch, length, hidden], embeddings first) and a cache to go on from.
   * Positions that `attention_mask` hides come out as zeros.
   * @throws TypeError / RangeError for wrong arguments, TransformersError from the engine.
   */
  override async forward(inputs?: unknown, options: Record<string, unknown> = {}): Promise<CausalLMOutputWithPast> {
    const args = this.forward_arguments(inputs, options);
    const engine = await this.engine();
    const ids = to_rows(args.input_ids, "input_ids");
    check_ids(ids, this.vocab_size, "input_ids");
    if (ids[0].length === 0) throw out_of_range("at least one token", "input_ids", args.input_ids);

    const past = args.past_key_values ?? undefined;
    if (past !== undefined && (!(past instanceof EngineCache) || past.engine !== engine))
      throw expected("a cache that this model returned", "past_key_values", past);
    const padding = new Padding(ids, args.attention_mask, past?.lengths);
    const keep = args.logits_to_keep ?? 0;
    const result = await engine
      .forward({
        input_ids: padding.rows,
        ...(args.position_ids === undefined ? {} : { first_position: padding.first_positions(args.position_ids) }),
        ...(past ? { cache: past.handle } : {}),
        use_cache: args.use_cache ?? past !== undefined,
        output_hidden_states: args.output_hidden_states ?? false,
      })
      .catch((error) => {
        throw from_native(error);
      });

    const [batch, length] = [ids.length, ids[0].length];
    const all = new Tensor("float32", padding.spread(result.logits as Float32Array, this.vocab_size), [
      batch,
      length,
      this.vocab_size,
    ]);
    const labels = args.labels === undefined ? undefined : to_rows(args.labels, "labels");
    if (labels && (labels.length !== batch || labels[0].length !== length))
      throw out_of_range(
        `the shape of input_ids, [${batch}, ${length}]`,
        "labels",
        `shape [${labels.length}, ${labels[0].length}]`,
      );
    const loss = labels && causal_lm_loss(all.data as Float32Array, this.vocab_size, labels);
    return new CausalLMOutputWithPast({
      loss: loss === undefined ? undefined : new Tensor("float32", Float32Array.of(loss), []),
      logits: keep > 0 && keep < length ? all.slice(null, [length - keep, length], null) : all,
      past_key_values:
        result.cache === undefined
          ? undefined
          : EngineCache.of(
              engine,
              result.cache,
              past,
              padding.rows.map((row, i) => row.length + (past?.lengths[i] ?? 0)),
            ),
      hidden_states: result.hidden_states?.map(
        (states) =>
          new Tensor("float32", padding.spread(states, states.length / padding.count), [
            batch,
            length,
            states.length / padding.count,
          ]),
      ),
    });
  }

  private forward_arguments(inputs: unknown, options: Record<string, unknown>): CausalLMInputs {
    const named = typeof inputs === "object" && inputs !== null && "input_ids" in inputs;
    const args: Record<string, unknown> = named ? { ...inputs, ...options } : { input_ids: inputs, ...options };
    for (const [name, value] of Object.entries(args)) {
      if (name === "inputs_embeds" && value !== undefined)
        throw new TransformersError(
          "inputs_embeds is not supported by the llama engine: pass input_ids",
          "unsupported",
        );
      if (!FORWARD_ARGUMENTS.has(name))
        throw new TypeError(`${this.constructor.name}.forward() got an unexpected keyword argument '${name}'`);
    }
    if (args["output_attentions"])
      throw new TransformersError(
        "output_attentions is not supported by the llama engine, which never holds whole attention matrices",
        "unsupported",
      );
    const keep = args["logits_to_keep"];
    if (keep !== undefined && !(Number.isInteger(keep) && (keep as number) >= 0))
      throw expected("a count of positions", "logits_to_keep", keep);
    return args as unknown as CausalLMInputs;
  }

  /** The tokenizer's metadata, with the end tokens that generate() knows: llama.cpp has a key for each of three. */
  private gguf_tokenizer(tokenizer: PreTrainedTokenizerFast): Record<string, GgufValue> {
    const metadata = tokenizer_to_gguf(tokenizer, this.vocab_size);
    const { eos_token_id } = this.generation_config;
    const ends = eos_token_id === null ? [] : Array.isArray(eos_token_id) ? eos_token_id : [eos_token_id];
    ["eos", "eot", "eom"].slice(0, ends.length).forEach((name, i) => {
      metadata[`tokenizer.ggml.${name}_token_id`] = { type: "u32", value: ends[i] };
    });
    return metadata;
  }

  /**
   * Writes a GGUF file that llama.cpp's own tools load.
   */
  override async save_gguf(path: string, options: SaveGgufOptions = {}): Promise<void> {
    if (typeof path !== "string" || path === "") throw expected("a file's path", "path", path);
    const dtype =
      options.quantization === undefined ? undefined : parse_dtype(options.quantization, "quantization").llama;
    const engine = await this.engine();
    await engine
      .save_gguf(path, {
        ...(dtype ? { dtype } : {}),
        ...(options.tokenizer ? { metadata: this.gguf_tokenizer(options.tokenizer) } : {}),
      })
      .catch((error) => {
        throw from_native(error);
      });
  }
}

// What runs on libllama: the life of the engine, forward(), and the way out to GGUF.
import { expected, from_native, out_of_range, TransformersError } from "../../errors.js";
import { EngineCache } from "../../generation/cache.js";
import { cannot_generate, GenerationMixin, type SaveGgufOptions } from "../../generation/mixin.js";
import type { LlamaForwardResult, LlamaLoadOptions, NativeLlamaEngine } from "../../native.js";
import { Tensor } from "../../tensor/index.js";
import { check_ids, to_rows } from "../inputs.js";
import type { ModelOutput } from "../outputs.js";
import type { Adapter } from "../peft/adapter.js";
import type { ModelOptions, Placement } from "../placement.js";
import { lora_pairs } from "./adapters.js";
import { forward_arguments, kept_positions } from "./arguments.js";
import type { Parameter } from "./family.js";
import type { DecoderHead } from "./heads.js";
import { Padding } from "./padding.js";
import { write_gguf } from "./save.js";

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

/** Base of the decoder-only models that run on libllama, with any head. */
export abstract class LlamaEngineModel extends GenerationMixin {
  static head: DecoderHead;
  private engine_promise: Promise<NativeLlamaEngine> | undefined;
  /** The engines' numbers of the adapters that they hold. */
  private readonly attached = new WeakMap<NativeLlamaEngine, Map<Adapter, number>>();
  /** An adapter is for one of two tied matrices: the engine gets each by itself. */
  protected adapts_tied_weights = false;
  /** Whether it can. */
  protected get can_untie(): boolean {
    return true;
  }

  /** Starts loading an engine. */
  protected abstract load_engine(on_progress?: (progress: number) => void): {
    promise: Promise<NativeLlamaEngine>;
    cancel(): void;
  };

  /** The tensors that the engine gets. */
  protected abstract engine_parameters(): Parameter[];

  get head(): DecoderHead {
    return (this.constructor as typeof LlamaEngineModel).head;
  }

  /** The engine, built on first use. `signal` stops the loading, `on_progress` gets 0 to 1. */
  engine(signal?: AbortSignal, on_progress?: (progress: number) => void): Promise<NativeLlamaEngine> {
    this.check_alive();
    if (!this.engine_promise) {
      const { promise, cancel } = this.load_engine(on_progress);
      signal?.addEventListener("abort", cancel, { once: true });
      this.engine_promise = promise
        .then(async (engine) => {
          for (const adapter of this.loaded_adapters) await this.attach(engine, adapter);
          return engine;
        })
        .finally(() => signal?.removeEventListener("abort", cancel));
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

  override can_generate(): boolean {
    return this.head.logits;
  }

  protected override early_exit(_layers: number): GenerationMixin {
    throw new TransformersError(
      "assistant_early_exit is not supported by a model that lives in a GGUF file. Use an assistant_model or prompt_lookup_num_tokens.",
      "unsupported",
    );
  }

  protected override async generating_engine(): Promise<NativeLlamaEngine> {
    if (!this.can_generate()) throw cannot_generate(this);
    return this.engine();
  }

  private async attach(engine: NativeLlamaEngine, adapter: Adapter): Promise<void> {
    const pairs = lora_pairs(adapter, this.engine_parameters());
    const numbers = this.attached.get(engine) ?? new Map();
    this.attached.set(engine, numbers);
    if (pairs.length > 0) numbers.set(adapter, (await engine.add_adapter(adapter.state, pairs)).adapter);
  }

  protected override async attach_adapter(adapter: Adapter): Promise<void> {
    lora_pairs(adapter, this.engine_parameters()); // refuses what the engine cannot add
    if (
      !this.adapts_tied_weights &&
      this.tied_weights()
        .flat()
        .some((name) => adapter.pairs.has(name))
    ) {
      if (!this.can_untie)
        throw new TransformersError(
          `${this.config.model_type}: an adapter of the embeddings is not supported, whose matrix the head has too`,
          "adapter_unsupported",
        );
      this.adapts_tied_weights = true;
      this.retire_engine();
    }
    const engine = await this.engine();
    await this.attach(engine, adapter).catch((error) => {
      throw from_native(error);
    });
  }

  protected override detach_adapter(adapter: Adapter): void {
    void this.engine_promise?.then(
      (engine) => {
        const number = this.attached.get(engine)?.get(adapter);
        this.attached.get(engine)?.delete(adapter);
        if (number !== undefined) engine.remove_adapter(number);
      },
      () => {},
    );
  }

  /** Low-rank additions are switched in the engine; another matrix means another engine. */
  protected override adapters_changed(before: readonly Adapter[]): void {
    const own = new Set(this.engine_parameters().map(({ name }) => name));
    const replacing = (adapters: readonly Adapter[]) =>
      adapters.filter(({ replacements }) => [...replacements.keys()].some((name) => own.has(name)));
    const [old, now] = [replacing(before), replacing(this.chosen_adapters())];
    if (old.length !== now.length || old.some((adapter, i) => adapter !== now[i])) this.retire_engine();
  }

  protected override retire_engine(): void {
    this.engine_promise = undefined;
  }

  protected override use_adapters(engine: NativeLlamaEngine, adapters: readonly Adapter[]): void {
    const numbers = this.attached.get(engine);
    engine.use_adapters(adapters.map((adapter) => numbers?.get(adapter)).filter((number) => number !== undefined));
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
   * One pass over the tokens: what the head gives of them (see `heads.ts`), and on request the loss, the hidden states
   * ([batch, length, hidden], embeddings first) and a cache to go on from.
   * Positions that `attention_mask` hides come out as zeros.
   * @throws TypeError / RangeError for wrong arguments, TransformersError from the engine.
   */
  override async forward(inputs?: unknown, options: Record<string, unknown> = {}): Promise<ModelOutput> {
    const { head, config } = this;
    const args = forward_arguments(this.constructor.name, head, config, inputs, options);
    const adapters = this.chosen_adapters();
    const engine = await this.engine();
    const ids = to_rows(args.input_ids, "input_ids");
    check_ids(ids, this.vocab_size, "input_ids");
    if (ids[0].length === 0) throw out_of_range("at least one token", "input_ids", args.input_ids);

    const past = args.past_key_values ?? undefined;
    if (past !== undefined && (!(past instanceof EngineCache) || past.engine !== engine))
      throw expected("a cache that this model returned", "past_key_values", past);
    const padding = new Padding(ids, args.attention_mask, past?.lengths);
    const keep = kept_positions(args, padding);
    this.use_adapters(engine, adapters);
    const result = await engine
      .forward({
        input_ids: padding.rows,
        ...(args.position_ids === undefined ? {} : { first_position: padding.first_positions(args.position_ids) }),
        ...(past ? { cache: past.handle } : {}),
        use_cache: args.use_cache ?? past !== undefined,
        output_logits: head.logits,
        logits_to_keep: keep.by_engine,
        output_hidden_states: args.output_hidden_states,
        output_last_hidden_state: !head.logits,
      })
      .catch((error) => {
        throw from_native(error);
      });

    const [batch, length] = [ids.length, ids[0].length];
    const states = result.hidden_states?.at(-1);
    const { loss, ...fields } = head.compute({
      model_name: this.constructor.name,
      config,
      ids,
      padding,
      keep,
      args,
      logits: result.logits,
      states,
      tensor: (name) => this.adapted_tensor(adapters, this.require_tensors("forward"), name),
    });
    const spread = (values: Float32Array) =>
      new Tensor("float32", padding.spread(values, values.length / padding.count), [
        batch,
        length,
        values.length / padding.count,
      ]);
    const output = new head.output({
      loss: loss === undefined ? undefined : new Tensor("float32", Float32Array.of(loss), []),
      ...fields,
      past_key_values: this.cache_of(engine, result, past, padding),
      hidden_states: args.output_hidden_states ? result.hidden_states?.map(spread) : undefined,
    });
    return args.return_dict ? output : (output.to_tuple() as unknown as ModelOutput);
  }

  private cache_of(
    engine: NativeLlamaEngine,
    { cache }: LlamaForwardResult,
    past: EngineCache | undefined,
    { rows }: Padding,
  ): EngineCache | undefined {
    if (cache === undefined) return undefined;
    const lengths = rows.map((row, i) => row.length + (past?.lengths[i] ?? 0));
    return EngineCache.of(engine, cache, past, lengths);
  }

  /**
   * Writes a GGUF file that llama.cpp's own tools load, without the adapters, on a thread of its own: the model can go
   * on generating.
   */
  override async save_gguf(path: string, options: SaveGgufOptions = {}): Promise<void> {
    if (!this.can_generate()) return super.save_gguf(path, options);
    await write_gguf(this, await this.engine(), path, options);
  }
}

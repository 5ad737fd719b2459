// Models whose computation is written in lib/nn and runs on the graph engine.
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { from_native, TransformersError } from "../errors.js";
import type { EngineCache } from "../generation/cache.js";
import { cannot_generate, GenerationMixin } from "../generation/mixin.js";
import type { Start } from "../generation/start.js";
import type { RowStates } from "../generation/states.js";
import { type GraphCachedRows, type NativeGraphEngine, native } from "../native.js";
import { bind, Conv1D, Embedding, type Linear, modules_of, type Parameter, type Sym } from "../nn/index.js";
import { product } from "../nn/shapes.js";
import type { Tensor } from "../tensor/index.js";
import type { Arguments } from "./batch.js";
import { put_weights, type Targets } from "./computed.js";
import { type DecodeSize, decode_sizes } from "./decode_programs.js";
import { device_of_graph } from "./device.js";
import type { ParameterSpec } from "./initialization.js";
import { load_own_adapter, resolve_own_checkpoint } from "./model_options.js";
import type { ModelOutput } from "./outputs.js";
import { checkpoint_dtype, type ModelOptions, placement } from "./placement.js";
import type { CallableModel } from "./pretrained.js";
import { type Compute, type Program, Programs, TRACED } from "./programs.js";
import type { TokenTensors } from "./resizing.js";

export type Feeds = Record<string, Int32Array | Float32Array>;
/** What a program computed: flat values with their shape. */
export type Computed = Record<string, { data: Float32Array; shape: readonly number[] }>;

/** What the engine counts up to, for models whose positions have no end. */
const MOST_POSITIONS = 2 ** 30;
/**
 * A model that owns modules: its properties are modules, parameters and other such models, whose paths are the names of
 * the checkpoint's tensors. What it computes is its subclasses' to say; `execute` traces and runs it.
 */
export abstract class GraphModel extends GenerationMixin {
  private bound: Parameter[] | undefined;
  private engine: NativeGraphEngine | undefined;
  private programs: Programs | undefined;

  /**
   * Loads a checkpoint: a folder, or a name in the cache or on the Hub. Options that are none of ModelOptions override
   * the configuration's fields.
   */
  static async from_pretrained<Model extends GraphModel>(
    this: new (
      config: PretrainedConfig,
      name_or_path?: string,
    ) => Model,
    name_or_path: string,
    given: ModelOptions & { [config_field: string]: unknown } = {},
  ): Promise<CallableModel<Model>> {
    const [name, options] = await resolve_own_checkpoint(this, name_or_path, given);
    const model = new this(options.config, name);
    const info = await model.load_tensors(name, options);
    model.placement = placement(options, () => checkpoint_dtype(options.config, model.state));
    if (model.can_generate()) await model.load_generation_config(name, options);
    await load_own_adapter(model, options);
    return (options.output_loading_info ? [model, info] : model) as unknown as CallableModel<Model>;
  }

  /** A model with fresh weights, drawn from `seed`. */
  static async from_config<Model extends GraphModel>(
    this: new (
      config: PretrainedConfig,
    ) => Model,
    config: PretrainedConfig,
    options: ModelOptions & { seed?: number } = {},
  ): Promise<CallableModel<Model>> {
    const model = new this(config);
    model.placement = placement(options, () => checkpoint_dtype(config, undefined));
    model.initialize(new (native().StateDict)(), options.seed);
    return model as unknown as CallableModel<Model>;
  }

  private modules(): Parameter[] {
    this.bound ??= bind(this, is_model);
    return this.bound;
  }

  override parameters(): ParameterSpec[] {
    return this.modules().map((parameter) => parameter.spec);
  }

  /** The module that holds the vectors of the tokens. */
  get_input_embeddings(): Embedding {
    const base = (this as unknown as Record<string, unknown>)[
      (this.constructor as typeof GraphModel).base_model_prefix
    ];
    if (base instanceof GraphModel) return base.get_input_embeddings();
    throw new TransformersError(`${this.constructor.name} has no embeddings of tokens`, "unsupported");
  }

  /** The head that predicts tokens, where there is one. */
  get_output_embeddings(): Linear | undefined {
    return undefined;
  }

  protected override token_tensors(): TokenTensors {
    this.modules();
    const head = this.get_output_embeddings();
    return {
      embeddings: this.get_input_embeddings().weight.name,
      ...(head ? { head: head.weight.name } : {}),
      ...(head?.bias ? { head_bias: this.own_name(head.bias.name) } : {}),
    };
  }

  /** A tensor's name, or of tied ones that which the others follow. */
  private own_name(name: string): string {
    return this.tied_weights().find(([alias]) => alias === name)?.[1] ?? name;
  }

  protected override vocabulary_resized(count: number): void {
    const { embeddings, head, head_bias } = this.token_tensors();
    const resized = new Set([embeddings, head, head_bias]);
    for (const parameter of this.modules())
      if (resized.has(parameter.name) || resized.has(this.own_name(parameter.name))) parameter.shape[0] = count;
    this.config["vocab_size"] = count;
  }

  protected override embedding_names(): string[] {
    this.modules();
    return modules_of(this, Embedding, is_model).map(({ weight }) => weight.name);
  }

  override tied_weights(): (readonly [string, string])[] {
    return [];
  }

  override can_generate(): boolean {
    return false;
  }

  /**
   * Runs what `compute` writes down, with these inputs. `key` names the shapes: what was traced under it serves again.
   */
  protected async execute(key: string, compute: Compute, feeds: Feeds): Promise<Computed> {
    const program = this.program(key, compute);
    const list = program.outputs.map(({ shape }) => new Float32Array(product(shape)));
    await this.run_program(program, feeds, { list, weights: undefined });
    return Object.fromEntries(program.outputs.map(({ name, shape }, i) => [name, { data: list[i], shape }]));
  }

  /**
   * Computes a program's outputs; their targets are to be left alone until then. With `rows` their keys and values go into
   * a cache: gives the engine's number for it.
   */
  protected async run_program(
    program: Program,
    feeds: Feeds,
    targets: Targets,
    rows?: GraphCachedRows,
  ): Promise<number | undefined> {
    const inputs: (Int32Array | Float32Array)[] = [];
    for (const name of program.inputs) inputs.push(feeds[name]);
    try {
      const { cache } = await this.graph_engine().run(program.id, inputs, rows, targets.list);
      if (TRACED) print_traced(program, targets);
      put_weights(targets);
      return cache;
    } catch (error) {
      throw from_native(error);
    }
  }

  /** The engine, built on first use. */
  protected graph_engine(): NativeGraphEngine {
    this.check_alive();
    const state_dict = this.require_tensors("forward");
    this.engine ??= this.with_adapted(
      state_dict,
      {},
      () =>
        new (native().GraphEngine)({
          state_dict,
          dtype: this.placement.dtype.llama,
          device: device_of_graph(this.placement.device),
          ...(this.placement.n_threads === undefined ? {} : { n_threads: this.placement.n_threads }),
        }),
    );
    return this.engine;
  }

  /** The program of this key, which names all shapes; traced when there is none. */
  protected program(key: string, compute: Compute): Program {
    return this.graph_programs().get(key, compute);
  }

  private graph_programs(): Programs {
    const engine = this.graph_engine();
    this.modules();
    this.programs ??= new Programs(engine);
    return this.programs;
  }

  /** What generate() runs: the `logits` [outputs, vocabulary] of some of these tokens. Models that generate say it. */
  protected decode_step(_size: DecodeSize): Record<string, Sym | undefined> {
    throw cannot_generate(this);
  }

  /** Inputs that generate() computes with only where a call brings them. */
  protected get optional_inputs(): readonly string[] {
    return [];
  }

  protected override async generating_engine(
    rows: number,
    tokens: number,
    inputs: readonly string[] = [],
  ): Promise<NativeGraphEngine> {
    const given = this.optional_inputs.filter((name) => inputs.includes(name));
    const sizes = decode_sizes(rows, tokens).map((size) => ({ ...size, given }));
    const programs = this.graph_programs();
    await programs.add_decoder(sizes, (size) => this.decode_step(size)["logits"], {
      max_positions: Math.min(this.max_positions, MOST_POSITIONS),
      counts_padding: this.counts_padding,
    });
    // The engine may have become another meanwhile.
    return programs === this.programs ? this.graph_engine() : this.generating_engine(rows, tokens, inputs);
  }

  protected override async drop_engine(): Promise<void> {
    const { engine } = this;
    this.retire_engine();
    await engine?.dispose();
  }

  protected override retire_engine(): void {
    this.engine = undefined;
    this.programs = undefined;
  }

  /** Adapters are added to the weights that the engine gets. */
  protected override async attach_adapter(): Promise<void> {}

  protected override detach_adapter(): void {}

  protected override adapters_changed(): void {
    this.retire_engine();
  }

  protected override transposed_weights(): Set<string> {
    this.modules();
    return new Set(modules_of(this, Conv1D, is_model).map(({ weight }) => weight.name));
  }

  /** Whether positions count the padding in front of a prompt: of models whose forward() takes none from the caller. */
  protected get counts_padding(): boolean {
    return false;
  }

  /** forward() with the logits of each row's last position alone, [rows, 1, vocabulary], hidden or not. */
  protected async forward_last(_args: Arguments): Promise<ModelOutput> {
    throw cannot_generate(this);
  }

  /** Computes a prompt by arguments of forward(): what follows it, and the cache. */
  protected override async prefill(args: Arguments) {
    const output = await this.forward_last({ ...args, use_cache: true });
    const { logits, past_key_values, hidden_states, attentions } = output as unknown as Record<string, Tensor>;
    const states = { hidden_states, attentions } as unknown as RowStates;
    return { first_logits: logits.data as Float32Array, cache: past_key_values as unknown as EngineCache, states };
  }

  /**
   * Computes a prompt whose mask hides tokens, where generate() cannot leave them out as if they were not there: they
   * count, or what is to follow stands behind one of them. `prefix`: of the prompt's arguments in forward().
   */
  protected async prefill_hidden(start: Start, prefix = ""): Promise<Start> {
    const { ids, mask, cached, cache, first_logits, row_inputs = {} } = start;
    const hides = mask?.some((row) => (this.counts_padding ? row.includes(0) : row[row.length - 1] === 0));
    if (first_logits || !mask || !hides) return start;
    const of_new = (rows: Record<string, Int32Array[]>) =>
      Object.entries(rows).map(([name, values]) => [name, values.map((row) => row.subarray(cached))]);
    const made = await this.prefill({
      ...Object.fromEntries(of_new({ [`${prefix}input_ids`]: ids, ...this.positions_of(mask), ...row_inputs })),
      [`${prefix}attention_mask`]: mask,
      past_key_values: cache,
    });
    return { ...start, cache: made.cache, first_logits: made.first_logits };
  }

  /** Python's early exit changes a number that these models do not read; only their caches do. */
  protected override early_exit(layers: number): GenerationMixin {
    const { name, base_model_prefix: prefix } = this.constructor as typeof GraphModel;
    if (!((this as unknown as Record<string, unknown>)[prefix] instanceof GraphModel))
      throw new TypeError(`'${name}' object has no attribute '${prefix}'`);
    const { is_encoder_decoder, num_hidden_layers } = this.config;
    if (!is_encoder_decoder && layers < num_hidden_layers)
      throw new RangeError(
        `assistant_early_exit (${layers}): ${name} computes all of its ${num_hidden_layers} layers, as in Python (list index out of range)`,
      );
    return this;
  }

  override get vocab_size(): number {
    return this.config["vocab_size"] as number;
  }

  override get max_positions(): number {
    return (this.config["max_position_embeddings"] as number | undefined) ?? Number.POSITIVE_INFINITY;
  }
}

function print_traced({ outputs }: Program, { list }: Targets): void {
  for (const [i, { name, shape }] of outputs.entries()) if (name === "trace") console.error(TRACED, shape, list[i]);
}

const is_model = (value: unknown): boolean => value instanceof GraphModel;

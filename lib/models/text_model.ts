// Models of texts on the graph engine: what their forward() takes and gives.
import { expected, out_of_range, TransformersError } from "../errors.js";
import { EngineCache } from "../generation/cache.js";
import type { Rows, StateFlags } from "../generation/states.js";
import { type Sym, Tokens } from "../nn/index.js";
import { is_tensor, Tensor, tensor } from "../tensor/index.js";
import type { DecodeSize } from "./decode_programs.js";
import { type Computed, type Feeds, GraphModel } from "./graph_model.js";
import { causal_lm, type Head, multiple_choice } from "./heads.js";
import { check_ids, to_mask, to_rows, to_vectors } from "./inputs.js";
import type { ModelOutput } from "./outputs.js";
import { gather, type Packing, pack, scatter, scatter_attention } from "./packing.js";
import { type Continued, continue_rows } from "./past.js";

/** Arguments of forward() by name. */
export type Arguments = Record<string, unknown>;

const OPTIONS = ["output_hidden_states", "output_attentions", "return_dict", "use_cache"];
/** Multiplications that one may spend on padding to give what Python gives there: about a millisecond. */
const FREE_FLOPS = 2e7;

/** The numbers of a call, row by row. */
export interface Batch {
  rows: number;
  length: number;
  ids: Int32Array[] | undefined;
  embeds: { data: Float32Array; size: number } | undefined;
  mask: Uint8Array[] | undefined;
  /** What the rows go on after. */
  past: Continued | undefined;
}

interface Wanted {
  hidden_states: boolean;
  attentions: boolean;
  cache: boolean;
}

/**
 * A model that reads rows of tokens. A subclass declares its modules and says in `compute` what becomes of the tokens.
 * Hidden states are [tokens, size] there: all rows lie end to end, without padding.
 */
export abstract class TextModel extends GraphModel {
  /** What forward() returns and which labels it takes. */
  static head: Head;
  /** Inputs with one integer for each token, beside the ids and positions. */
  static token_inputs: readonly string[] = [];
  /** Likewise, but not computed with unless the caller gives them: `tokens.given`. */
  static optional_inputs: readonly string[] = [];
  /** Whether forward() takes `position_ids`. */
  static takes_position_ids = true;

  /** The named outputs of the head, in Python's order. Fields that the output's class calls `per_token` are [tokens, …]. */
  abstract compute(tokens: Tokens): Record<string, Sym | undefined>;

  /** True: a token sees those before it only. */
  get is_causal(): boolean {
    return false;
  }

  /** What Python's masks leave to a token that may see nothing. */
  protected get blind_sees(): "row" | "before" {
    return "row";
  }

  /** The position of a row's first token. */
  protected get first_position(): number {
    return 0;
  }

  /** Positions after `past` others, where the caller gives none. `ids`: undefined when the call brings embeddings. */
  protected default_positions(length: number, _ids: Int32Array | undefined, past: number): Int32Array {
    return Int32Array.from({ length }, (_, i) => this.first_position + past + i);
  }

  /** Where `tokens.last` is in each row, if `compute` reads it. It is computed even if the mask hides it. */
  protected last_positions(_batch: Batch): Int32Array | undefined {
    return undefined;
  }

  /**
   * One pass over the tokens. Takes ids (a list, a Tensor, a BatchEncoding), or an object with `input_ids` or
   * `inputs_embeds`, `attention_mask`, and what else the model knows.
   * Positions that `attention_mask` hides hold what Python gives there, or zeros where that would cost time.
   * @throws TypeError for unknown arguments, RangeError for ids out of range and shapes that do not fit.
   */
  override async forward(inputs?: unknown, options: Arguments = {}): Promise<ModelOutput> {
    const type = this.constructor as typeof TextModel;
    const args = this.forward_arguments(inputs, options);
    const choices = type.head === multiple_choice ? flatten_choices(args) : undefined;
    const batch = this.batch_of(args);
    const { rows, length } = batch;
    const wants = {
      hidden_states: this.wanted(args, "output_hidden_states"),
      attentions: this.wanted(args, "output_attentions"),
      cache: this.gives_cache(args),
    };
    const labels = Object.fromEntries(
      type.head.labels.map((name) => [name, args[name]]).filter(([, value]) => value !== undefined && value !== null),
    );
    const has_labels = Object.keys(labels).length > 0;
    const padding = batch.mask ? batch.mask.reduce((sum, row) => row.reduce((n, bit) => n + 1 - bit, sum), 0) : 0;
    const last = this.last_positions(batch);
    const packing = pack({
      ...batch,
      causal: this.is_causal,
      blind_sees: this.blind_sees,
      keep_padding:
        wants.hidden_states ||
        wants.attentions ||
        has_labels ||
        (padding > 0 && padding * this.num_parameters() * 2 < FREE_FLOPS) ||
        last?.some((position, row) => batch.mask?.[row][position] === 0),
    });
    const feeds = this.feeds(args, batch, packing);
    if (last) feeds["last"] = this.pick(packing, last);
    const given = type.optional_inputs.filter((name) => name in feeds);
    const { past } = batch;
    const cached = wants.cache || past !== undefined;
    const tokens = {
      count: packing.count,
      rows,
      cached,
      given,
      attention_width: wants.attentions ? (past?.length ?? 0) + length : undefined,
      embeds_size: batch.embeds?.size,
    };
    const { computed, cache } = await this.execute_cached(
      JSON.stringify([tokens, wants.hidden_states]),
      () => this.trace(new Tokens(tokens), wants),
      feeds,
      cached
        ? { hidden: packing.hidden, visible: packing.visible, ...(past ? { cache: past.handle } : {}) }
        : undefined,
    );
    const past_key_values = cache === undefined ? undefined : this.cache_of(cache, batch, packing, args);
    return this.assemble(computed, packing, labels, {
      ...args,
      choices,
      past_key_values: wants.cache ? past_key_values : undefined,
    });
  }

  private wanted(args: Arguments, name: string): boolean {
    return Boolean(args[name] ?? this.config[name] ?? false);
  }

  /** Whether forward() gives `past_key_values`. */
  protected gives_cache(args: Arguments): boolean {
    const { head } = this.constructor as typeof TextModel;
    return head.cached === true && this.is_causal && Boolean(args["use_cache"] ?? this.config.use_cache ?? true);
  }

  private cache_of(handle: number, { past, length }: Batch, { visible }: Packing, args: Arguments): EngineCache {
    const lengths = Array.from(visible, (count, row) => (past?.lengths[row] ?? 0) + count);
    const columns = (past?.length ?? 0) + length;
    return EngineCache.of(this.graph_engine(), handle, args["past_key_values"], lengths, columns);
  }

  override can_generate(): boolean {
    return (this.constructor as typeof TextModel).head === causal_lm;
  }

  /** Positions count what the mask shows, as they do in generate(). */
  protected override rerun(inputs: Rows, owners: number[], flags: StateFlags) {
    if (!(this.constructor as typeof TextModel).takes_position_ids) return super.rerun(inputs, owners, flags);
    const position_ids = inputs.attention_mask.map((row) => {
      let seen = 0;
      return Int32Array.from(row, (bit) => (bit ? seen++ : 1));
    });
    return super.rerun({ ...inputs, position_ids }, owners, flags);
  }

  protected override decode_step({ tokens, outputs }: DecodeSize): Record<string, Sym | undefined> {
    if (!this.can_generate()) return super.decode_step({ tokens, outputs });
    if (!this.is_causal)
      throw new TransformersError(
        `If you want to use \`${this.constructor.name}\` as a standalone, add \`is_decoder=True.\``,
        "cannot_generate",
      );
    const picked = outputs < tokens ? { outputs } : {};
    return this.compute(new Tokens({ count: tokens, rows: tokens, cached: true, ...picked }));
  }

  /** Writes the computation down, with the states that were asked for. */
  private trace(tokens: Tokens, wants: Wanted): Record<string, Sym | undefined> {
    const outputs: Record<string, Sym | undefined> = { ...this.compute(tokens) };
    if (wants.hidden_states)
      tokens.hidden_states.forEach((states, i) => {
        outputs[`hidden_states.${i}`] = states;
      });
    tokens.attentions.forEach((weights, i) => {
      outputs[`attentions.${i}`] = weights;
    });
    return outputs;
  }

  private assemble(computed: Computed, packing: Packing, labels: Arguments, args: Arguments): ModelOutput {
    const type = this.constructor as typeof TextModel;
    const { rows, length } = packing;
    const fields: Record<string, Tensor> = {};
    const hidden_states: Tensor[] = [];
    const attentions: Tensor[] = [];
    for (const [name, { data, shape }] of Object.entries(computed)) {
      if (name === "trace") continue;
      const [kind] = name.split(".");
      if (kind === "attentions") {
        const [heads, , width] = shape;
        attentions.push(new Tensor("float32", scatter_attention(data, shape, packing), [rows, heads, length, width]));
      } else if (kind === "hidden_states" || type.head.output.per_token.includes(name)) {
        const size = data.length / packing.count;
        const tensor = new Tensor("float32", scatter(data, size, packing), [rows, length, ...shape.slice(1)]);
        if (kind === "hidden_states") hidden_states.push(tensor);
        else fields[name] = tensor;
      } else fields[name] = new Tensor("float32", data, [...shape]);
    }
    if (args["choices"]) fields["logits"] = fields["logits"].view(-1, args["choices"] as number);
    const loss = Object.keys(labels).length > 0 ? type.head.loss?.(fields, labels, this.config) : undefined;
    const output = new type.head.output({
      ...(loss === undefined ? {} : { loss: new Tensor("float32", Float32Array.of(loss), []) }),
      ...fields,
      ...(args["past_key_values"] ? { past_key_values: args["past_key_values"] } : {}),
      ...(hidden_states.length > 0 ? { hidden_states } : {}),
      ...(attentions.length > 0 ? { attentions } : {}),
    });
    return args["return_dict"] === false ? (output.to_tuple() as unknown as ModelOutput) : output;
  }

  /** The arguments by name, all of them known. */
  protected forward_arguments(inputs: unknown, options: Arguments): Arguments {
    const named =
      typeof inputs === "object" &&
      inputs !== null &&
      !is_tensor(inputs) &&
      !Array.isArray(inputs) &&
      !ArrayBuffer.isView(inputs);
    const args: Arguments = named ? { ...inputs, ...options } : { input_ids: inputs, ...options };
    const type = this.constructor as typeof TextModel;
    const known = ["input_ids", "inputs_embeds", "attention_mask", ...type.token_inputs, ...type.optional_inputs];
    known.push(...type.head.labels, ...OPTIONS);
    if (type.takes_position_ids) known.push("position_ids");
    if (type.head.cached) known.push("past_key_values");
    for (const [name, value] of Object.entries(args))
      if (!known.includes(name) && value !== undefined)
        throw new TypeError(`${type.name}.forward() got an unexpected keyword argument '${name}'`);
    return args;
  }

  private batch_of(args: Arguments): Batch {
    const given = (name: string) => args[name] !== undefined && args[name] !== null;
    if (given("input_ids") && given("inputs_embeds"))
      throw new TypeError("You cannot specify both input_ids and inputs_embeds at the same time");
    if (!given("input_ids") && !given("inputs_embeds"))
      throw new TypeError("You have to specify either input_ids or inputs_embeds");
    const embeds = given("inputs_embeds") ? to_vectors(args["inputs_embeds"], "inputs_embeds") : undefined;
    const ids = embeds ? undefined : to_rows(args["input_ids"], "input_ids");
    const rows = embeds?.rows ?? (ids as Int32Array[]).length;
    const length = embeds?.length ?? (ids as Int32Array[])[0].length;
    if (length === 0) throw out_of_range("at least one token in each row", "input_ids", args["input_ids"]);
    if (ids) check_ids(ids, this.vocab_size, "input_ids");
    if (embeds && embeds.size !== this.embedding_size)
      throw out_of_range(`vectors of ${this.embedding_size} values`, "inputs_embeds", `vectors of ${embeds.size}`);
    const shape = [rows, length] as const;
    const past = given("past_key_values")
      ? continue_rows(args["past_key_values"], this.graph_engine(), shape, args["attention_mask"])
      : undefined;
    const mask =
      past?.mask ??
      (given("attention_mask") && !past ? to_mask(args["attention_mask"], shape, "attention_mask") : undefined);
    return { rows, length, ids, embeds, mask: mask?.some((row) => row.includes(0)) ? mask : undefined, past };
  }

  /** Size of what `inputs_embeds` holds for each token. */
  protected get embedding_size(): number {
    return this.config["hidden_size"] as number;
  }

  /** `token_type_ids` are below it. */
  protected get type_count(): number {
    return this.config["type_vocab_size"] as number;
  }

  private feeds(args: Arguments, batch: Batch, packing: Packing): Feeds {
    const { rows, length } = packing;
    const flat = (all: Int32Array[]) => {
      const result = new Int32Array(rows * length);
      for (let i = 0; i < rows; i++) result.set(all[all.length === 1 ? 0 : i], i * length);
      return gather(result, 1, packing);
    };
    const integers = (name: string, bound: number): Int32Array[] | undefined => {
      if (args[name] === undefined || args[name] === null) return undefined;
      const values = to_rows(args[name], name);
      if ((values.length !== rows && values.length !== 1) || values[0].length !== length)
        throw out_of_range(
          `the shape of the tokens, [${rows}, ${length}]`,
          name,
          `shape [${values.length}, ${values[0].length}]`,
        );
      check_ids(values, bound, name);
      return values;
    };
    const feeds: Feeds = { spans: packing.spans, first: this.pick(packing, new Int32Array(rows)) };
    const positions =
      integers("position_ids", this.max_positions) ??
      Array.from({ length: rows }, (_, i) => this.default_positions(length, batch.ids?.[i], batch.past?.length ?? 0));
    const last = Math.max(...positions.map((row) => row.reduce((most, at) => Math.max(most, at), 0)));
    if (last >= this.max_positions)
      throw out_of_range(
        `at most ${this.max_positions - this.first_position} tokens in a row, as max_position_embeddings says`,
        "input_ids",
        `${(batch.past?.length ?? 0) + length} tokens`,
      );
    feeds["position_ids"] = flat(positions);
    const { token_inputs, optional_inputs } = this.constructor as typeof TextModel;
    for (const name of [...token_inputs, ...optional_inputs]) {
      const values =
        integers(name, this.type_count) ?? (token_inputs.includes(name) ? [new Int32Array(length)] : undefined);
      if (values) feeds[name] = flat(values);
    }
    if (batch.ids) feeds["input_ids"] = flat(batch.ids);
    if (batch.embeds) feeds["inputs_embeds"] = gather(batch.embeds.data, batch.embeds.size, packing);
    return feeds;
  }

  /** The packed token at a position of each row. */
  private pick({ tokens, length }: Packing, positions: Int32Array): Int32Array {
    return positions.map((position, row) => Math.max(0, tokens[row * length + position]));
  }
}

/** Makes rows of the choices, [rows, choices, length]: the inputs lose an axis. Returns the number of choices. */
function flatten_choices(args: Arguments): number {
  let choices: number | undefined;
  for (const name of ["input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds"]) {
    const value = args[name];
    if (value === undefined || value === null) continue;
    const all = is_tensor(value) ? (value as Tensor) : tensor(value as number[][][]);
    const axes = name === "inputs_embeds" ? 4 : 3;
    if (all.dims.length !== axes)
      throw expected(`a tensor of ${axes} axes, [rows, choices, length, …]`, name, `dims [${all.dims}]`);
    choices ??= all.dims[1];
    args[name] = all.view(all.dims[0] * all.dims[1], ...all.dims.slice(2));
  }
  return choices ?? 1;
}

// Models of texts on the graph engine: what their forward() takes and gives.
import { expected, TransformersError } from "../errors.js";
import { EngineCache } from "../generation/cache.js";
import type { Start, StartOptions } from "../generation/start.js";
import { type Sym, Tokens } from "../nn/index.js";
import { is_tensor, type Tensor, tensor } from "../tensor/index.js";
import {
  type Arguments,
  type Batch,
  check_arguments,
  flat,
  given_of,
  is_given,
  is_padding_cheap,
  is_wanted,
  kept_positions,
  pick,
  pick_all,
  read_batch,
  token_feeds,
  token_integers,
} from "./batch.js";
import { fields_of, listed, returned, scalar } from "./computed.js";
import type { DecodeSize } from "./decode_programs.js";
import { type Computed, type Feeds, GraphModel } from "./graph_model.js";
import { type Head, multiple_choice } from "./heads.js";
import { named_arguments } from "./inputs.js";
import type { ModelOutput } from "./outputs.js";
import { cached_rows, type Packing, pack } from "./packing.js";

export type { Arguments, Batch } from "./batch.js";

const OPTIONS = ["output_hidden_states", "output_attentions", "return_dict", "use_cache"];

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
  /** Whether forward() takes `logits_to_keep`: a number of last positions (0: all), or a list of positions. */
  static takes_logits_to_keep = false;
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
    return new Int32Array(length).map((_, i) => this.first_position + past + i);
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
    return this.pass(this.forward_arguments(inputs, options));
  }

  protected override forward_last(args: Arguments): Promise<ModelOutput> {
    return this.pass({ ...args, logits_to_keep: 1 });
  }

  private async pass(args: Arguments): Promise<ModelOutput> {
    const type = this.constructor as typeof TextModel;
    const choices = type.head === multiple_choice ? flatten_choices(args) : undefined;
    const batch = read_batch(args, {
      vocab_size: this.vocab_size,
      embedding_size: this.embedding_size,
      past: is_given(args["past_key_values"])
        ? { cache: args["past_key_values"], engine: this.graph_engine() }
        : undefined,
    });
    const { rows, length } = batch;
    const wants = {
      hidden_states: is_wanted(args, "output_hidden_states", this.config),
      attentions: is_wanted(args, "output_attentions", this.config),
      cache: this.gives_cache(args),
    };
    const labels = given_of(args, type.head.labels);
    const has_labels = Object.keys(labels).length > 0;
    const last = this.last_positions(batch);
    const kept = kept_positions(args["logits_to_keep"], length);
    const packing = pack({
      ...batch,
      causal: this.is_causal,
      blind_sees: this.blind_sees,
      keep_padding:
        wants.hidden_states ||
        wants.attentions ||
        has_labels ||
        is_padding_cheap(batch.mask, this) ||
        last?.some((position, row) => batch.mask?.[row][position] === 0) ||
        kept?.some((position) => batch.mask?.some((row) => row[position] === 0)),
    });
    const feeds = this.feeds(args, batch, packing);
    if (last) feeds["last"] = pick(packing, last);
    if (kept) feeds["outputs"] = pick_all(packing, kept);
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
      outputs: kept && rows * kept.length,
    };
    const { computed, cache } = await this.execute_cached(
      `${Object.values(tokens)} ${wants.hidden_states}`,
      () => this.trace(new Tokens(tokens), wants),
      feeds,
      cached ? { ...cached_rows(packing), ...(past ? { cache: past.handle } : {}) } : undefined,
    );
    const past_key_values = cache === undefined ? undefined : this.cache_of(cache, batch, packing, args);
    return this.assemble(computed, packing, labels, {
      ...args,
      choices,
      kept: kept?.length,
      past_key_values: wants.cache ? past_key_values : undefined,
    });
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
    return (this.constructor as typeof TextModel).head.generates === true;
  }

  protected override get counts_padding(): boolean {
    return !(this.constructor as typeof TextModel).takes_position_ids;
  }

  protected override async start(options: StartOptions): Promise<Start> {
    return this.prefill_hidden(await super.start(options));
  }

  protected override get row_inputs(): Record<string, number> {
    const { takes_position_ids, token_inputs, optional_inputs } = this.constructor as typeof TextModel;
    return {
      ...(takes_position_ids ? { position_ids: this.max_positions } : {}),
      ...Object.fromEntries([...token_inputs, ...optional_inputs].map((name) => [name, this.type_count])),
    };
  }

  protected override get optional_inputs(): readonly string[] {
    return (this.constructor as typeof TextModel).optional_inputs;
  }

  /** They count what the mask shows, also where the model itself would count otherwise. */
  protected override positions_of(attention_mask: Uint8Array[]): { position_ids?: Int32Array[] } {
    if (!(this.constructor as typeof TextModel).takes_position_ids) return {};
    const position_ids = attention_mask.map((row) => {
      let seen = 0;
      return Int32Array.from(row, (bit) => (bit ? seen++ : 1));
    });
    return { position_ids };
  }

  protected override decode_step({ tokens, outputs, given = [] }: DecodeSize): Record<string, Sym | undefined> {
    if (!this.can_generate()) return super.decode_step({ tokens, outputs });
    if (!this.is_causal)
      throw new TransformersError(
        `If you want to use \`${this.constructor.name}\` as a standalone, add \`is_decoder=True.\``,
        "cannot_generate",
      );
    const picked = outputs < tokens ? { outputs } : {};
    return this.compute(new Tokens({ count: tokens, rows: tokens, cached: true, given, ...picked }));
  }

  /** Writes the computation down, with the states that were asked for. */
  private trace(tokens: Tokens, wants: Wanted): Record<string, Sym | undefined> {
    return {
      ...this.compute(tokens),
      ...(wants.hidden_states ? listed("hidden_states", tokens.hidden_states) : {}),
      ...listed("attentions", tokens.attentions),
    };
  }

  private assemble(computed: Computed, packing: Packing, labels: Arguments, args: Arguments): ModelOutput {
    const { head } = this.constructor as typeof TextModel;
    const { hidden_states, attentions, ...fields } = fields_of(computed, (field) => {
      if (field === "attentions") return { packing, keys: packing };
      if (field === "logits" && args["kept"] !== undefined) return undefined;
      return field === "hidden_states" || head.output.per_token.includes(field) ? { packing } : undefined;
    });
    const own = fields as Record<string, Tensor>;
    if (args["kept"] !== undefined)
      own["logits"] = own["logits"].view(packing.rows, args["kept"] as number, own["logits"].dims[1]);
    if (args["choices"]) own["logits"] = own["logits"].view(-1, args["choices"] as number);
    const loss = Object.keys(labels).length > 0 ? head.loss?.(own, labels, this.config) : undefined;
    const output = new head.output({
      ...(loss === undefined ? {} : { loss: scalar(loss) }),
      ...own,
      past_key_values: args["past_key_values"],
      hidden_states,
      attentions,
    });
    return returned(output, args);
  }

  /** The arguments by name, all of them known. */
  protected forward_arguments(inputs: unknown, options: Arguments): Arguments {
    const args = named_arguments(inputs, options);
    const type = this.constructor as typeof TextModel;
    const known = ["input_ids", "inputs_embeds", "attention_mask", ...type.token_inputs, ...type.optional_inputs];
    known.push(...type.head.labels, ...OPTIONS);
    if (type.takes_position_ids) known.push("position_ids");
    if (type.head.cached) known.push("past_key_values");
    if (type.takes_logits_to_keep) known.push("logits_to_keep");
    check_arguments(args, known, type.name);
    return args;
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
    const positions =
      token_integers(args, "position_ids", this.max_positions, packing) ??
      Array.from({ length: rows }, (_, i) => this.default_positions(length, batch.ids?.[i], batch.past?.length ?? 0));
    const { max_positions, first_position } = this;
    const feeds = token_feeds(batch, packing, { positions, max_positions, first_position });
    const { token_inputs, optional_inputs } = this.constructor as typeof TextModel;
    for (const name of [...token_inputs, ...optional_inputs]) {
      const values =
        token_integers(args, name, this.type_count, packing) ??
        (token_inputs.includes(name) ? [new Int32Array(length)] : undefined);
      if (values) feeds[name] = flat(values, packing);
    }
    return feeds;
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

// Models of texts on the graph engine: what their forward() takes and gives.
import { EngineCache } from "../generation/cache.js";
import { type Sym, Tokens } from "../nn/index.js";
import type { Tensor } from "../tensor/index.js";
import {
  type Arguments,
  type Batch,
  check_arguments,
  check_positions,
  flat,
  given_of,
  is_given,
  is_padding_cheap,
  is_wanted,
  kept_positions,
  pick,
  pick_all,
  read_batch,
  rows_of,
  token_feeds,
  token_integers,
} from "./batch.js";
import { listed, Results, returned, scalar } from "./computed.js";
import { GeneratingTextModel } from "./generating_text_model.js";
import { multiple_choice } from "./heads.js";
import { named_arguments } from "./inputs.js";
import type { ModelOutput } from "./outputs.js";
import { cached_rows, pack, type Run, runs_of } from "./packing.js";
import { TRACED } from "./programs.js";
import { flatten_choices, has_labels, known_arguments } from "./text_arguments.js";

export type { Arguments, Batch } from "./batch.js";

/** What a call asks for. */
interface Call {
  batch: Batch;
  /** One integer for each token, by the name of the program's input. */
  integers: Record<string, Int32Array[]>;
  /** The optional inputs among them. */
  given: string[];
  last: Int32Array | undefined;
  kept: Int32Array | undefined;
  hidden_states: boolean;
  attentions: boolean;
  /** Keys and values go into the engine's cache. */
  cached: boolean;
  keep_padding: boolean;
}

/**
 * A model that reads rows of tokens. A subclass declares its modules and says in `compute` what becomes of the tokens.
 * Hidden states are [tokens, size] there: all rows lie end to end, without padding.
 */
export abstract class TextModel extends GeneratingTextModel {
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
    const positions = new Int32Array(length);
    for (let i = 0; i < length; i++) positions[i] = this.first_position + past + i;
    return positions;
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
    const { head } = this.constructor as typeof TextModel;
    const choices = head === multiple_choice ? flatten_choices(args) : undefined;
    const call = this.read(args);
    const results = new Results(call.batch.rows);
    const running = this.submit_all(call, results);
    // The output is made while the engine computes, unless it depends on what that says.
    if (!call.cached && !has_labels(args, head)) {
      const made = this.assemble(results, call, args, choices);
      await running;
      return made;
    }
    const cache = await running;
    const past = cache !== undefined && this.gives_cache(args) ? this.cache_of(cache, call.batch, args) : undefined;
    return this.assemble(results, call, args, choices, past);
  }

  /** Reads the arguments, all rows of them. */
  private read(args: Arguments): Call {
    const { head } = this.constructor as typeof TextModel;
    const past = args["past_key_values"];
    const batch = read_batch(args, {
      vocab_size: this.vocab_size,
      embedding_size: this.embedding_size,
      past: is_given(past) ? { cache: past, engine: this.graph_engine() } : undefined,
    });
    const hidden_states = is_wanted(args, "output_hidden_states", this.config);
    const attentions = is_wanted(args, "output_attentions", this.config);
    const last = this.last_positions(batch);
    const kept = kept_positions(args["logits_to_keep"], batch.length);
    const { mask } = batch;
    const { integers, given } = this.integers(args, batch);
    return {
      batch,
      integers,
      given,
      last,
      kept,
      hidden_states,
      attentions,
      cached: batch.past !== undefined || this.gives_cache(args),
      keep_padding:
        mask !== undefined &&
        (hidden_states ||
          attentions ||
          has_labels(args, head) ||
          is_padding_cheap(mask, this) ||
          last?.some((position, row) => mask[row][position] === 0) ||
          kept?.some((position) => mask.some((row) => row[position] === 0)) === true),
    };
  }

  /** Submits a call to the engine; large ones in runs of rows. Gives the cache's number. */
  private submit_all(call: Call, results: Results): Promise<number | undefined> {
    const { rows, length, mask } = call.batch;
    const runs: Run[] = call.cached ? [[0, rows]] : runs_of(rows, length, call.keep_padding ? undefined : mask);
    const first = this.submit(call, results, runs[0]);
    return runs.length === 1 ? first : this.submit_others(call, results, first, runs);
  }

  /** … those after the first, one ahead of the engine. */
  private async submit_others(call: Call, results: Results, first: Promise<unknown>, runs: Run[]): Promise<undefined> {
    let before = first;
    for (const run of runs.slice(1)) {
      const next = this.submit(call, results, run);
      next.catch(() => {}); // until it is awaited
      await before;
      before = next;
    }
    await before;
  }

  private submit(call: Call, results: Results, [first, end]: Run): Promise<number | undefined> {
    const { head } = this.constructor as typeof TextModel;
    const { kept, last, cached, integers, given, hidden_states } = call;
    const batch = rows_of(call.batch, first, end);
    const { rows, length, mask, past } = batch;
    const packing = pack({
      rows,
      length,
      mask,
      past,
      causal: this.is_causal,
      blind_sees: this.blind_sees,
      keep_padding: call.keep_padding,
      // What a model does with the tokens of a single row is its own affair, and who traces wants to see the batch's.
      rounds: !cached && rows > 1 && TRACED === undefined,
    });
    const { size, size_rows } = packing;
    const attention_width = call.attentions ? (past?.length ?? 0) + length : undefined;
    const embeds_size = batch.embeds?.size;
    const outputs = kept && size_rows * kept.length;
    const program = this.program(
      `${size} ${size_rows} ${cached} ${hidden_states} ${attention_width} ${embeds_size} ${outputs} ${given}`,
      () => {
        const sizes = { count: size, rows: size_rows, cached, given, attention_width, embeds_size, outputs };
        return this.trace(new Tokens(sizes), hidden_states);
      },
    );
    const feeds = token_feeds(batch, packing);
    for (const name in integers) feeds[name] = flat(integers[name], packing, first);
    if (last) feeds["last"] = pick(packing, last.subarray(first, end));
    if (kept) feeds["outputs"] = pick_all(packing, kept);

    const part = results.part(program, { first, end, size: size_rows }, (field) => {
      if (field === "attentions") return { packing, keys: packing };
      if (field === "logits" && kept) return undefined;
      return field === "hidden_states" || head.output.per_token.includes(field) ? { packing } : undefined;
    });
    return this.run_program(program, feeds, part, cached ? cached_rows(packing, past?.handle) : undefined);
  }

  /** Whether forward() gives `past_key_values`. */
  protected gives_cache(args: Arguments): boolean {
    const { head } = this.constructor as typeof TextModel;
    return head.cached === true && this.is_causal && Boolean(args["use_cache"] ?? this.config.use_cache ?? true);
  }

  private cache_of(handle: number, { rows, length, mask, past }: Batch, args: Arguments): EngineCache {
    const lengths = Array.from({ length: rows }, (_, row) => {
      const seen = mask ? mask[row].reduce((sum, bit) => sum + bit, 0) : length;
      return (past?.lengths[row] ?? 0) + seen;
    });
    const columns = (past?.length ?? 0) + length;
    return EngineCache.of(this.graph_engine(), handle, args["past_key_values"], lengths, columns);
  }

  /** Writes the computation down, with the states that were asked for. */
  private trace(tokens: Tokens, hidden_states: boolean): Record<string, Sym | undefined> {
    return {
      ...this.compute(tokens),
      ...(hidden_states ? listed("hidden_states", tokens.hidden_states) : {}),
      ...listed("attentions", tokens.attentions),
    };
  }

  private assemble(
    { fields }: Results,
    { batch, kept }: Call,
    args: Arguments,
    choices: number | undefined,
    past_key_values?: EngineCache,
  ): ModelOutput {
    const { head } = this.constructor as typeof TextModel;
    const own = fields as Record<string, Tensor>;
    if (kept) own["logits"] = own["logits"].view(batch.rows, kept.length, own["logits"].dims[1]);
    if (choices) own["logits"] = own["logits"].view(-1, choices);
    const loss = has_labels(args, head) ? head.loss?.(own, given_of(args, head.labels), this.config) : undefined;
    const ordered: Record<string, unknown> = loss === undefined ? {} : { loss: scalar(loss) };
    for (const name in fields) if (name !== "hidden_states" && name !== "attentions") ordered[name] = fields[name];
    ordered["past_key_values"] = past_key_values;
    ordered["hidden_states"] = fields["hidden_states"];
    ordered["attentions"] = fields["attentions"];
    return returned(new head.output(ordered), args);
  }

  /** The arguments by name, all of them known. */
  protected forward_arguments(inputs: unknown, options: Arguments): Arguments {
    const args = named_arguments(inputs, options);
    const type = this.constructor as typeof TextModel;
    check_arguments(args, known_arguments(type), type.name);
    return args;
  }

  /** Size of what `inputs_embeds` holds for each token. */
  protected get embedding_size(): number {
    return this.config["hidden_size"] as number;
  }

  /** What the call says of each token, or else the model; and which optional inputs are among it. */
  private integers(args: Arguments, batch: Batch): Pick<Call, "integers" | "given"> {
    const { token_inputs, optional_inputs } = this.constructor as typeof TextModel;
    const { rows, length, ids, past } = batch;
    const { max_positions, first_position } = this;
    let position_ids = token_integers(args, "position_ids", max_positions, batch);
    if (!position_ids) {
      position_ids = [];
      for (let row = 0; row < rows; row++)
        position_ids.push(this.default_positions(length, ids?.[row], past?.length ?? 0));
      check_positions(position_ids, { max_positions, first_position }, (past?.length ?? 0) + length);
    }
    const integers: Call["integers"] = { position_ids };
    const given: string[] = [];
    if (ids) integers["input_ids"] = ids;
    for (const name of token_inputs)
      integers[name] = token_integers(args, name, this.type_count, batch) ?? [new Int32Array(length)];
    for (const name of optional_inputs) {
      const values = token_integers(args, name, this.type_count, batch);
      if (!values) continue;
      integers[name] = values;
      given.push(name);
    }
    return { integers, given };
  }
}

// Models of an encoder and a decoder on the graph engine: what their forward() takes and gives.
import { out_of_range, TransformersError, warn_once } from "../errors.js";
import { EngineCache } from "../generation/cache.js";
import { cannot_generate } from "../generation/mixin.js";
import { type Start, type StartOptions, start_of_encoder_decoder } from "../generation/start.js";
import type { RowStates, Rows, StateFlags } from "../generation/states.js";
import { type Sym, Tokens, type TokensOptions, Trace } from "../nn/index.js";
import { stack, type Tensor } from "../tensor/index.js";
import {
  type Arguments,
  type Batch,
  check_arguments,
  given_of,
  is_given,
  is_padding_cheap,
  is_wanted,
  kept_positions,
  pick,
  pick_all,
  read_batch,
  token_feeds,
} from "./batch.js";
import { type Fields, fields_of, listed, returned, scalar } from "./computed.js";
import type { DecodeSize } from "./decode_programs.js";
import { type Feeds, GraphModel } from "./graph_model.js";
import type { Head } from "./heads.js";
import { named_arguments, to_rows } from "./inputs.js";
import {
  continued_memory,
  type EncoderOutputs,
  type Memory,
  memory_of,
  packed_keys,
  read_encoder_outputs,
  stored_keys,
} from "./memory.js";
import { BaseModelOutput, type ModelOutput } from "./outputs.js";
import { cached_rows, gather, type Packing, pack } from "./packing.js";

const ENCODER = ["input_ids", "inputs_embeds", "attention_mask"];
const DECODER = ["decoder_input_ids", "decoder_inputs_embeds", "decoder_attention_mask"];
const STATES = ["output_hidden_states", "output_attentions", "return_dict"];

interface Wanted {
  hidden_states: boolean;
  attentions: boolean;
}

/** The encoder's side of a call: tokens to read, or what was made of them before. */
interface Encoder {
  batch: Batch;
  packing: Packing;
  feeds: Feeds;
  tokens: TokensOptions;
  outputs: EncoderOutputs | undefined;
}

/**
 * A model whose decoder looks at what its encoder made of a text. A subclass declares its modules and says in `encode`
 * and `decode` what becomes of the tokens. States are [tokens, size] there: all rows lie end to end, without padding.
 */
export abstract class Seq2SeqModel extends GraphModel {
  /** What forward() returns and which labels it takes. */
  static head: Head;

  /** The encoder's last_hidden_state, [tokens, size]. */
  abstract encode(tokens: Tokens): Sym;
  /** The named outputs of the head, of the decoder's tokens, which look at the encoder's by `tokens.cross_attention`. */
  abstract decode(tokens: Tokens): Record<string, Sym | undefined>;

  /** What the decoder reads where the caller gives it nothing, for these ids of the encoder; undefined: it must. */
  protected default_decoder_ids(_input_ids: Int32Array[]): Int32Array[] | undefined {
    return undefined;
  }

  /** Where `tokens.last` is in each of the decoder's rows, if `decode` reads it. */
  protected last_positions(_encoder: Batch | undefined, _decoder: Batch): Int32Array | undefined {
    return undefined;
  }

  /**
   * One pass over a text and over what the decoder has said so far. Takes ids (a list, a Tensor, a BatchEncoding), or an
   * object with Python's arguments. `encoder_outputs` stand for the text; with `past_key_values` neither is needed.
   * Positions that a mask hides hold what Python gives there, or zeros where that would cost time.
   * @throws TypeError for unknown arguments, RangeError for ids out of range and shapes that do not fit.
   */
  override async forward(inputs?: unknown, options: Arguments = {}): Promise<ModelOutput> {
    return this.pass(named_arguments(inputs, options));
  }

  protected override forward_last(args: Arguments): Promise<ModelOutput> {
    return this.pass(args, 1);
  }

  /** `keep`: so many of the decoder's last positions get logits; default: all. */
  private async pass(args: Arguments, keep?: number): Promise<ModelOutput> {
    const type = this.constructor as typeof Seq2SeqModel;
    const known = [...ENCODER, ...DECODER, ...STATES, ...type.head.labels];
    check_arguments(args, [...known, "encoder_outputs", "past_key_values", "use_cache"], type.name);
    const labels = given_of(args, type.head.labels);
    const wants = this.wants(args);
    const past = is_given(args["past_key_values"]);
    const reads = ["encoder_outputs", "input_ids", "inputs_embeds"].some((name) => is_given(args[name]));
    const encoder = reads || !past ? this.read_encoder(args, wants) : undefined;
    const decoder = read_batch(
      { ...args, ...this.decoder_ids(args, encoder?.batch) },
      {
        prefix: "decoder_",
        vocab_size: this.output_vocab_size,
        embedding_size: this.embedding_size,
        past: past ? { cache: args["past_key_values"], engine: this.graph_engine() } : undefined,
      },
    );
    if (encoder && decoder.rows !== encoder.batch.rows)
      throw out_of_range(`${encoder.batch.rows} rows, as many as the encoder's`, "decoder_input_ids", decoder.rows);
    const stored = past ? continued_memory(args["past_key_values"], args["attention_mask"]) : undefined;

    const last = this.last_positions(encoder?.batch, decoder);
    const kept = kept_positions(keep, decoder.length);
    const has_labels = type.head.labels.length > 0 && Object.keys(labels).length === type.head.labels.length;
    const keep_padding =
      this.keeps_padding(decoder, wants) ||
      has_labels ||
      last?.some((position, row) => decoder.mask?.[row][position] === 0) ||
      kept?.some((position) => decoder.mask?.some((row) => row[position] === 0));
    const packing = pack({ ...decoder, causal: true, keep_padding: keep_padding === true });
    const positions = this.positions(decoder);
    const feeds: Feeds = {
      ...encoder?.feeds,
      ...token_feeds(decoder, packing, { positions, max_positions: this.max_positions, argument_prefix: "decoder_" }),
    };
    if (last) feeds["last"] = pick(packing, last);
    if (kept) feeds["outputs"] = pick_all(packing, kept);

    const cached = past || this.gives_cache(args, has_labels);
    const memory = stored ?? memory_of((encoder as Encoder).packing);
    const keys = cached ? stored_keys(packing, memory) : packed_keys(packing, (encoder as Encoder).packing);
    feeds["memory_spans"] = keys.spans;
    const tokens = {
      count: packing.count,
      rows: packing.rows,
      cached,
      attention_width: wants.attentions ? (decoder.past?.length ?? 0) + decoder.length : undefined,
      memory_width: wants.attentions ? memory.length : undefined,
      embeds_size: decoder.embeds?.size,
      outputs: kept && packing.rows * kept.length,
    };
    const rows = {
      ...cached_rows(packing),
      ...(decoder.past ? { cache: decoder.past.handle } : { memory: (encoder as Encoder).packing }),
    };
    const { computed, cache } = await this.execute_cached(
      JSON.stringify([encoder?.tokens, encoder?.outputs !== undefined, tokens, past, wants]),
      () => this.trace(encoder, { ...tokens, ...(past ? { memory: "stored" as const } : {}) }, wants),
      feeds,
      cached ? rows : undefined,
    );
    const fields = fields_of(computed, (field) => {
      if (field === "cross_attentions") return { packing, keys };
      if (field === "decoder_attentions") return { packing, keys: packing };
      if (field === "logits" && kept) return undefined;
      return field === "decoder_hidden_states" || type.head.output.per_token.includes(field)
        ? { packing }
        : encoder_place(field, encoder);
    });
    const result = cache === undefined ? undefined : this.cache_of(cache, decoder, packing, args, memory);
    return this.assemble({ ...fields, ...given_states(encoder?.outputs) }, labels, {
      ...args,
      past_key_values: this.gives_cache(args, has_labels) ? result : undefined,
    });
  }

  private wants(args: Arguments): Wanted {
    return {
      hidden_states: is_wanted(args, "output_hidden_states", this.config),
      attentions: is_wanted(args, "output_attentions", this.config),
    };
  }

  /** Size of what `inputs_embeds` holds for each token. */
  protected get embedding_size(): number {
    return this.config["hidden_size"] as number;
  }

  private keeps_padding({ mask }: Batch, wants: Wanted): boolean {
    return wants.hidden_states || wants.attentions || is_padding_cheap(mask, this);
  }

  private positions({ rows, length, past }: Batch): Int32Array[] {
    const row = new Int32Array(length).map((_, i) => (past?.length ?? 0) + i);
    return Array.from({ length: rows }, () => row);
  }

  /** The encoder's text, or its outputs for one, with `attention_mask`. */
  private read_encoder(args: Arguments, wants: Wanted): Encoder {
    const size = this.embedding_size;
    const outputs = is_given(args["encoder_outputs"]) ? read_encoder_outputs(args["encoder_outputs"], size) : undefined;
    const batch = read_batch(
      outputs ? { inputs_embeds: outputs.last_hidden_state, attention_mask: args["attention_mask"] } : args,
      { vocab_size: this.vocab_size, embedding_size: size },
    );
    if (outputs && is_given(args["input_ids"])) batch.ids = to_rows(args["input_ids"], "input_ids");
    const packing = pack({ ...batch, keep_padding: this.keeps_padding(batch, wants) });
    const feeds = outputs
      ? { encoder_states: gather((batch.embeds as { data: Float32Array }).data, size, packing) }
      : token_feeds(batch, packing, {
          positions: this.positions(batch),
          max_positions: this.max_positions,
          prefix: "encoder_",
        });
    const tokens = {
      count: packing.count,
      rows: packing.rows,
      prefix: "encoder_",
      attention_width: wants.attentions ? packing.length : undefined,
      embeds_size: batch.embeds?.size,
    };
    return { batch, packing, feeds, tokens, outputs };
  }

  /** The decoder's ids, where the call does not bring them: its labels, or the text, one place to the right. */
  private decoder_ids(args: Arguments, encoder: Batch | undefined): Arguments {
    if (is_given(args["decoder_input_ids"]) || is_given(args["decoder_inputs_embeds"])) return {};
    if (is_given(args["labels"]) && (this.constructor as typeof Seq2SeqModel).head.generates)
      return { decoder_input_ids: this.shift_tokens_right(to_rows(args["labels"], "labels")) };
    const ids = encoder?.ids && this.default_decoder_ids(encoder.ids);
    return ids ? { decoder_input_ids: ids } : {};
  }

  /** Writes the computation down, with the states that were asked for. */
  private trace(encoder: Encoder | undefined, decoder: TokensOptions, wants: Wanted): Record<string, Sym | undefined> {
    const outputs: Record<string, Sym | undefined> = {};
    const states = encoder && this.trace_encoder(encoder, wants, outputs);
    const tokens = new Tokens({ memory: states, ...decoder });
    Object.assign(outputs, this.decode(tokens), listed("decoder_attentions", tokens.attentions));
    Object.assign(outputs, listed("cross_attentions", tokens.cross_attentions));
    if (wants.hidden_states) Object.assign(outputs, listed("decoder_hidden_states", tokens.hidden_states));
    return outputs;
  }

  /** The encoder's states; what it computes goes to `outputs`. */
  private trace_encoder(encoder: Encoder, wants: Wanted, outputs: Record<string, Sym | undefined>): Sym {
    if (encoder.outputs)
      return Trace.current.input("encoder_states", [encoder.tokens.count, this.embedding_size], "f32");
    const tokens = new Tokens(encoder.tokens);
    const states = this.encode(tokens);
    Object.assign(outputs, { encoder_last_hidden_state: states }, listed("encoder_attentions", tokens.attentions));
    if (wants.hidden_states) Object.assign(outputs, listed("encoder_hidden_states", tokens.hidden_states));
    return states;
  }

  private cache_of(handle: number, decoder: Batch, { visible }: Packing, args: Arguments, memory: Memory): EngineCache {
    const { past, length } = decoder;
    const lengths = Array.from(visible, (count, row) => (past?.lengths[row] ?? 0) + count);
    const columns = (past?.length ?? 0) + length;
    const cache = EngineCache.of(this.graph_engine(), handle, args["past_key_values"], lengths, columns);
    cache.memory = memory;
    return cache;
  }

  private assemble(fields: Fields, labels: Arguments, args: Arguments): ModelOutput {
    const { head } = this.constructor as typeof Seq2SeqModel;
    const { decoder_hidden_states, decoder_attentions, cross_attentions, ...rest } = fields;
    const { encoder_last_hidden_state, encoder_hidden_states, encoder_attentions, ...own } = rest;
    const loss =
      Object.keys(labels).length > 0 ? head.loss?.(own as Record<string, Tensor>, labels, this.config) : undefined;
    const output = new head.output({
      ...(loss === undefined ? {} : { loss: scalar(loss) }),
      ...own,
      past_key_values: args["past_key_values"],
      decoder_hidden_states,
      decoder_attentions,
      cross_attentions,
      encoder_last_hidden_state,
      encoder_hidden_states,
      encoder_attentions,
    });
    return returned(output, args);
  }

  /** The encoder alone: called with `input_ids` or `inputs_embeds`, and `attention_mask`. */
  get_encoder(): (inputs?: unknown, options?: Arguments) => Promise<ModelOutput> {
    return async (inputs, options = {}) => {
      const args = named_arguments(inputs, options);
      check_arguments(args, [...ENCODER, ...STATES], `${this.constructor.name}.get_encoder()`);
      const { outputs } = await this.run_encoder(args, false);
      return returned(new BaseModelOutput(outputs), args);
    };
  }

  /**
   * Runs the encoder. With `store` the engine keeps what the decoder needs of it: a cache whose rows have no tokens yet.
   */
  protected async run_encoder(
    args: Arguments,
    store: boolean,
  ): Promise<{ outputs: EncoderOutputs; cache: EngineCache | undefined }> {
    const wants = this.wants(args);
    const encoder = this.read_encoder(args, wants);
    const { packing, outputs } = encoder;
    const empty = new Int32Array(packing.rows);
    const { computed, cache } = await this.execute_cached(
      JSON.stringify(["encoder", encoder.tokens, outputs !== undefined, wants, store]),
      () => {
        const traced: Record<string, Sym | undefined> = {};
        const states = this.trace_encoder(encoder, wants, traced);
        if (!store) return traced;
        // Of a decoder's token only what it asks of the encoder stays in the program.
        const tokens = new Tokens({ count: 1, rows: packing.rows, cached: true, memory: states });
        this.decode(tokens);
        return { ...traced, ...listed("stores", tokens.stores) };
      },
      encoder.feeds,
      store ? { hidden: empty, visible: empty, memory: packing } : undefined,
    );
    const { encoder_last_hidden_state, encoder_hidden_states, encoder_attentions } = fields_of(computed, (field) =>
      encoder_place(field, encoder),
    );
    const made = {
      last_hidden_state: encoder_last_hidden_state as Tensor,
      hidden_states: encoder_hidden_states as Tensor[] | undefined,
      attentions: encoder_attentions as Tensor[] | undefined,
    };
    if (cache === undefined) return { outputs: outputs ?? made, cache };
    const kept = new EngineCache(this.graph_engine(), cache, Array.from(empty), 0);
    kept.memory = memory_of(packing);
    return { outputs: outputs ?? made, cache: kept };
  }

  protected override async start(options: StartOptions): Promise<Start> {
    if (!this.can_generate()) throw cannot_generate(this);
    const start = await start_of_encoder_decoder(options, {
      run_encoder: (args, store) => this.run_encoder(args, store),
      decoder_ids: (ids) => {
        const made = this.default_decoder_ids(ids);
        if (made) return made;
        throw new TypeError("You have to specify either decoder_input_ids or decoder_inputs_embeds");
      },
    });
    return this.prefill_hidden(start, "decoder_");
  }

  protected override get counts_padding(): boolean {
    return true;
  }

  override get output_vocab_size(): number {
    return (this.config["decoder_vocab_size"] as number | undefined) ?? this.vocab_size;
  }

  protected override async rerun(inputs: Rows, prompts: number[], flags: StateFlags, { encoder }: Start) {
    const { outputs, attention_mask: mask } = encoder as NonNullable<Start["encoder"]>;
    const { last_hidden_state } = outputs as EncoderOutputs;
    const masks = is_given(mask) ? to_rows(mask, "attention_mask") : undefined;
    const { decoder_hidden_states, decoder_attentions, cross_attentions } = await this.forward({
      encoder_outputs: [stack(prompts.map((row) => last_hidden_state.slice(row)))],
      attention_mask: masks && prompts.map((row) => masks[row]),
      decoder_input_ids: inputs.input_ids,
      decoder_attention_mask: inputs.attention_mask,
      ...flags,
      use_cache: false,
    });
    return { decoder_hidden_states, decoder_attentions, cross_attentions } as RowStates;
  }

  override can_generate(): boolean {
    return (this.constructor as typeof Seq2SeqModel).head.generates === true;
  }

  protected override decode_step({ tokens, outputs }: DecodeSize): Record<string, Sym | undefined> {
    if (!this.can_generate()) return super.decode_step({ tokens, outputs });
    const picked = outputs < tokens ? { outputs } : {};
    return this.decode(new Tokens({ count: tokens, rows: tokens, cached: true, memory: "stored", ...picked }));
  }

  /** Whether forward() gives `past_key_values`. */
  protected gives_cache(args: Arguments, has_labels: boolean): boolean {
    const { head } = this.constructor as typeof Seq2SeqModel;
    if (has_labels && args["use_cache"])
      warn_once("The `use_cache` argument is changed to `False` since `labels` is provided.");
    return !has_labels && head.cached === true && Boolean(args["use_cache"] ?? this.config["use_cache"] ?? true);
  }

  /**
   * Moves ids one place to the right, behind the start token: what the decoder reads so as to say them.
   * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py `shift_tokens_right`
   */
  protected shift_tokens_right(ids: Int32Array[]): Int32Array[] {
    const { pad_token_id, decoder_start_token_id } = this.config;
    for (const [name, id] of Object.entries({ pad_token_id, decoder_start_token_id }))
      if (!is_given(id)) throw new TransformersError(`self.model.config.${name} has to be defined.`, "config_invalid");
    return ids.map((row) => {
      const shifted = new Int32Array(row.length);
      shifted.set(row.subarray(0, -1), 1);
      shifted[0] = decoder_start_token_id;
      return shifted.map((id) => (id === -100 ? pad_token_id : id));
    });
  }
}

/** Of which tokens an output of the encoder is. */
function encoder_place(field: string, encoder: Encoder | undefined) {
  if (!encoder || !field.startsWith("encoder_")) return undefined;
  const { packing } = encoder;
  return field === "encoder_attentions" ? { packing, keys: packing } : { packing };
}

/** The fields of an output for what the caller gave. */
const given_states = (outputs: EncoderOutputs | undefined): Fields =>
  outputs
    ? {
        encoder_last_hidden_state: outputs.last_hidden_state,
        ...(outputs.hidden_states ? { encoder_hidden_states: outputs.hidden_states } : {}),
        ...(outputs.attentions ? { encoder_attentions: outputs.attentions } : {}),
      }
    : {};

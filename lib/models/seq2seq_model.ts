// Models of an encoder and a decoder on the graph engine: what their forward() takes and gives.
import { out_of_range, TransformersError, warn_once } from "../errors.js";
import { EngineCache } from "../generation/cache.js";
import { cannot_generate } from "../generation/mixin.js";
import { type Start, type StartOptions, start_of_encoder_decoder } from "../generation/start.js";
import type { RowStates, Rows, StateFlags } from "../generation/states.js";
import { type Sym, Tokens, type TokensOptions } from "../nn/index.js";
import { stack, type Tensor } from "../tensor/index.js";
import {
  type Arguments,
  type Batch,
  check_arguments,
  check_positions,
  flat,
  given_of,
  is_given,
  kept_positions,
  pick,
  pick_all,
  read_batch,
  token_feeds,
} from "./batch.js";
import { type Fields, listed, Results, returned, scalar, whole } from "./computed.js";
import type { DecodeSize } from "./decode_programs.js";
import type { Feeds } from "./graph_model.js";
import type { Head } from "./heads.js";
import { named_arguments, to_rows } from "./inputs.js";
import { continued_memory, type EncoderOutputs, type Memory, memory_of, packed_keys, stored_keys } from "./memory.js";
import type { ModelOutput } from "./outputs.js";
import { cached_rows, type Packing, pack } from "./packing.js";
import {
  ENCODER_INPUTS,
  type Encoder,
  EncodingModel,
  encoder_place,
  STATE_OPTIONS,
  type Wanted,
} from "./seq2seq_encoder.js";

const DECODER_INPUTS = ["decoder_input_ids", "decoder_inputs_embeds", "decoder_attention_mask"];

/**
 * A model whose decoder looks at what its encoder made of a text. A subclass declares its modules and says in `encode`
 * and `decode` what becomes of the tokens. States are [tokens, size] there: all rows lie end to end, without padding.
 */
export abstract class Seq2SeqModel extends EncodingModel {
  /** What forward() returns and which labels it takes. */
  static head: Head;

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
    const known = [...ENCODER_INPUTS, ...DECODER_INPUTS, ...STATE_OPTIONS, ...type.head.labels];
    check_arguments(args, new Set([...known, "encoder_outputs", "past_key_values", "use_cache"]), type.name);
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
    const { max_positions } = this;
    check_positions(positions, { max_positions, prefix: "decoder_" }, (decoder.past?.length ?? 0) + decoder.length);
    const feeds: Feeds = { ...encoder?.feeds, ...token_feeds(decoder, packing) };
    feeds["position_ids"] = flat(positions, packing);
    if (decoder.ids) feeds["input_ids"] = flat(decoder.ids, packing);
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
      ...cached_rows(packing, decoder.past?.handle),
      ...(decoder.past ? {} : { memory: (encoder as Encoder).packing }),
    };
    const program = this.program(
      JSON.stringify([encoder?.tokens, encoder?.outputs !== undefined, tokens, past, wants]),
      () => this.trace(encoder, { ...tokens, ...(past ? { memory: "stored" as const } : {}) }, wants),
    );
    const results = new Results(packing.rows);
    const part = results.part(program, whole(packing), (field) => {
      if (field === "cross_attentions") return { packing, keys };
      if (field === "decoder_attentions") return { packing, keys: packing };
      if (field === "logits" && kept) return undefined;
      return field === "decoder_hidden_states" || type.head.output.per_token.includes(field)
        ? { packing }
        : encoder_place(field, encoder);
    });
    const cache = await this.run_program(program, feeds, part, cached ? rows : undefined);
    const result = cache === undefined ? undefined : this.cache_of(cache, decoder, packing, args, memory);
    return this.assemble({ ...results.fields, ...given_states(encoder?.outputs) }, labels, {
      ...args,
      past_key_values: this.gives_cache(args, has_labels) ? result : undefined,
    });
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

/** The fields of an output for what the caller gave. */
const given_states = (outputs: EncoderOutputs | undefined): Fields =>
  outputs
    ? {
        encoder_last_hidden_state: outputs.last_hidden_state,
        ...(outputs.hidden_states ? { encoder_hidden_states: outputs.hidden_states } : {}),
        ...(outputs.attentions ? { encoder_attentions: outputs.attentions } : {}),
      }
    : {};

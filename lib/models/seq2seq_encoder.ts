// The encoder's side of the models that have a decoder too.
import { EngineCache } from "../generation/cache.js";
import { type Sym, Tokens, type TokensOptions, Trace } from "../nn/index.js";
import type { Tensor } from "../tensor/index.js";
import {
  type Arguments,
  type Batch,
  check_arguments,
  check_positions,
  flat,
  is_given,
  is_padding_cheap,
  is_wanted,
  read_batch,
  token_feeds,
} from "./batch.js";
import { listed, Results, returned, whole } from "./computed.js";
import { type Feeds, GraphModel } from "./graph_model.js";
import { named_arguments, to_rows } from "./inputs.js";
import { type EncoderOutputs, memory_of, read_encoder_outputs } from "./memory.js";
import { BaseModelOutput, type ModelOutput } from "./outputs.js";
import { gather, type Packing, pack } from "./packing.js";

/** What forward() takes for the encoder, and what every forward() takes. */
export const ENCODER_INPUTS = ["input_ids", "inputs_embeds", "attention_mask"];
export const STATE_OPTIONS = ["output_hidden_states", "output_attentions", "return_dict"];

export interface Wanted {
  hidden_states: boolean;
  attentions: boolean;
}

/** The encoder's side of a call: tokens to read, or what was made of them before. */
export interface Encoder {
  batch: Batch;
  packing: Packing;
  feeds: Feeds;
  tokens: TokensOptions;
  outputs: EncoderOutputs | undefined;
}

/** A model that reads a text by an encoder, and says another by a decoder. States are [tokens, size]. */
export abstract class EncodingModel extends GraphModel {
  /** The encoder's last_hidden_state, [tokens, size]. */
  abstract encode(tokens: Tokens): Sym;
  /** The named outputs of the head, of the decoder's tokens, which look at the encoder's by `tokens.cross_attention`. */
  abstract decode(tokens: Tokens): Record<string, Sym | undefined>;

  protected wants(args: Arguments): Wanted {
    return {
      hidden_states: is_wanted(args, "output_hidden_states", this.config),
      attentions: is_wanted(args, "output_attentions", this.config),
    };
  }

  /** Size of what `inputs_embeds` holds for each token. */
  protected get embedding_size(): number {
    return this.config["hidden_size"] as number;
  }

  protected keeps_padding({ mask }: Batch, wants: Wanted): boolean {
    return wants.hidden_states || wants.attentions || is_padding_cheap(mask, this);
  }

  protected positions({ rows, length, past }: Batch): Int32Array[] {
    const row = new Int32Array(length).map((_, i) => (past?.length ?? 0) + i);
    return Array.from({ length: rows }, () => row);
  }

  /** The encoder's text, or its outputs for one, with `attention_mask`. */
  protected read_encoder(args: Arguments, wants: Wanted): Encoder {
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
      : this.encoder_feeds(batch, packing);
    const tokens = {
      count: packing.count,
      rows: packing.rows,
      prefix: "encoder_",
      attention_width: wants.attentions ? packing.length : undefined,
      embeds_size: batch.embeds?.size,
    };
    return { batch, packing, feeds, tokens, outputs };
  }

  private encoder_feeds(batch: Batch, packing: Packing): Feeds {
    const positions = this.positions(batch);
    check_positions(positions, { max_positions: this.max_positions }, batch.length);
    const feeds = token_feeds(batch, packing, "encoder_");
    feeds["encoder_position_ids"] = flat(positions, packing);
    if (batch.ids) feeds["encoder_input_ids"] = flat(batch.ids, packing);
    return feeds;
  }

  /** The encoder's states; what it computes goes to `outputs`. */
  protected trace_encoder(encoder: Encoder, wants: Wanted, outputs: Record<string, Sym | undefined>): Sym {
    if (encoder.outputs)
      return Trace.current.input("encoder_states", [encoder.tokens.count, this.embedding_size], "f32");
    const tokens = new Tokens(encoder.tokens);
    const states = this.encode(tokens);
    Object.assign(outputs, { encoder_last_hidden_state: states }, listed("encoder_attentions", tokens.attentions));
    if (wants.hidden_states) Object.assign(outputs, listed("encoder_hidden_states", tokens.hidden_states));
    return states;
  }

  /** The encoder alone: called with `input_ids` or `inputs_embeds`, and `attention_mask`. */
  get_encoder(): (inputs?: unknown, options?: Arguments) => Promise<ModelOutput> {
    return async (inputs, options = {}) => {
      const args = named_arguments(inputs, options);
      check_arguments(args, new Set([...ENCODER_INPUTS, ...STATE_OPTIONS]), `${this.constructor.name}.get_encoder()`);
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
    const program = this.program(
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
    );
    const results = new Results(packing.rows);
    const part = results.part(program, whole(packing), (field) => encoder_place(field, encoder));
    const rows = store ? { hidden: empty, visible: empty, memory: packing } : undefined;
    const cache = await this.run_program(program, encoder.feeds, part, rows);
    const { encoder_last_hidden_state, encoder_hidden_states, encoder_attentions } = results.fields;
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
}

/** Of which tokens an output of the encoder is. */
export function encoder_place(field: string, encoder: Encoder | undefined) {
  if (!encoder || !field.startsWith("encoder_")) return undefined;
  const { packing } = encoder;
  return field === "encoder_attentions" ? { packing, keys: packing } : { packing };
}

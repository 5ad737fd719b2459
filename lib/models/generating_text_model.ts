// Models of texts on the graph engine: how they are described, and what generate() wants of them.
import { TransformersError } from "../errors.js";
import type { Start, StartOptions } from "../generation/start.js";
import { type Sym, Tokens } from "../nn/index.js";
import type { DecodeSize } from "./decode_programs.js";
import { GraphModel } from "./graph_model.js";
import type { Head } from "./heads.js";

/** The base of TextModel: a subclass declares its modules and says in `compute` what becomes of the tokens. */
export abstract class GeneratingTextModel extends GraphModel {
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

  override can_generate(): boolean {
    return (this.constructor as typeof GeneratingTextModel).head.generates === true;
  }

  protected override get counts_padding(): boolean {
    return !(this.constructor as typeof GeneratingTextModel).takes_position_ids;
  }

  protected override async start(options: StartOptions): Promise<Start> {
    return this.prefill_hidden(await super.start(options));
  }

  protected override get row_inputs(): Record<string, number> {
    const { takes_position_ids, token_inputs, optional_inputs } = this.constructor as typeof GeneratingTextModel;
    return {
      ...(takes_position_ids ? { position_ids: this.max_positions } : {}),
      ...Object.fromEntries([...token_inputs, ...optional_inputs].map((name) => [name, this.type_count])),
    };
  }

  protected override get optional_inputs(): readonly string[] {
    return (this.constructor as typeof GeneratingTextModel).optional_inputs;
  }

  /** They count what the mask shows, also where the model itself would count otherwise. */
  protected override positions_of(attention_mask: Uint8Array[]): { position_ids?: Int32Array[] } {
    if (!(this.constructor as typeof GeneratingTextModel).takes_position_ids) return {};
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

  /** `token_type_ids` are below it. */
  protected get type_count(): number {
    return this.config["type_vocab_size"] as number;
  }
}

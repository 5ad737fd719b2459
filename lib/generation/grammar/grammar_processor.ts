import { from_native } from "../../errors.js";
import { type NativeGrammar, native } from "../../native.js";
import { Tensor } from "../../tensor/index.js";
import { type HookIds, LogitsProcessor } from "../logits_process.js";
import { type ResponseFormat, response_grammar } from "../response_format.js";

/**
 * What the option `response_format` does, as a processor for `logits_processor`, where it can stand among others.
 * One object serves one call of `generate()`: it takes what it sees first for the prompt.
 */
export class GrammarLogitsProcessor extends LogitsProcessor {
  private readonly grammar: NativeGrammar | undefined;
  private readonly eos_token_id: number[];
  private prompt_length: number | undefined;

  /** `eos_token_id`: what may end an answer; by default the tokenizer's. */
  constructor(
    format: ResponseFormat,
    tokenizer: { eos_token_id?: number | null | undefined },
    { eos_token_id = tokenizer?.eos_token_id }: { eos_token_id?: number | number[] | null | undefined } = {},
  ) {
    super();
    this.grammar = response_grammar(format, tokenizer);
    this.eos_token_id = [eos_token_id ?? []].flat();
  }

  override _call(input_ids: HookIds, logits: Tensor): Tensor {
    if (!this.grammar) return logits;
    this.prompt_length ??= input_ids[0].length;
    const spec = {
      class: "GrammarLogitsProcessor",
      grammar: this.grammar,
      eos_token_id: this.eos_token_id,
      prompt_length: this.prompt_length,
    };
    const ids = input_ids.map((row) => Int32Array.from(row, Number));
    try {
      return new Tensor("float32", native().process_logits([spec], ids, logits.data as Float32Array), logits.dims);
    } catch (error) {
      throw from_native(error);
    }
  }
}

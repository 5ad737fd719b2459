// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/code_llama/tokenization_code_llama_fast.py
import type { CallOptions, EncodeArguments, Text } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import type { TokenizerKeywords } from "./fast.js";
import { BosEosTokenizerFast } from "./llama.js";
import { template } from "./template.js";

/** Options of a CodeLlama tokenizer's `encode_plus`. */
export type InfillingOptions = CallOptions & {
  /** What comes behind the gap; the same as a second text. */
  suffix?: string | null;
  /** The suffix first, then the prefix that the model goes on from. */
  suffix_first?: boolean;
};

const not_text = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Python's CodeLlamaTokenizerFast. A text with the fill token, or a prefix with a suffix, becomes a prompt for what is
 * missing between them: `<PRE> prefix <SUF>suffix <MID>`.
 */
export class CodeLlamaTokenizerFast extends BosEosTokenizerFast {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly padding_side = "left";
  static override readonly vocab_files_names = { vocab_file: "tokenizer.model", tokenizer_file: "tokenizer.json" };
  static override readonly keywords = {
    clean_up_tokenization_spaces: false,
    unk_token: "<unk>",
    bos_token: "<s>",
    eos_token: "</s>",
    prefix_token: "▁<PRE>",
    middle_token: "▁<MID>",
    suffix_token: "▁<SUF>",
    eot_token: "▁<EOT>",
    fill_token: "<FILL_ME>",
    add_bos_token: true,
    add_eos_token: false,
    use_default_system_prompt: false,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const all: Record<string, unknown> = { ...CodeLlamaTokenizerFast.keywords, ...keywords };
    const own = ["prefix_token", "middle_token", "suffix_token", "eot_token"].map((role) => all[role]);
    // As in Python they stand there twice if they were given.
    const given = (keywords["additional_special_tokens"] ?? []) as unknown[];
    const added = own.filter((token) => token !== null);
    super({ ...keywords, additional_special_tokens: [...given, ...added] });
  }

  get prefix_token(): string | null {
    return this.#token("prefix_token");
  }
  get middle_token(): string | null {
    return this.#token("middle_token");
  }
  get suffix_token(): string | null {
    return this.#token("suffix_token");
  }
  get eot_token(): string | null {
    return this.#token("eot_token");
  }
  get fill_token(): string | null {
    return this.#token("fill_token");
  }
  get prefix_id(): number | null {
    return this.#id(this.prefix_token);
  }
  get middle_id(): number | null {
    return this.#id(this.middle_token);
  }
  get suffix_id(): number | null {
    return this.#id(this.suffix_token);
  }
  get eot_id(): number | null {
    return this.#id(this.eot_token);
  }

  #token(role: string): string | null {
    const token = this.init_kwargs[role] ?? null;
    return token === null ? null : String(token);
  }
  #id(token: string | null): number | null {
    return token === null ? null : this.convert_tokens_to_ids(token);
  }

  /** Makes pairs prompts for infilling; with `reset`, texts again. */
  set_infilling_processor(reset: boolean, suffix_first = false, add_special_tokens = true): void {
    const spaces = { type: "Replace", pattern: { String: " " }, content: "▁" };
    if (reset) {
      this.set_component("normalizer", {
        type: "Sequence",
        normalizers: [{ type: "Prepend", prepend: "▁" }, spaces],
      });
      this.update_post_processor();
      return;
    }
    const [pre, mid, suf] = [this.prefix_token, this.middle_token, this.suffix_token];
    const parts = suffix_first ? [pre, suf, "$B", mid, "$A"] : [pre, "$A", suf, "$B", mid];
    if (this.add_bos_token && add_special_tokens) parts.unshift(this.bos_token);
    if (this.add_eos_token && add_special_tokens) parts.push(this.eos_token);
    this.set_component("normalizer", spaces);
    const id_of = (token: string) => this.convert_tokens_to_ids(token)!;
    this.set_component("post_processor", template("$A", parts.join(" "), id_of));
  }

  /** Encodes one text, or a prefix and a suffix. */
  override encode_plus(text: Text, ...rest: EncodeArguments): BatchEncoding {
    const [first, second] = rest;
    const options: InfillingOptions = { ...((not_text(first) ? first : second) as InfillingOptions | undefined) };
    const { suffix, suffix_first = false, text_pair, add_special_tokens = true, ...others } = options;
    let [before, after] = [text, (suffix ?? (not_text(first) ? text_pair : first) ?? null) as Text | null];
    const fill = this.fill_token;
    if (fill !== null && typeof text === "string" && after === null && text.includes(fill)) {
      const parts = text.split(fill);
      if (parts.length > 2) throw new RangeError(`The text has ${fill} ${parts.length - 1} times; one can be filled`);
      [before, after] = parts as [string, string];
    }
    if (!after?.length) return super.encode_plus(before, after, { ...others, add_special_tokens });
    if (this.prefix_id === null || this.middle_id === null || this.suffix_id === null)
      throw new TypeError("Infilling needs prefix_token, middle_token and suffix_token");
    this.set_infilling_processor(false, suffix_first, add_special_tokens);
    try {
      return super.encode_plus(` ${before as string}`, after, { ...others, add_special_tokens: true });
    } finally {
      this.set_infilling_processor(true);
    }
  }

  protected override _encode_ids(text: string, add_special_tokens: boolean): number[] {
    const fill = this.fill_token;
    if (fill === null || !text.includes(fill)) return super._encode_ids(text, add_special_tokens);
    return this.encode_plus(text, { add_special_tokens, verbose: false })["input_ids"];
  }
}

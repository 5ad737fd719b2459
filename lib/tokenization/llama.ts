import { expected, warn_once } from "../errors.js";
import { bos_eos_processor, type Special } from "./bos_eos.js";
import { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
import type { Layout } from "./layout.js";
import type { Component } from "./tokenizer_json.js";

/**
 * Tokenizers whose `add_bos_token` and `add_eos_token` decide about the ends of a text, whatever post-processor the
 * tokenizer.json has: Llama, Gemma, Cohere, GPT-NeoX.
 */
export class BosEosTokenizerFast extends PreTrainedTokenizerFast {
  #add_bos_token = false;
  #add_eos_token = false;

  constructor(keywords?: TokenizerKeywords) {
    super(keywords);
    this.#add_bos_token = Boolean(this.init_kwargs["add_bos_token"]);
    this.#add_eos_token = Boolean(this.init_kwargs["add_eos_token"]);
    this.update_post_processor();
  }

  get add_bos_token(): boolean {
    return this.#add_bos_token;
  }
  set add_bos_token(value: boolean) {
    this.#add_bos_token = value;
    this.update_post_processor();
  }
  get add_eos_token(): boolean {
    return this.#add_eos_token;
  }
  set add_eos_token(value: boolean) {
    this.#add_eos_token = value;
    this.update_post_processor();
  }

  /** Makes the post-processor anew; to be called after `bos_token` or `eos_token` changed, as in Python. */
  update_post_processor(): void {
    const bos = this.#add_bos_token ? this.#required("bos_token") : null;
    const eos = this.#add_eos_token ? this.#required("eos_token") : null;
    this.set_component("post_processor", bos_eos_processor(bos, eos));
  }

  #required(role: "bos_token" | "eos_token"): Special {
    const token = this[role];
    if (token === null) throw new TypeError(`add_${role} = True but ${role} = None`);
    return [token, this.convert_tokens_to_ids(token)!];
  }

  protected override _layout(): Layout {
    const around = (text: string) =>
      [...(this.#add_bos_token ? ["bos"] : []), text, ...(this.#add_eos_token ? ["eos"] : [])].join(" ");
    return [around("A"), `${around("A")} ${around("B")}`];
  }
}

/** Python's LlamaTokenizerFast, which also serves Mistral, Phi-3 and many others. */
export class LlamaTokenizerFast extends BosEosTokenizerFast {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly padding_side = "left";
  static override readonly vocab_files_names = { vocab_file: "tokenizer.model", tokenizer_file: "tokenizer.json" };
  static override readonly keywords = {
    clean_up_tokenization_spaces: false,
    unk_token: "<unk>",
    bos_token: "<s>",
    eos_token: "</s>",
    add_bos_token: true,
    add_eos_token: false,
    use_default_system_prompt: false,
    add_prefix_space: null,
    legacy: true,
  };

  constructor(keywords?: TokenizerKeywords) {
    super(keywords);
    const { add_prefix_space, legacy } = this.init_kwargs;
    if (typeof add_prefix_space === "boolean") this.#set_prefix_space(add_prefix_space, legacy !== false);
    else if (add_prefix_space !== null) throw expected("true, false or null", "add_prefix_space", add_prefix_space);
  }

  // Python converts tokenizer.model anew then; the outcome differs from the tokenizer.json in these parts alone
  // (LlamaConverter of convert_slow_tokenizer.py).
  #set_prefix_space(add: boolean, legacy: boolean): void {
    const decoder = this.component("decoder");
    const decoders = decoder?.["decoders"] as Component[] | undefined;
    if (!decoders?.some((part) => part.type === "ByteFallback")) {
      warn_once(`add_prefix_space has no effect on this ${this.constructor.name}: it is not a SentencePiece tokenizer`);
      return;
    }
    const strip: Component = { type: "Strip", content: " ", start: 1, stop: 0 };
    const others = decoders.filter((part) => part.type !== "Strip");
    this.set_component("decoder", { ...decoder!, decoders: add ? [...others, strip] : others });
    if (legacy) {
      const prepend: Component = { type: "Prepend", prepend: "▁" };
      const replace: Component = { type: "Replace", pattern: { String: " " }, content: "▁" };
      this.set_component("pre_tokenizer", null);
      this.set_component("normalizer", { type: "Sequence", normalizers: add ? [prepend, replace] : [replace] });
    } else {
      this.set_component("normalizer", null);
      const prepend_scheme = add ? "first" : "never";
      this.set_component("pre_tokenizer", { type: "Metaspace", replacement: "▁", prepend_scheme, split: false });
    }
  }
}

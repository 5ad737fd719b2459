// Tokenizers of encoder-decoder models, whose special tokens come in lists.
import { expected } from "../errors.js";
import type { MaskOptions } from "./base.js";
import { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
import { type Layout, zeros } from "./layout.js";

const NO_TYPES = ["input_ids", "attention_mask"];

/** `count` names that `name` makes of the numbers from `first` on. */
const numbered = (name: string, first: number, count: number) =>
  Array.from({ length: Math.max(count, 0) }, (_, i) => `<${name}_${first + i}>`);

/** `additional_special_tokens`, if they are given. */
export function listed(keywords: TokenizerKeywords): unknown[] | undefined {
  const tokens = keywords["additional_special_tokens"] ?? undefined;
  if (tokens === undefined || Array.isArray(tokens)) return tokens;
  throw expected("a list of tokens", "additional_special_tokens", tokens);
}

function count_of(name: string, keywords: TokenizerKeywords, defaults: Readonly<Record<string, unknown>>): number {
  const count = keywords[name] ?? defaults[name];
  if (typeof count === "number" && Number.isInteger(count) && count >= 0 && count < 1e6) return count;
  throw expected("a natural number below a million", name, count);
}

/** T5's and mT5's: `extra_ids` sentinels are special tokens. */
export class T5Family extends PreTrainedTokenizerFast {
  static override readonly layout: Layout = zeros(["A eos", "A eos B eos"]);
  static override readonly model_input_names: readonly string[] = NO_TYPES;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    extra_ids: 100,
    add_prefix_space: null,
    legacy: null,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const count = count_of("extra_ids", keywords, new.target.keywords);
    const given = listed(keywords);
    const found = (given ?? []).filter((token) => String(token).includes("<extra_id_")).length;
    if (found > 0 && count > 0 && found !== count) {
      throw new RangeError(
        `Both extra_ids (${count}) and additional_special_tokens (${given}) are provided to T5Tokenizer. In this case` +
          " the additional_special_tokens must include the extra_ids tokens",
      );
    }
    const extra = found > 0 ? [] : numbered("extra_id", 0, count);
    super({ ...keywords, additional_special_tokens: [...(given ?? []), ...extra] });
    const { add_prefix_space, legacy } = this.init_kwargs;
    if (typeof add_prefix_space !== "boolean") return;
    const prepend_scheme = !add_prefix_space ? "never" : legacy === false ? "first" : "always";
    for (const kind of ["pre_tokenizer", "decoder"] as const) {
      const component = this.component(kind);
      if (component?.type === "Metaspace") this.set_component(kind, { ...component, prepend_scheme });
    }
  }
}

/** Pegasus's: the first `offset` ids are special tokens that only its training used. */
export class PegasusFamily extends PreTrainedTokenizerFast {
  static override readonly layout: Layout = ["A eos", "A B eos"];
  static override readonly model_input_names: readonly string[] = NO_TYPES;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    pad_token: "<pad>",
    eos_token: "</s>",
    unk_token: "<unk>",
    mask_token: "<mask_2>",
    mask_token_sent: "<mask_1>",
    offset: 103,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const offset = count_of("offset", keywords, new.target.keywords);
    const sentence =
      "mask_token_sent" in keywords ? keywords["mask_token_sent"] : new.target.keywords["mask_token_sent"];
    const mask = sentence === null ? [] : [String(sentence)];
    const given = listed(keywords)?.map(String);
    let tokens = [...mask, ...numbered("unk", 2, offset - 2)];
    if (given) {
      tokens = [...mask.filter((token) => !given.includes(token)), ...given];
      tokens.push(...numbered("unk", tokens.length, offset - 1 - tokens.length));
      if (new Set(tokens).size !== tokens.length) {
        throw new RangeError(
          "Please make sure that the provided additional_special_tokens do not contain an incorrectly shifted list of" +
            ` <unk_x> tokens. Found ${tokens.join(", ")}.`,
        );
      }
    }
    const { added_tokens_decoder: _, ...others } = keywords;
    super({ ...others, additional_special_tokens: tokens });
  }

  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    const special = new Set(this.all_special_ids.filter((id) => id !== this.unk_token_id));
    const row = options.already_has_special_tokens ? ids : [...ids, ...(options.token_ids_1 ?? [])];
    const mask = row.map((id) => (special.has(id) ? 1 : 0));
    return options.already_has_special_tokens ? mask : [...mask, 1];
  }
}

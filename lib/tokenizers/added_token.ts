import type { AddedTokenSpec } from "../native.js";
import { flag, optional, options, text } from "./arguments.js";

export interface AddedTokenOptions {
  /** Only where it is a word of its own. */
  singleWord?: boolean;
  /** With the white space before it. */
  leftStrip?: boolean;
  /** With the white space behind it. */
  rightStrip?: boolean;
  /** Looked for in the normalised text. Default: unless it is special. */
  normalized?: boolean;
}

/** A token that is found in the text before the model sees it. */
export class AddedToken {
  readonly #token: AddedTokenSpec;

  constructor(token: string, isSpecial: boolean, given?: AddedTokenOptions | null) {
    const known = options(given, ["singleWord", "leftStrip", "rightStrip", "normalized"]);
    const special = flag(isSpecial, "isSpecial");
    this.#token = {
      content: text(token, "token"),
      single_word: optional(known.singleWord, "singleWord", flag, false),
      lstrip: optional(known.leftStrip, "leftStrip", flag, false),
      rstrip: optional(known.rightStrip, "rightStrip", flag, false),
      normalized: optional(known.normalized, "normalized", flag, !special),
      special,
    };
  }

  getContent(): string {
    return this.#token.content;
  }

  /** The token as a tokenizer.json has it, but for its id. */
  toJSON(): AddedTokenSpec {
    return { ...this.#token };
  }
}

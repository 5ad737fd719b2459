import { inspect } from "node:util";
import type { AddedTokenSpec } from "../native.js";

export type AddedTokenFlags = Omit<AddedTokenSpec, "id" | "content">;

/** A token that is found in the text before the model splits it (`tokenizers.AddedToken`). */
export class AddedToken {
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  special: boolean;
  #normalized: boolean | undefined;

  constructor(content: string, flags: Partial<AddedTokenFlags> = {}) {
    this.content = content;
    this.single_word = flags.single_word ?? false;
    this.lstrip = flags.lstrip ?? false;
    this.rstrip = flags.rstrip ?? false;
    this.special = flags.special ?? false;
    this.#normalized = flags.normalized;
  }

  /** Where it is not given: the opposite of `special`, also when that changes. */
  get normalized(): boolean {
    return this.#normalized ?? !this.special;
  }
  set normalized(value: boolean) {
    this.#normalized = value;
  }

  /** A copy with some changes. */
  with(changes: Partial<AddedTokenSpec>): AddedToken {
    const { content = this.content, ...flags } = changes;
    return new AddedToken(content, { ...this, normalized: this.#normalized, ...flags });
  }

  static from(token: Partial<AddedTokenFlags> & { content: string }): AddedToken {
    return new AddedToken(token.content, token);
  }

  equals(other: AddedToken): boolean {
    return this.repr() === other.repr();
  }

  /** As Python writes it into added_tokens_decoder. */
  to_json(): AddedTokenSpec {
    const { content, lstrip, normalized, rstrip, single_word, special } = this;
    return { content, lstrip, normalized, rstrip, single_word, special };
  }

  repr(): string {
    const flag = (name: keyof AddedTokenFlags) => `${name}=${this[name] ? "True" : "False"}`;
    const flags = (["rstrip", "lstrip", "single_word", "normalized", "special"] as const).map(flag).join(", ");
    return `AddedToken("${this.content}", ${flags})`;
  }

  toString(): string {
    return this.content;
  }

  [inspect.custom](): string {
    return this.repr();
  }
}

/** What the API takes wherever a token is named. */
export type Token = string | AddedToken;

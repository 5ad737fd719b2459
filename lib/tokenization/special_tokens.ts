import { Callable } from "../callable.js";
import { expected } from "../errors.js";
import { AddedToken, type Token } from "./added_token.js";

/** The roles that a special token can have, in Python's order. */
export const ROLES = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;
export type Role = (typeof ROLES)[number];
const ADDITIONAL = "additional_special_tokens";

const is_token = (value: unknown): value is Token => typeof value === "string" || value instanceof AddedToken;
const is_tokens = (value: unknown): value is Token[] => Array.isArray(value) && value.every(is_token);

// The properties that the loop at the end of this file defines.
export interface SpecialTokens<Arguments extends unknown[], Result>
  extends Record<Role, string | null>,
    Record<`${Role}_id`, number | null> {
  _call(...args: Arguments): Result;
}

/** The special tokens of a tokenizer by role (Python's SpecialTokensMixin): `eos_token`, `eos_token_id`, with setters. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export abstract class SpecialTokens<Arguments extends unknown[], Result> extends Callable<Arguments, Result> {
  readonly #tokens = new Map<string, Token>();
  #additional: Token[] = [];
  pad_token_type_id = 0;
  /** Further roles that tokenizer_config.json names: `image_token`, … */
  extra_special_tokens: Record<string, Token> = {};

  abstract convert_tokens_to_ids(token: string): number | null;
  abstract convert_tokens_to_ids(tokens: readonly string[]): (number | null)[];
  abstract convert_ids_to_tokens(ids: readonly number[]): (string | null)[];
  abstract convert_ids_to_tokens(id: number): string | null;
  abstract add_tokens(tokens: Token | readonly Token[], options?: { special_tokens?: boolean }): number;

  /** Takes what the keywords of a constructor say about special tokens; the tokens may not be in the vocabulary yet. */
  protected init_special_tokens(kwargs: Record<string, unknown>): void {
    for (const role of ROLES) {
      const value = kwargs[role];
      if (value === undefined || value === null) continue;
      if (!is_token(value)) throw expected("a string or an AddedToken", role, value);
      this.#tokens.set(role, value);
    }
    const additional = kwargs[ADDITIONAL];
    if (additional !== undefined && additional !== null) {
      if (!is_tokens(additional)) throw expected("a list of strings or AddedTokens", ADDITIONAL, additional);
      this.#additional = [...additional];
    }
    for (const [role, value] of Object.entries((kwargs["extra_special_tokens"] ?? {}) as Record<string, unknown>)) {
      if (!is_token(value)) throw expected("a string or an AddedToken", `extra_special_tokens.${role}`, value);
      this.extra_special_tokens[role] = value;
      this.#tokens.set(role, value);
      define_role(this, role);
    }
  }

  get_special_token(role: string): string | null {
    const token = this.#tokens.get(role);
    return token === undefined ? null : String(token);
  }

  set_special_token(role: string, value: Token | null): void {
    if (value === null || value === undefined) this.#tokens.delete(role);
    else if (is_token(value)) this.#tokens.set(role, value);
    else throw expected("a string, an AddedToken or null", role, value);
  }

  get additional_special_tokens(): string[] {
    return this.#additional.map(String);
  }
  set additional_special_tokens(tokens: readonly Token[]) {
    if (!is_tokens(tokens)) throw expected("a list of strings or AddedTokens", ADDITIONAL, tokens);
    this.#additional = [...tokens];
  }
  get additional_special_tokens_ids(): (number | null)[] {
    return this.convert_tokens_to_ids(this.additional_special_tokens);
  }
  set additional_special_tokens_ids(ids: readonly number[]) {
    this.additional_special_tokens = this.convert_ids_to_tokens(ids) as string[];
  }

  /** The tokens that are set, by role, as AddedTokens where they came as such. */
  get special_tokens_map_extended(): Record<string, Token | Token[]> {
    const map: Record<string, Token | Token[]> = {};
    for (const role of ROLES) if (this.#tokens.get(role)) map[role] = this.#tokens.get(role)!;
    if (this.#additional.length) map[ADDITIONAL] = [...this.#additional];
    for (const role of Object.keys(this.extra_special_tokens))
      if (this.#tokens.get(role)) map[role] = this.#tokens.get(role)!;
    return map;
  }

  /** The tokens that are set, by role, as strings. */
  get special_tokens_map(): Record<string, string | string[]> {
    const entries = Object.entries(this.special_tokens_map_extended);
    return Object.fromEntries(
      entries.map(([role, token]) => [role, Array.isArray(token) ? token.map(String) : String(token)]),
    );
  }

  /** Each special token, in the order of the roles. */
  get all_special_tokens_extended(): Token[] {
    const seen = new Set<string>();
    return Object.values(this.special_tokens_map_extended).flatMap((value) => {
      // Python does not look for doubles within a list.
      const tokens = [value].flat().filter((token) => !seen.has(String(token)));
      for (const token of tokens) seen.add(String(token));
      return tokens;
    });
  }
  get all_special_tokens(): string[] {
    return this.all_special_tokens_extended.map(String);
  }
  get all_special_ids(): number[] {
    return this.convert_tokens_to_ids(this.all_special_tokens) as number[];
  }

  /**
   * Gives roles to tokens, adding to the vocabulary those that it lacks: `add_special_tokens({ pad_token: "[PAD]" })`.
   * `additional_special_tokens` replaces the list, unless `replace_additional_special_tokens` is false.
   * @returns the number of tokens added to the vocabulary
   */
  add_special_tokens(
    tokens: Partial<Record<string, Token | readonly Token[]>>,
    options: { replace_additional_special_tokens?: boolean } = {},
  ): number {
    const special = (token: Token) => (token instanceof AddedToken ? token : new AddedToken(token, { special: true }));
    const added: AddedToken[] = [];
    for (const [role, value] of Object.entries(tokens)) {
      if (role === ADDITIONAL) {
        if (!is_tokens(value)) throw expected("a list of strings or AddedTokens", ADDITIONAL, value);
        const replace = options.replace_additional_special_tokens ?? true;
        const given = value.map(special);
        const listed = this.additional_special_tokens;
        const chosen = replace ? given : given.filter((token) => !listed.includes(token.content));
        if (chosen.length) this.#additional = replace ? chosen : [...this.#additional, ...chosen];
        added.push(...chosen);
      } else {
        if (!(ROLES as readonly string[]).includes(role) && !(role in this.extra_special_tokens)) {
          throw expected(`one of ${[...ROLES, ADDITIONAL].join(", ")}`, "the role of a special token", role);
        }
        if (!is_token(value)) throw expected("a string or an AddedToken", role, value);
        const token = special(value);
        this.#tokens.set(role, token);
        if (!added.some((other) => other.equals(token))) added.push(token);
      }
    }
    return added.length ? this.add_tokens(added, { special_tokens: true }) : 0;
  }
}

/** `tok.eos_token` and `tok.eos_token_id`, to read and to set. */
function define_role(target: object, role: string): void {
  type Self = SpecialTokens<unknown[], unknown>;
  Object.defineProperty(target, role, {
    configurable: true,
    get(this: Self) {
      return this.get_special_token(role);
    },
    set(this: Self, value: Token | null) {
      this.set_special_token(role, value);
    },
  });
  Object.defineProperty(target, `${role}_id`, {
    configurable: true,
    get(this: Self) {
      const token = this.get_special_token(role);
      return token === null ? null : this.convert_tokens_to_ids(token);
    },
    set(this: Self, id: number | null) {
      this.set_special_token(role, id === null ? null : this.convert_ids_to_tokens(id));
    },
  });
}
for (const role of ROLES) define_role(SpecialTokens.prototype, role);

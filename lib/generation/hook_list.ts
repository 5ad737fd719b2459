// What lists of processors and of criteria share.
import { Callable } from "../callable.js";
import { expected } from "../errors.js";
import { is_tensor } from "../tensor/index.js";

/** A list of processors or criteria, as Python's and transformers.js's; called, it runs them all. */
export abstract class HookList<Hook, Arguments extends unknown[], Result> extends Callable<Arguments, Result> {
  private readonly items: Hook[] = [];

  constructor(items: Iterable<Hook> = []) {
    super();
    this.extend(items);
  }

  push(item: Hook): void {
    this.items.push(item);
  }

  /** `push` under Python's name. */
  append(item: Hook): void {
    this.push(item);
  }

  extend(items: Iterable<Hook>): void {
    for (const item of items) this.push(item);
  }

  get length(): number {
    return this.items.length;
  }

  at(index: number): Hook | undefined {
    return this.items.at(index);
  }

  [Symbol.iterator](): Iterator<Hook> {
    return this.items[Symbol.iterator]();
  }
}

/** The answer of a criterion for `rows` rows. @throws TypeError for what is none. */
export function flags_of(answer: unknown, rows: number): boolean[] {
  const flags = is_tensor(answer) ? answer.data : answer;
  if (typeof flags === "boolean") return new Array<boolean>(rows).fill(flags);
  if (typeof flags !== "object" || (flags as boolean[] | null)?.length !== rows)
    throw expected(`a boolean, or ${rows} of them`, "the result of a stopping criterion", answer);
  return Array.from(flags as ArrayLike<unknown>, Boolean);
}

// What generate() returns: a promise of the whole result, and the new tokens as they come.
import { TransformersError } from "../errors.js";

/** New token ids of one step, one for each row; rows that have ended give the padding token. */
export type Step = number[];

/**
 * `await` it for the result, or iterate over it for the tokens. Leaving a `for await` loop cancels the generation.
 * A failure reaches whoever awaits or iterates.
 */
export class GenerateCall<Result> implements PromiseLike<Result>, AsyncIterable<Step> {
  private readonly result: Promise<Result>;
  private resolve!: (result: Result) => void;
  private reject!: (error: unknown) => void;
  private settled = false;
  private readonly steps: Step[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly on_cancel: () => void;

  constructor(on_cancel: () => void) {
    this.on_cancel = on_cancel;
    this.result = new Promise<Result>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.result.catch(() => {}); // who iterates gets the error there
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting is what it is for
  then<A = Result, B = never>(
    fulfilled?: ((result: Result) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.result.catch(rejected);
  }

  finally(done?: (() => void) | null): Promise<Result> {
    return this.result.finally(done);
  }

  /** Stops the generation at its next step; the promise rejects with code "aborted". */
  cancel(): void {
    if (!this.settled) this.on_cancel();
  }

  /** For `generate`: hands on the tokens of one step. */
  push(step: Step): void {
    this.steps.push(step);
    this.wake();
  }

  /** For `generate`: ends with a result. */
  finish(result: Result): void {
    this.settled = true;
    this.resolve(result);
    this.wake();
  }

  /** For `generate`: ends with an error. */
  fail(error: unknown): void {
    this.settled = true;
    this.reject(error);
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void, void> {
    let next = 0;
    try {
      for (;;) {
        while (next < this.steps.length) yield this.steps[next++];
        if (this.settled) break;
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
      await this.result;
    } finally {
      this.cancel();
    }
  }
}

/** The error of a generation that its caller stopped. */
export function aborted(reason?: unknown): TransformersError {
  return new TransformersError("The generation was aborted", "aborted", reason);
}

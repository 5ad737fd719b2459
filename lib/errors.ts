import { inspect } from "node:util";

/** What goes wrong outside the caller's arguments: files, networks, engines. `code` is stable, `cause` is what lay below. */
export class TransformersError extends Error {
  override name = "TransformersError";
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A received value for an error message: its type and a short form of it. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const text = inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 5, breakLength: Infinity });
  return typeof value === "object" || typeof value === "function" ? text : `${text} of type ${typeof value}`;
}

/** `expected("a positive integer", "max_length", -1)`: the one template for wrong arguments. */
export function expected(what: string, argument: string, value: unknown): TypeError {
  return new TypeError(`Expected ${what} for ${argument} but received ${received(value)}`);
}

/** As `expected`, for values of the right type that lie outside their range. */
export function out_of_range(what: string, argument: string, value: unknown): RangeError {
  return new RangeError(`Expected ${what} for ${argument} but received ${received(value)}`);
}

const said = new Set<string>();

/** Warns once for each text, as Python's `logger.warning_once`. */
export function warn_once(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  process.emitWarning(message, "TransformersWarning");
}

/** Gives errors that the addon threw with a `code` their class. */
export function from_native(error: unknown): unknown {
  if (error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError) && "code" in error) {
    const wrapped = new TransformersError(error.message, String(error.code), error.cause);
    if (error.stack) wrapped.stack = error.stack.replace(/^Error/, "TransformersError");
    return wrapped;
  }
  return error;
}

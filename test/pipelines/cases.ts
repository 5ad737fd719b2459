// What the tests of pipelines share.
import { expect, vi } from "vitest";
import type { Pipeline, PreTrainedModel, Tensor } from "../../lib/index.js";

export interface PipelineCase {
  model: string;
  name: string;
  inputs: unknown;
  options: Record<string, unknown>;
  expected: unknown;
  /** The same with offsets in UTF-16 units, where they differ. */
  expected_utf16?: unknown;
  error?: string;
  message?: string;
}

/** A pipeline of a task that only the fixture knows. */
export type AnyPipeline = Pipeline & ((inputs: unknown, options?: object) => Promise<unknown>);

/** Python's numbers within 2e-5 (relative to 1 or to the number), everything else exactly. */
export function close_to(actual: unknown, expected: unknown): void {
  const differences: string[] = [];
  const compare = (a: unknown, b: unknown, path: string): void => {
    if (typeof a === "number" && typeof b === "number") {
      if (Math.abs(a - b) > 2e-5 * Math.max(1, Math.abs(b))) differences.push(`${path}: ${a} instead of ${b}`);
    } else if (typeof a === "object" && a !== null && typeof b === "object" && b !== null) {
      if (Array.isArray(a) !== Array.isArray(b))
        differences.push(`${path}: ${Array.isArray(a) ? "a list" : "no list"}`);
      const keys = (value: object) =>
        Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
      if (String(keys(a)) !== String(keys(b))) differences.push(`${path}: keys ${keys(a)} instead of ${keys(b)}`);
      for (const key of keys(b))
        compare((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`);
    } else if (a !== b) differences.push(`${path}: ${JSON.stringify(a)} instead of ${JSON.stringify(b)}`);
  };
  compare(actual, expected, "result");
  expect(differences.slice(0, 5)).toEqual([]);
}

/** From now on: how many rows each call of the model had. */
export function count_calls(model: PreTrainedModel): () => number[] {
  const spy = vi.spyOn(model, "_call");
  return () => {
    const rows = spy.mock.calls.map(([inputs]) => (inputs as { input_ids: Tensor }).input_ids.dims[0]);
    spy.mockRestore();
    return rows;
  };
}

/** The texts of the warnings while `run` runs. */
export async function warnings_of(run: () => unknown): Promise<string> {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await run();
  const texts = emit.mock.calls.map(([warning]) => String(warning)).join("\n");
  emit.mockRestore();
  return texts;
}

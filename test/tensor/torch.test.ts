// Every case of scripts/fixtures/tensor.py against torch's result.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../lib/tensor/index.js";
import * as tensors from "../../lib/tensor/index.js";
import { expect_close, fixture, load, type Stored } from "./stored.js";

type Call = (...args: unknown[]) => Tensor | Tensor[] | Promise<Tensor | Tensor[]>;
type Method = { method: string; of: string; args: unknown[]; result: Stored };
type Function = { function: string; args: unknown[]; result: Stored[] };

const inputs = new Map<string, Tensor>(
  fixture("inputs").inputs.map((row: Stored & { name: string }) => [row.name, load(row)]),
);
const input = (name: string) => inputs.get(name)!.clone();

/** Arguments as stored: inputs by name, infinity as text. */
function argument(value: unknown): unknown {
  if (value === "inf") return Infinity;
  if (Array.isArray(value)) return value.map(argument);
  return value !== null && typeof value === "object" && "input" in value ? input(value.input as string) : value;
}

const text = (args: unknown[]) => `(${inspect(args, { breakLength: Infinity }).slice(1, -1).trim()})`;
const cases: (Method | Function)[] = fixture("cases").cases;

describe("Methods give what torch gives", () => {
  const methods = cases.filter((row) => "method" in row);
  test.each(methods.map((row) => ({ title: `${row.of}.${row.method}${text(row.args)}`, ...row })))(
    "$title",
    ({ of, method, args, result }) => {
      const target = input(of);
      const call = (target as unknown as Record<string, Call>)[method];
      expect_close(call.apply(target, args.map(argument)) as Tensor, load(result));
      expect(target.tolist()).toEqual(input(of).tolist());
    },
  );
});

describe("Functions give what torch gives", () => {
  const functions = cases.filter((row) => "function" in row);
  test.each(functions.map((row) => ({ title: `${row.function}${text(row.args)}`, ...row })))(
    "$title",
    async ({ function: name, args, result }) => {
      const call = (tensors as unknown as Record<string, Call>)[name];
      const value = await call(...args.map(argument));
      const results = Array.isArray(value) ? value : [value];
      expect(results.length).toBe(result.length);
      for (const [i, one] of results.entries()) expect_close(one, load(result[i]));
    },
  );
});

// The examples of docs/structured-output.md, as they stand.
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import * as api from "../../lib/index.js";

const page = readFileSync(new URL("../../docs/structured-output.md", import.meta.url), "utf8");
const examples = Array.from(page.matchAll(/```js\n([\s\S]*?)```/g), ([, code]) => code);
const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (api: object) => Promise<void>;

afterEach(() => vi.restoreAllMocks());

test.each([
  [0, /^string true$/],
  [1, /^(mon|tues|sun)day, [0-9]{1,2}$/],
  [2, /^string$/],
])("example %i runs and prints what it says", async (index, printed) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const code = examples[index].replace(/import (\{.*?\}) from "ggml-transformers";/g, "const $1 = api;");
  await new AsyncFunction("api", code)(api);
  expect(log.mock.calls).toHaveLength(1);
  expect(log.mock.calls[0].join(" ")).toMatch(printed);
});

test("there are no other examples", () => expect(examples).toHaveLength(3));

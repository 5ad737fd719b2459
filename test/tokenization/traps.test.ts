// Behaviours that are easily lost, one by one, with Python's results.
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { folder_of, NAMES, plain, read_fixture, slow_fixture, temporary } from "./fixtures.js";

interface Call {
  method: string;
  arguments: unknown[];
  options: Record<string, unknown>;
  result: unknown;
  warnings: string[];
}
interface Case {
  name: string;
  files: Record<string, object> | null;
  saved: boolean;
  calls: Call[];
  added: string[];
}
const { cases } = read_fixture("tokenizer_surface", "traps.json") as { cases: Case[] };

async function checkpoint({ name, files, saved }: Case): Promise<string> {
  const path = temporary();
  const source = NAMES.includes(name) ? folder_of(name) : slow_fixture(name);
  // As it was saved, so that the configuration is against the tokenizer.json.
  if (saved) await (await AutoTokenizer.from_pretrained(source)).save_pretrained(path);
  else cpSync(source, path, { recursive: true });
  for (const [file, content] of Object.entries(files ?? {})) {
    rmSync(join(path, file), { force: true });
    writeFileSync(join(path, file), JSON.stringify(content));
  }
  return path;
}

test.each(cases.map((one) => [one.name, Object.entries(one.files ?? {}), one] as const))(
  "%s with %j gives what Python gives",
  async (_name, _files, one) => {
    const tokenizer = await AutoTokenizer.from_pretrained(await checkpoint(one));
    expect(
      Object.values(tokenizer.added_tokens_decoder)
        .map((token) => token.repr())
        .slice(-4),
    ).toEqual(one.added);
    for (const { method, arguments: given, options, result, warnings } of one.calls) {
      const said = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const target = tokenizer[(method === "__call__" ? "_call" : method) as keyof typeof tokenizer] as unknown as (
        ...args: unknown[]
      ) => object;
      const found = target.apply(tokenizer, Object.keys(options).length ? [...given, options] : given);
      const what = JSON.stringify([method, given, options]);
      expect.soft(method === "__call__" ? plain(found) : found, what).toEqual(result);
      expect
        .soft(
          said.mock.calls.map(([text]) => text),
          what,
        )
        .toEqual(warnings);
      said.mockRestore();
    }
  },
);

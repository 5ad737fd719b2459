// Random calls of apply_chat_template with real templates, by Python and by us.
//   npm run build && node scripts/check/chat_calls.mjs [--count 5000] [--seed 1] [--python PATH]
// `--python` has the packages of scripts/fixtures/requirements.txt. Of errors only that they come is compared.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AutoTokenizer } from "../../dist/index.js";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    python: { type: "string", default: fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url)) },
  },
});
const temporary = mkdtempSync(join(tmpdir(), "chats-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));
const file = join(temporary, "cases.json");
const script = fileURLToPath(new URL("chat_calls.py", import.meta.url));
const { status, stderr } = spawnSync(values.python, [script, file, values.count, values.seed], { encoding: "utf8" });
if (status !== 0) throw new Error(stderr.slice(-2000));

process.emitWarning = () => {};
const text = readFileSync(file, "utf8");
const { folder, sources, cases } = JSON.parse(text);
const tokenizer = await AutoTokenizer.from_pretrained(folder, { bos_token: "<s>", pad_token: "<|endoftext|>" });
const different = new Map();
for (const { template, chat, options, expected } of cases) {
  let found;
  try {
    found = tokenizer.apply_chat_template(chat, { chat_template: sources[template], ...options });
    if (found && typeof found === "object" && !Array.isArray(found)) found = { ...found };
  } catch (error) {
    found = { error: `${error.name}: ${error.message}` };
  }
  const same = expected?.error ? Boolean(found?.error) : JSON.stringify(found) === JSON.stringify(expected);
  if (same) continue;
  const count = (different.get(template) ?? 0) + 1;
  different.set(template, count);
  if (count > 1) continue;
  console.log(template, JSON.stringify(options), JSON.stringify(chat).slice(0, 900));
  const at = [...String(found)].findIndex((char, i) => char !== [...String(expected)][i]);
  const part = (value) =>
    typeof value === "string"
      ? JSON.stringify(value.slice(Math.max(0, at - 60), at + 80))
      : JSON.stringify(value).slice(0, 300);
  console.log("  found   ", part(found), "\n  expected", part(expected));
}
const total = [...different.values()].reduce((sum, count) => sum + count, 0);
console.log(
  `${cases.length} calls, ${total} differences in ${different.size} of ${Object.keys(sources).length} templates`,
);
process.exitCode = total ? 1 : 0;

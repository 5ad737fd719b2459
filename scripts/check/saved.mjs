// Python loads what we saved: every checkpoint of test/fixtures/graph, whole and in shards, byte for byte.
//   npm run build && node scripts/check/saved.mjs [python]
// `python` has the packages of scripts/fixtures/requirements.txt.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const library = await import("../../dist/index.js");
const python = process.argv[2] ?? fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url));
const fixtures = fileURLToPath(new URL("../../test/fixtures/graph/", import.meta.url));
const SHARD = "20KB";

/** The Auto class that makes a model of Python's class. */
function auto_class(name) {
  const head = /For\w+$/.exec(name)?.[0] ?? (/LMHeadModel$/.test(name) ? "ForCausalLM" : "");
  return library[`AutoModel${head}`];
}

const folder = mkdtempSync(join(tmpdir(), "saved-"));
try {
  for (const { name } of readdirSync(fixtures, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const type = JSON.parse(readFileSync(join(fixtures, name, "case.json"), "utf8")).class;
    const model = await auto_class(type).from_pretrained(join(fixtures, name), { dtype: "auto" });
    await model.save_pretrained(join(folder, "whole", name));
    await model.save_pretrained(join(folder, "shards", name), { max_shard_size: SHARD });
    await model.dispose();
  }
  const script = fileURLToPath(new URL("saved.py", import.meta.url));
  const { status } = spawnSync(python, [script, fixtures, folder, SHARD], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}

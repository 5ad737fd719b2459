// Python loads what we saved: every checkpoint of test/fixtures/graph and seq2seq, whole and in shards, byte for byte.
//   npm run build && node scripts/check/saved.mjs [python]
// `python` has the packages of scripts/fixtures/requirements.txt.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const library = await import("../../dist/index.js");
const python = process.argv[2] ?? fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url));
const themes = ["graph", "seq2seq"].map((name) =>
  fileURLToPath(new URL(`../../test/fixtures/${name}/`, import.meta.url)),
);
const SHARD = "20KB";

const folder = mkdtempSync(join(tmpdir(), "saved-"));
try {
  const script = fileURLToPath(new URL("saved.py", import.meta.url));
  for (const fixtures of themes) {
    const saved = join(folder, basename(fixtures));
    for (const { name } of readdirSync(fixtures, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const type = JSON.parse(readFileSync(join(fixtures, name, "case.json"), "utf8")).class;
      const model = await library[type].from_pretrained(join(fixtures, name), { dtype: "auto" });
      await model.save_pretrained(join(saved, "whole", name));
      await model.save_pretrained(join(saved, "shards", name), { max_shard_size: SHARD });
      await model.dispose();
    }
    const { status } = spawnSync(python, [script, fixtures, saved, SHARD], { stdio: "inherit" });
    process.exitCode ||= status ?? 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

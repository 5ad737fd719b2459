// Tokenizers that we save, read by Python, and the reverse: the same ids and decoded texts for every family.
//   npm run build && node scripts/check/round_trip.mjs [python]
// `python` has the packages of scripts/fixtures/requirements.txt.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AutoTokenizer } from "../../dist/index.js";

const python = process.argv[2] ?? fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url));
const script = fileURLToPath(new URL("round_trip.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tokenizers-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function run(command) {
  const { status, error } = spawnSync(python, [script, command, folder], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw error ?? new Error(`${python} failed`);
  return JSON.parse(readFileSync(join(folder, `${command}.json`), "utf8"));
}

const { strings, families } = run("write");
const rows_of = (tokenizer) =>
  strings.map((texts) => {
    const ids = tokenizer.encode(...texts);
    return [ids, tokenizer.decode(ids, { clean_up_tokenization_spaces: false })];
  });

const ours = {};
for (const name of Object.keys(families)) {
  const original = await AutoTokenizer.from_pretrained(join(folder, "original", name));
  const saved = await AutoTokenizer.from_pretrained(join(folder, "python", name));
  ours[name] = { original: rows_of(original), python: rows_of(saved) };
  await original.save_pretrained(join(folder, "ours", name));
}
const theirs = run("read");

let [compared, different, classes] = [0, 0, 0];
function compare(name, way, found, expected) {
  if (!found || !expected) {
    if (found || expected) {
      different += strings.length;
      console.log(`${name}, ${way}: only ${found ? "ours" : "Python's"} can be loaded`);
    }
    return;
  }
  compared += strings.length;
  const wrong = strings.map((_, i) => i).filter((i) => JSON.stringify(found[i]) !== JSON.stringify(expected[i]));
  different += wrong.length;
  for (const i of wrong.slice(0, 3)) console.log(`${name}, ${way}:`, strings[i], found[i], "expected", expected[i]);
}
for (const [name, expected] of Object.entries(families)) {
  const found = theirs[name];
  if (found.class !== expected.class) {
    classes++;
    console.log(`${name}: Python finds a ${found.class} where it had a ${expected.class}`);
  }
  compare(name, "as it comes", ours[name].original, expected.rows);
  compare(name, "saved by Python", ours[name].python, expected.ways["by its class"]);
  for (const [way, rows] of Object.entries(expected.ways))
    compare(name, `read by Python ${way}`, found.ways[way], rows);
}
console.log(
  `${Object.keys(families).length} families, ${compared} strings, ${different} differences, ${classes} other classes`,
);
process.exitCode = different + classes === 0 ? 0 : 1;

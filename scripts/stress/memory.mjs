// Loads, generates and disposes again and again; prints by how much the resident memory grew.
//   node scripts/stress/memory.mjs [rounds] [model folder]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM } from "../../dist/index.js";

const rounds = Number(process.argv[2] ?? 200);
const folder = process.argv[3] ?? fileURLToPath(new URL("../../models/kjv-llama-5m", import.meta.url));
const WARM_UP = 100; // rounds until V8's code and the allocator's arenas are there
const WINDOW = 50; // rounds whose least value counts

// V8 enlarges its young generation for as long as it likes: that is not ours.
const flags = ["--expose-gc", "--max-semi-space-size=1"];
if (!flags.every((flag) => process.execArgv.includes(flag))) {
  const { status } = spawnSync(process.execPath, [...flags, ...process.argv.slice(1)], { stdio: "inherit" });
  process.exit(status ?? 1);
}

const sizes = [];
for (let round = 0; round < WARM_UP + rounds; round++) {
  const model = await AutoModelForCausalLM.from_pretrained(folder, { n_threads: 1 });
  await model.generate([[3, 4, 5]], { max_new_tokens: 20, do_sample: false });
  await model.dispose();
  globalThis.gc();
  sizes.push(process.memoryUsage.rss() / 2 ** 20);
}
const start = Math.min(...sizes.slice(WARM_UP - WINDOW, WARM_UP));
const end = Math.min(...sizes.slice(-WINDOW));
const growth = (100 * (end - start)) / start;
console.log(`${rounds} rounds: ${start.toFixed(1)} MiB, then ${end.toFixed(1)} MiB: ${growth.toFixed(1)} %`);
process.exitCode = growth < 5 ? 0 : 1;

// What the generation loop costs: beams against a greedy batch of as many rows, and a token of a model that computes
// next to nothing.
//   npm run build && node scripts/bench/beams.mjs [--threads 1] [--rounds 5] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoModelForCausalLM } from "../../dist/index.js";
import { random_llama } from "./checkpoint.mjs";
import { add_row, in_turns, options, report, threads } from "./harness.mjs";
import { root } from "./peers.mjs";

const fixtures = join(root, "test", "fixtures");
const folder = mkdtempSync(join(tmpdir(), "beams-"));
const SIZES = {
  "10M": { vocab_size: 8192, hidden_size: 256, intermediate_size: 704, num_hidden_layers: 6, num_attention_heads: 4 },
  "100M": {
    vocab_size: 32000,
    hidden_size: 768,
    intermediate_size: 2048,
    num_hidden_layers: 8,
    num_attention_heads: 12,
  },
};
const NEW = 48;
const PROMPT = Array.from({ length: 32 }, (_, i) => 3 + ((i * 7919) % 2000));

/** Milliseconds for each step of a call. */
async function step_time(model, rows, more, steps = NEW) {
  const start = performance.now();
  await model.generate(rows, { do_sample: false, max_new_tokens: steps, eos_token_id: null, pad_token_id: 0, ...more });
  return (performance.now() - start) / steps;
}

try {
  for (const [size, shape] of Object.entries(SIZES)) {
    if (options.only && !`${size} beams`.includes(options.only)) continue;
    const path = join(folder, size);
    random_llama(path, shape, join(fixtures, "models", "m27-llama"));
    const model = await AutoModelForCausalLM.from_pretrained(path, { n_threads: threads });
    for (const beams of [2, 4, 8]) {
      const measures = {
        beams: () => step_time(model, [PROMPT], { num_beams: beams }),
        batch: () => step_time(model, new Array(beams).fill(PROMPT), {}),
      };
      await measures.beams();
      const times = await in_turns(measures);
      add_row(`${size} ${beams} beams`, "ms/step", times.beams, times.batch, `greedy, ${beams} rows`);
    }
    await model.dispose();
  }
  const model = await AutoModelForCausalLM.from_pretrained(join(fixtures, "graph", "gpt2-lm"), { n_threads: threads });
  const long = () => step_time(model, [[5, 6, 7]], {}, 36);
  const short = () => step_time(model, [[5, 6, 7]], {}, 1);
  for (let i = 0; i < 20; i++) await long();
  const calls = async (one, steps) => {
    let sum = 0;
    for (let i = 0; i < 50; i++) sum += (await one()) * steps;
    return (sum / 50) * 1000;
  };
  const times = await in_turns({ long: () => calls(long, 36), short: () => calls(short, 1) });
  const token = times.long.map((time, i) => (time - times.short[i]) / 35);
  add_row("tiny GPT-2 on the graph engine", "µs/token", token, [60], "the limit");
} finally {
  rmSync(folder, { recursive: true });
}
report("Beam search and the generation loop");

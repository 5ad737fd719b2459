// What the generation loop costs: beams against a greedy batch of as many rows, prompt lookup on rows that repeat
// themselves (as what models with random weights say does) against none, and a token of a model that computes next to
// nothing.
//   npm run build && node scripts/bench/beams.mjs [--threads 1] [--rounds 5] [--json]
import { join } from "node:path";
import { AutoModelForCausalLM } from "../../dist/index.js";
import { random_llama } from "./checkpoint.mjs";
import { add_row, in_turns, options, report, threads } from "./harness.mjs";
import { root } from "./peers.mjs";

const fixtures = join(root, "test", "fixtures");
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
const PROMPT = Array.from({ length: 4 }, (_, i) => 3 + ((i * 7919) % 2000));

/** Milliseconds for each step of a call. */
async function step_time(model, rows, more, steps = NEW) {
  const start = performance.now();
  await model.generate(rows, { do_sample: false, max_new_tokens: steps, eos_token_id: null, pad_token_id: 0, ...more });
  return (performance.now() - start) / steps;
}

for (const [size, shape] of Object.entries(SIZES)) {
  if (options.only && !`${size} beams`.includes(options.only)) continue;
  const model = await AutoModelForCausalLM.from_pretrained(random_llama(`beams-${size}`, shape), {
    n_threads: threads,
  });
  for (const beams of [2, 4, 8]) {
    const measures = {
      beams: () => step_time(model, [PROMPT], { num_beams: beams }),
      batch: () => step_time(model, new Array(beams).fill(PROMPT), {}),
    };
    await measures.beams();
    const times = await in_turns(measures);
    add_row(`${size} ${beams} beams`, "ms/step", times.beams, times.batch, `greedy, ${beams} rows`);
  }
  const lookup = {
    lookup: () => step_time(model, [PROMPT], { prompt_lookup_num_tokens: 8 }),
    plain: () => step_time(model, [PROMPT], {}),
  };
  await lookup.lookup();
  const { lookup: with_lookup, plain } = await in_turns(lookup);
  add_row(`${size} prompt lookup`, "ms/token", with_lookup, plain, "without");
  await model.dispose();
}
const model = await AutoModelForCausalLM.from_pretrained(join(fixtures, "graph", "gpt2-lm"), { n_threads: threads });
/** Microseconds for each token of 50 calls of 36 tokens, with all that a call costs. */
const token_time = async () => {
  let sum = 0;
  for (let i = 0; i < 50; i++) sum += await step_time(model, [[5, 6, 7]], {}, 36);
  return (sum / 50) * 1000;
};
await token_time();
const { token } = await in_turns({ token: token_time });
add_row("tiny GPT-2 on the graph engine", "µs/token", token, [60], "the limit");
report("Beam search and the generation loop");

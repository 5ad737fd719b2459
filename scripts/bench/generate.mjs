// generate() of encoder-decoders and GPT-2 on the graph engine against PyTorch and transformers.js (greedy: it has no
// beams), on the same random weights.
//   npm run bench:generate -- [--rounds 5] [--threads 2] [--only "T5-small greedy"] [--json]
// The models are made by scripts/bench/generate.py and export_decoders.py, which need Python with torch, transformers
// and onnx: $PYTHON, or .venv of `npm run fixtures`.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AutoModelForCausalLM, AutoModelForSeq2SeqLM } from "../../dist/index.js";
import { add_row, in_blocks, options, report, rounds, threads } from "./harness.mjs";
import { folder, install, root } from "./peers.mjs";

const venv = join(root, ".venv", "bin", "python");
const python = process.env.PYTHON ?? (existsSync(venv) ? venv : "python3");
const models = join(folder, "models");
const script = join(root, "scripts", "bench", "generate.py");
const exporter = join(root, "scripts", "bench", "export_decoders.py");
const NEW = 64;

const SUBJECTS = {
  "T5-small": { name: "t5-small", auto: AutoModelForSeq2SeqLM, prompt: 128 },
  "BART-base": { name: "bart-base", auto: AutoModelForSeq2SeqLM, prompt: 128 },
  "GPT-2": { name: "gpt2", auto: AutoModelForCausalLM, prompt: 16 },
};
const MODES = { greedy: { num_beams: 1 }, "4 beams": { num_beams: 4 } };

const call = (mode) => ({ do_sample: false, min_new_tokens: NEW, max_new_tokens: NEW, ...mode });
/** Token ids below every vocabulary, the same each time, as in generate.py. */
const prompt_of = (length) => [Array.from({ length }, (_, i) => 1000 + ((i * 7919) % 20000))];

/** What Python needs for each new token, in milliseconds, and the ids that it gave. */
const python_times = (name, prompt, mode) =>
  JSON.parse(
    execFileSync(
      python,
      [script, join(models, name), String(threads), String(rounds), String(prompt), JSON.stringify(call(mode))],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    ),
  );

/** What transformers.js needs for each new token, in milliseconds, and the ids that it gave. */
async function peer_times({ env, Tensor, ...classes }, { name, auto, prompt }) {
  env.localModelPath = models;
  env.allowRemoteModels = false;
  const session_options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  const model = await classes[auto.name].from_pretrained(name, { dtype: "fp32", session_options });
  const tensor = (row) => new Tensor("int64", BigInt64Array.from(row, BigInt), [1, row.length]);
  const [ids] = prompt_of(prompt);
  const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
  let sequences;
  const { times } = await in_blocks({
    times: async () => {
      const start = performance.now();
      sequences = await model.generate({ ...inputs, ...call({}) });
      return (performance.now() - start) / NEW;
    },
  });
  await model.dispose();
  return { times, sequences: sequences.tolist().map((row) => row.map(Number)) };
}

const is_wanted = (title, mode) => `${title} ${mode}`.includes(options.only);
const modes_of = (title) => Object.entries(MODES).filter(([mode]) => is_wanted(title, mode));
const wanted = Object.entries(SUBJECTS).filter(([title]) => modes_of(title).length > 0);
const exported = ({ name, auto }) =>
  join(models, name, "onnx", auto === AutoModelForCausalLM ? "model.onnx" : "decoder_model_merged.onnx");
const missing = wanted.map(([, subject]) => subject).filter((subject) => !existsSync(exported(subject)));
if (missing.length > 0) {
  const quietly = { stdio: ["ignore", "ignore", "inherit"] };
  execFileSync(python, [script, models, ...missing.map(({ name }) => name)], quietly);
  execFileSync(python, [exporter, ...missing.map(({ name }) => join(models, name))], quietly);
}
const find = wanted.length > 0 && install("transformers-js", ["@huggingface/transformers@4.3.1"]);
const peer = find && (await import(find("@huggingface/transformers")));

for (const [title, subject] of wanted) {
  const { name, auto, prompt } = subject;
  const model = await auto.from_pretrained(join(models, name), { dtype: "float32", n_threads: threads });
  const ids = prompt_of(prompt);
  for (const [mode, settings] of modes_of(title)) {
    const { ours } = await in_blocks({
      ours: async () => {
        const start = performance.now();
        await model.generate(ids, call(settings));
        return (performance.now() - start) / NEW;
      },
    });
    const { times, sequences } = python_times(name, prompt, settings);
    const same = JSON.stringify((await model.generate(ids, call(settings))).tolist());
    if (same !== JSON.stringify(sequences)) console.error(`${title} ${mode}: PyTorch's tokens differ`);
    add_row(`${title} ${mode}`, "ms/token", ours, times, "PyTorch f32");
    if (!peer || mode !== "greedy") continue;
    const theirs = await peer_times(peer, subject);
    if (same !== JSON.stringify(theirs.sequences)) console.error(`${title} ${mode}: transformers.js's tokens differ`);
    add_row(`${title} ${mode}`, "ms/token", ours, theirs.times, "transformers.js f32");
  }
  await model.dispose();
}

if ("tiny".includes(options.only) || !options.only) {
  // Almost nothing to compute: what is left is the loop.
  const model = await AutoModelForCausalLM.from_pretrained(join(root, "test", "fixtures", "graph", "gpt2-lm"), {
    n_threads: 1,
  });
  const engine = await model.generating_engine(1, 3);
  let in_model = 0;
  const request = engine.generate;
  const value = (what, events) => {
    const on_done = (result) => {
      in_model += result.decode_time * 1e6;
      events.on_done(result);
    };
    return request.call(engine, what, { ...events, on_done });
  };
  Object.defineProperty(engine, "generate", { value });
  const calls = 20;
  const tokens = 24;
  const settings = { do_sample: false, min_new_tokens: tokens, max_new_tokens: tokens };
  /** Microseconds for a token: all of them, and those in the model. */
  const measure = async () => {
    in_model = 0;
    const start = performance.now();
    for (let i = 0; i < calls; i++) await model.generate([[10, 20, 30]], settings);
    const all = (performance.now() - start) * 1e3;
    return [all, in_model].map((time) => time / calls / tokens);
  };
  const { both } = await in_blocks({ both: measure });
  const beyond = both.map(([all, model_time]) => all - model_time);
  add_row("tiny GPT-2 greedy, beyond the model", "µs/token", beyond, [60], "goal");
  const [all, model_times] = [0, 1].map((part) => both.map((one) => one[part]));
  add_row("tiny GPT-2 greedy, all of it", "µs/token", all, model_times, "the model alone");
  await model.dispose();
}

report(`generate(), ${NEW} new tokens, ${threads} threads`);

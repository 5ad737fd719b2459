// Encoders against onnxruntime-node, transformers.js and PyTorch, on the same random weights.
//   npm run bench:encoders -- [--rounds 5] [--threads 2] [--json]
// The models are made by scripts/bench/export_onnx.py, which needs Python with torch, transformers and onnx: $PYTHON, or
// .venv of `npm run fixtures`.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { AutoModel, BertConfig, BertModel, pipeline } from "../../dist/index.js";
import { add_row, in_blocks, report, rounds, threads } from "./harness.mjs";
import { folder, install, root } from "./peers.mjs";

const venv = join(root, ".venv", "bin", "python");
const python = process.env.PYTHON ?? (existsSync(venv) ? venv : "python3");
const models = join(folder, "models");
const NAMES = { "BERT-base": "bert-base", MiniLM: "minilm-l6" };

execFileSync(
  python,
  [join(root, "scripts", "bench", "export_onnx.py"), models, ...Object.values(NAMES), "bert-base-nli"],
  {
    stdio: ["ignore", "ignore", "inherit"],
  },
);
const find = install("encoders", ["onnxruntime-node@1.30.0", "@huggingface/transformers@4.3.1"]);
if (!find) throw new Error("the peers could not be installed");
const ort = createRequire(join(folder, "encoders", "package.json"))("onnxruntime-node");
const { env, pipeline: peer_pipeline } = await import(find("@huggingface/transformers"));
env.localModelPath = models;
env.allowRemoteModels = false;

/** Token ids below every vocabulary, the same each time. */
const row_of = (length, seed = 0) => Array.from({ length }, (_, i) => 1000 + ((i * 7919 + seed * 104729) % 20000));
const text_of = (words, seed = 0) =>
  Array.from({ length: words }, (_, i) => ["bade", "kilo", "mana", "tuzo", "vera", "nido"][(i * 5 + seed) % 6]).join(
    " ",
  );

async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function open(name) {
  const session = await ort.InferenceSession.create(join(models, name, "onnx", "model.onnx"), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const tensor = (rows, length, value) => {
    const data = BigInt64Array.from(
      rows.flatMap((row) => row.map(value)),
      BigInt,
    );
    return new ort.Tensor("int64", data, [rows.length, length]);
  };
  return (rows) => {
    const length = Math.max(...rows.map((row) => row.length));
    return session.run({
      input_ids: tensor(rows, length, (id) => id),
      attention_mask: tensor(rows, length, () => 1),
      token_type_ids: tensor(rows, length, () => 0),
    });
  };
}

/** What a call takes beside the computation in ggml. */
async function milliseconds_added(model, inputs) {
  const time = await milliseconds(() => model(inputs));
  return time - model.engine.compute_nanoseconds() / 1e6;
}

/** By how many milliseconds a timer of 1 ms comes too late at most, while `work` goes on. */
async function worst_delay(work) {
  let [worst, last] = [0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    [worst, last] = [Math.max(worst, now - last - 1), now];
  }, 1);
  await work();
  clearInterval(timer);
  return worst;
}

/** A padded batch as a tokenizer gives it. */
function padded(rows) {
  const length = Math.max(...rows.map((row) => row.length));
  const fill = (row, value) => [...row, ...new Array(length - row.length).fill(value)];
  return {
    input_ids: rows.map((row) => fill(row, 0)),
    attention_mask: rows.map((row) =>
      fill(
        row.map(() => 1),
        0,
      ),
    ),
  };
}

/** Milliseconds of PyTorch. */
const pytorch = (name, batch, length) =>
  JSON.parse(
    execFileSync(
      python,
      [
        join(root, "scripts", "bench", "encoders.py"),
        join(models, name),
        String(threads),
        String(rounds),
        String(batch),
        String(length),
      ],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    ),
  );

function largest_difference(a, b) {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

const SHAPES = [
  [1, 16],
  [1, 128],
  [1, 512],
  [16, 16],
  [16, 128],
];

{
  const small = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64 };
  const tiny = await BertModel.from_config(new BertConfig(small), { n_threads: threads });
  const minilm = await AutoModel.from_pretrained(join(models, NAMES.MiniLM), { n_threads: threads });
  for (const [title, model] of [
    ["a tiny BERT", tiny],
    ["MiniLM", minilm],
  ]) {
    const added = [];
    for (let i = 0; i < 1000; i++) added.push(1000 * (await milliseconds_added(model, [row_of(16)])));
    add_row(`${title} 16, a call beside ggml's time`, "µs", added.slice(200), [50], "goal");
    await model.dispose();
  }
}

for (const [title, name] of Object.entries(NAMES)) {
  const peer = await open(name);
  const load = (dtype) => AutoModel.from_pretrained(join(models, name), { dtype, n_threads: threads });
  const ours = { f32: await load("float32"), bf16: await load("bfloat16"), q8_0: await load("q8_0") };
  for (const [batch, length] of SHAPES) {
    const rows = Array.from({ length: batch }, (_, i) => row_of(length, i));
    const same = largest_difference(
      (await ours.f32(rows)).last_hidden_state.data,
      (await peer(rows)).last_hidden_state.data,
    );
    if (same > 1e-3) throw new Error(`${title} [${batch}, ${length}]: the results differ by ${same}`);
    const times = await in_blocks({
      ...Object.fromEntries(
        Object.entries(ours).map(([dtype, model]) => [dtype, () => milliseconds(() => model(rows))]),
      ),
      onnx: () => milliseconds(() => peer(rows)),
    });
    const shape = batch === 1 ? `${length}` : `${batch}x${length}`;
    for (const dtype of Object.keys(ours))
      add_row(`${title} ${shape} ${dtype}`, "ms", times[dtype], times.onnx, "onnxruntime-node f32");
    if (length === 128) add_row(`${title} ${shape} f32`, "ms", times.f32, pytorch(name, batch, length), "PyTorch f32");
  }
  for (const model of Object.values(ours)) await model.dispose();
}

{
  // Texts of 8 to 256 tokens, drawn once.
  const rows = Array.from({ length: 64 }, (_, i) => row_of(8 + ((i * 97 + 31 * i * i) % 249), i));
  const peer = await open("bert-base");
  const model = await AutoModel.from_pretrained(join(models, "bert-base"), { dtype: "float32", n_threads: threads });
  const batch = padded(rows);
  const times = await in_blocks(
    {
      ours: () => milliseconds(() => model(batch)),
      padded: () => milliseconds(() => peer(batch.input_ids)),
      single: () =>
        milliseconds(async () => {
          for (const row of rows) await peer([row]);
        }),
    },
    Math.min(rounds, 2),
  );
  add_row("BERT-base 64 texts of 8 to 256 f32", "ms", times.ours, times.padded, "onnxruntime-node, padded");
  add_row("BERT-base 64 texts of 8 to 256 f32", "ms", times.ours, times.single, "onnxruntime-node, one by one");

  // A shape that was never seen: what is not ggml's own time.
  const added = [];
  for (let length = 20; length < 20 + 2 * rounds; length++)
    added.push(await milliseconds_added(model, [row_of(length)]));
  add_row("BERT-base new shape, tracing and graph", "ms", added, [5], "goal");

  // The event loop while forward passes run, of a known shape and of new ones, and for as long without them.
  await model([row_of(512)]);
  const start = performance.now();
  const known = await worst_delay(async () => {
    for (let i = 0; i < 3; i++) await model([row_of(512)]);
  });
  const time = performance.now() - start;
  const fresh = await worst_delay(async () => {
    for (let i = 0; i < 12; i++) await model([row_of(100 + i)]);
  });
  const idle = await worst_delay(() => new Promise((resolve) => setTimeout(resolve, time)));
  add_row("worst delay of a 1 ms timer beside BERT-base 512", "ms", [known], [idle], "beside nothing");
  add_row("worst delay of a 1 ms timer beside new shapes", "ms", [fresh], [idle], "beside nothing");
  await model.dispose();
}

{
  const texts = Array.from({ length: 64 }, (_, i) => text_of(6 + (i % 5), i));
  const settings = { pooling: "mean", normalize: true };
  const ours = await pipeline("feature-extraction", join(models, "minilm-l6"), {
    dtype: "float32",
    n_threads: threads,
  });
  const peer = await peer_pipeline("feature-extraction", "minilm-l6", {
    dtype: "fp32",
    session_options: { intraOpNumThreads: threads },
  });
  const embed = (embedder) => () => milliseconds(() => embedder(texts, { ...settings, batch_size: 64 }));
  const times = await in_blocks({
    batch: embed(ours),
    single: () =>
      milliseconds(async () => {
        for (const text of texts) await ours(text, settings);
      }),
    peer: embed(peer),
  });
  add_row("MiniLM 64 short texts in one call", "ms", times.batch, times.single, "64 calls of ours");
  add_row("MiniLM 64 short texts in one call", "ms", times.batch, times.peer, "transformers.js");
  await ours.dispose();
}

{
  const labels = [
    "bade",
    "kilo",
    "mana",
    "tuzo",
    "vera",
    "nido",
    "bade kilo",
    "mana tuzo",
    "vera nido mana",
    "kilo vera",
  ];
  const text = text_of(60);
  const ours = await pipeline("zero-shot-classification", join(models, "bert-base-nli"), {
    dtype: "float32",
    n_threads: threads,
  });
  const peer = await open("bert-base-nli");
  const rows = labels.map((label) => ours.tokenizer(text, `This example is ${label}.`).input_ids);
  const times = await in_blocks({
    ours: () => milliseconds(() => ours(text, labels)),
    padded: () => milliseconds(() => peer(padded(rows).input_ids)),
    single: () =>
      milliseconds(async () => {
        for (const row of rows) await peer([row]);
      }),
  });
  add_row("BERT-base zero-shot, 10 labels", "ms", times.ours, times.padded, "onnxruntime-node, padded");
  add_row("BERT-base zero-shot, 10 labels", "ms", times.ours, times.single, "onnxruntime-node, one by one");
  await ours.dispose();
}

report(`Encoders, ${threads} threads`);

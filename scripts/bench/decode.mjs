// Decoder-only generation against llama-bench (the same ggml, the same GGUF file) and node-llama-cpp.
//   npm run bench:decode -- [--threads 1] [--rounds 5] [--json]
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AutoModelForCausalLM, AutoTokenizer } from "../../dist/index.js";
import { random_llama } from "./checkpoint.mjs";
import { add_row, in_turns, report, rounds, threads } from "./harness.mjs";
import { install, llama_bench, root } from "./peers.mjs";

const any_tokenizer = join(root, "test", "fixtures", "models", "m27-llama");

const TINY = {
  vocab_size: 2048,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};
const LARGE = {
  vocab_size: 16384,
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 10,
  num_attention_heads: 12,
};

/** Prompts without an end: the checkpoints name no end-of-sequence token. */
const prompt_of = (length) => [Array.from({ length }, (_, i) => 3 + ((i * 7919) % 2000))];
const GREEDY = { do_sample: false };

/** Milliseconds that `work` takes, while `load` (if any) runs beside it. */
async function milliseconds(work, load) {
  const stop = await load?.();
  const start = performance.now();
  await work();
  const time = performance.now() - start;
  await stop?.();
  return time;
}

/** The main thread busy in slices of 5 ms, with a turn of the event loop between two of them. */
async function busy_main_thread() {
  let running = true;
  const slice = () => {
    const end = performance.now() + 5;
    while (performance.now() < end);
    if (running) setImmediate(slice);
  };
  setImmediate(slice);
  return () => {
    running = false;
  };
}

/** Every thread of libuv's pool waits: opening a FIFO blocks until it has a writer. */
async function full_pool() {
  const folder = mkdtempSync(join(tmpdir(), "fifo-"));
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const pool = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  const waiting = Array.from({ length: pool }, () => open(fifo, "r"));
  return async () => {
    const writer = execFile("sh", ["-c", `exec sleep 1 > '${fifo}'`]);
    for (const handle of await Promise.all(waiting)) await handle.close();
    writer.kill();
    rmSync(folder, { recursive: true });
  };
}

/** Our side: `decode` and `prompt` give milliseconds for each token. */
async function ours(folder, dtype) {
  const model = await AutoModelForCausalLM.from_pretrained(folder, { dtype, n_threads: threads, device: "cpu" });
  const generate = (prompt, tokens) => model.generate(prompt_of(prompt), { ...GREEDY, max_new_tokens: tokens });
  return {
    model,
    decode: async (tokens, load) => (await milliseconds(() => generate(1, tokens), load)) / tokens,
    stream: async (tokens) =>
      (await milliseconds(async () => {
        for await (const step of generate(1, tokens)) if (step.length !== 1) throw new Error("one row was asked for");
      })) / tokens,
    prompt: async (tokens) => (await milliseconds(() => generate(tokens, 1))) / tokens,
    /** Milliseconds for each token of all calls together. */
    concurrent: async (calls, tokens) =>
      (await milliseconds(() => Promise.all(Array.from({ length: calls }, () => generate(1, tokens))))) /
      (calls * tokens),
  };
}

/** llama-bench on a GGUF file, with the attention that our engine has for this dtype (the float32 cache it has not). */
function llama_bench_on(program, gguf, dtype) {
  const attention = dtype === "float32" ? ["-fa", "0"] : [];
  const run = async (...test) => {
    const args = ["-m", gguf, "-t", String(threads), "-ngl", "0", "-r", "1", "-o", "json", ...attention, ...test];
    const { stdout } = await promisify(execFile)(program, args);
    const [{ avg_ns, n_prompt, n_gen }] = JSON.parse(stdout);
    return avg_ns / 1e6 / (n_prompt + n_gen);
  };
  return {
    decode: (tokens) => run("-p", "0", "-n", String(tokens)),
    prompt: (tokens) => run("-p", String(tokens), "-n", "0"),
  };
}

/** node-llama-cpp on the same file, or undefined where it cannot be installed. */
async function node_llama_cpp(gguf) {
  const binary = `@node-llama-cpp/${{ linux: "linux", darwin: "mac", win32: "win" }[process.platform]}-${process.arch}`;
  const find = install("node-llama-cpp", ["node-llama-cpp@3.22.1", `${binary}@3.22.1`], { optional: false });
  if (!find) return undefined;
  const { getLlama } = await import(find("node-llama-cpp"));
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "disabled", maxThreads: threads });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({ contextSize: 1024, sequences: 1, threads });
  const sequence = context.getSequence();
  const generate = async (prompt, tokens) => {
    await sequence.clearHistory();
    let made = 0;
    for await (const _ of sequence.evaluate(prompt_of(prompt)[0], { temperature: 0, yieldEogToken: true })) {
      if (++made === tokens) return;
    }
  };
  return {
    decode: async (tokens, load) => (await milliseconds(() => generate(1, tokens), load)) / tokens,
    prompt: async (tokens) => (await milliseconds(() => generate(tokens, 1))) / tokens,
    dispose: () => llama.dispose(),
  };
}

const scaled = (times, factor) => times.map((time) => time * factor);

/** A checkpoint with everybody on it, warmed up. */
async function contest(name, sizes, dtype, program) {
  const folder = random_llama(name, sizes);
  const we = await ours(folder, dtype);
  const gguf = join(folder, `${dtype}.gguf`);
  // Any tokenizer: node-llama-cpp aborts on a file without one.
  await we.model.save_gguf(gguf, { tokenizer: await AutoTokenizer.from_pretrained(any_tokenizer) });
  const bench = llama_bench_on(program, gguf, dtype);
  const node = await node_llama_cpp(gguf);
  await we.decode(16);
  await node?.decode(16);
  return { we, bench, node };
}

const program = llama_bench();

{
  const tokens = 512;
  const { we, bench, node } = await contest("tiny", TINY, "float32", program);
  // Short runs: more of them, as one in peace is enough.
  const measures = {
    idle: () => we.decode(tokens),
    stream: () => we.stream(tokens),
    busy: () => we.decode(tokens, busy_main_thread),
    pool: () => we.decode(tokens, full_pool),
    bench: () => bench.decode(tokens),
    ...(node && { node: () => node.decode(tokens), node_busy: () => node.decode(64, busy_main_thread) }),
  };
  const times = await in_turns(measures, 3 * rounds);
  const us = (name) => scaled(times[name], 1000);
  add_row("tiny decode", "µs/token", us("idle"), us("bench"), "llama-bench");
  add_row("tiny decode, streamed", "µs/token", us("stream"), us("bench"), "llama-bench");
  add_row("tiny decode, main thread busy", "µs/token", us("busy"), us("idle"), "ours, idle");
  add_row("tiny decode, libuv pool full", "µs/token", us("pool"), us("idle"), "ours, idle");
  if (node) {
    add_row("tiny decode", "µs/token", us("idle"), us("node"), "node-llama-cpp");
    add_row("tiny decode, main thread busy", "µs/token", us("busy"), us("node_busy"), "node-llama-cpp");
  }
  await we.model.dispose();
  await node?.dispose();
}

{
  const [tokens, prompt] = [64, 512];
  const { we, bench, node } = await contest("107m", LARGE, "bfloat16", program);
  const times = await in_turns({
    decode: () => we.decode(tokens),
    bench: () => bench.decode(tokens),
    four: () => we.concurrent(4, tokens),
    prompt: () => we.prompt(prompt),
    bench_prompt: () => bench.prompt(prompt),
    ...(node && { node: () => node.decode(tokens), node_prompt: () => node.prompt(prompt) }),
  });
  add_row("107M decode", "ms/token", times.decode, times.bench, "llama-bench");
  add_row("107M prompt of 512", "ms/token", times.prompt, times.bench_prompt, "llama-bench");
  add_row("107M decode, 4 generate() at once", "ms/token", times.four, times.decode, "ours, one");
  if (node) {
    add_row("107M decode", "ms/token", times.decode, times.node, "node-llama-cpp");
    add_row("107M prompt of 512", "ms/token", times.prompt, times.node_prompt, "node-llama-cpp");
  }
  await we.model.dispose();
  await node?.dispose();
}

report("Greedy generation; llama-bench and node-llama-cpp read the GGUF that save_gguf() wrote");

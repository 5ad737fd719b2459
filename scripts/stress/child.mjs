// One process that generates without an end, and then ends as its argument says. Started by endings.mjs.
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { AutoModelForCausalLM } from "../../dist/index.js";

const file = fileURLToPath(import.meta.url);
const [ending, folder, assistant] = workerData ?? process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const open = (path) => AutoModelForCausalLM.from_pretrained(path, { n_threads: 1 });
/** The model, with its assistant if there is one. */
const load = async () => {
  const model = await open(folder);
  if (assistant) model.assistant = await open(assistant);
  return model;
};
const generate = (model, options) =>
  model.generate([[3, 4, 5]], {
    do_sample: false,
    ...options,
    ...(model.assistant ? { assistant_model: model.assistant } : {}),
  });
const LONG = { max_new_tokens: 36, eos_token_id: null, pad_token_id: 0 };

/** Two calls at a time, for ever; resolves when tokens have come. */
async function keep_generating(model) {
  const loop = async () => {
    for (;;) await generate(model, LONG);
  };
  loop().catch(() => {}); // ends with code "disposed" or "aborted" where that is the ending
  for await (const _ of generate(model, LONG)) break;
  loop().catch(() => {});
}

/** A worker of this file; resolves with its first message. */
function start_worker(task) {
  const worker = new Worker(file, { workerData: [task, folder, assistant] });
  const message = new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  return { worker, message, exit };
}

const tasks = {
  /** Generation ends, nothing is disposed: the process must end by itself. */
  async end() {
    await generate(await load(), LONG);
  },
  async exit() {
    await keep_generating(await load());
    process.exit(0);
  },
  async throw() {
    await keep_generating(await load());
    setTimeout(() => {
      throw new Error("meant to be uncaught");
    });
  },
  /** The parent sends the signal when it reads "generating". */
  async signal() {
    await keep_generating(await load());
    console.log("generating");
    await sleep(60_000);
  },
  async dispose() {
    const model = await load();
    await keep_generating(model);
    await model.dispose();
  },
  /** `worker.terminate()`, with a model that goes on in the main thread. */
  async terminate() {
    const model = await load();
    const { worker, message, exit } = start_worker("report");
    await message;
    await worker.terminate();
    await exit;
    await generate(model, LONG);
  },
  /** Two workers, each with the addon and a model of its own, generate the same; so does the main thread after them. */
  async two_workers() {
    const workers = [start_worker("result"), start_worker("result")];
    const results = await Promise.all(workers.map(({ message }) => message));
    await Promise.all(workers.map(({ exit }) => exit));
    const own = (await generate(await load(), LONG)).tolist();
    for (const result of results) {
      if (JSON.stringify(result) !== JSON.stringify(own)) throw new Error("the workers' tokens differ");
    }
  },
  /** `process.exit()` in a worker ends the worker only. */
  async worker_exit() {
    const { exit } = start_worker("exit");
    await exit;
    await generate(await load(), LONG);
  },

  // what workers do
  async report() {
    await keep_generating(await load());
    parentPort.postMessage("generating");
  },
  async result() {
    parentPort.postMessage((await generate(await load(), LONG)).tolist());
  },
};

await tasks[ending]();
if (isMainThread && !["signal", "throw", "exit"].includes(ending)) console.log("ended");

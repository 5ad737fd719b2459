// The ways in which a process may end while a model generates, and how it must look from outside.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const fixture = (path) => fileURLToPath(new URL(`../../test/fixtures/${path}`, import.meta.url));

/** What generates: the folder of a model, and of one that assists it. */
export const subjects = {
  "the llama engine": [fixture("models/m27-llama")],
  "the graph engine": [fixture("graph/gpt2-lm")],
  "an assisted model": [fixture("models/m27-llama"), fixture("assisted/assistants/m27-llama")],
};

/** For each ending: the task of child.mjs, the signal to send, and the expected exit code or signal. */
export const endings = {
  "by itself": { task: "end", code: 0 },
  "process.exit()": { task: "exit", code: 0 },
  "an uncaught throw": { task: "throw", code: 1 },
  SIGTERM: { task: "signal", signal: "SIGTERM" },
  SIGINT: { task: "signal", signal: "SIGINT" },
  "dispose()": { task: "dispose", code: 0 },
  "worker.terminate()": { task: "terminate", code: 0 },
  "process.exit() in a worker": { task: "worker_exit", code: 0 },
  "two workers and the main thread": { task: "two_workers", code: 0 },
};

/** Runs a child once; undefined if it ended as it must, else what happened. */
export function run(name, folders = subjects["the llama engine"]) {
  const { task, code = null, signal = null } = endings[name];
  return new Promise((resolve) => {
    const process_ = spawn(process.execPath, [child, task, ...folders], { stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => process_.kill("SIGKILL"), 60_000);
    let output = "";
    process_.stderr.on("data", (data) => {
      output += data;
    });
    process_.stdout.on("data", (data) => {
      output += data;
      if (signal && output.includes("generating")) process_.kill(signal);
    });
    process_.on("close", (ended_code, ended_signal) => {
      clearTimeout(timer);
      const as_meant = ended_code === code && ended_signal === signal;
      resolve(as_meant ? undefined : `ended with ${ended_signal ?? ended_code}: ${output.trim().slice(-2000)}`);
    });
  });
}

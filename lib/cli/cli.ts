#!/usr/bin/env node
import { main } from "./main.js";
import { Terminal } from "./terminal.js";

/** How long work under way may take to stop after Ctrl-C. Milliseconds. */
const GRACE = 1000;

const terminal = new Terminal();
process.on("SIGINT", () => {
  if (terminal.signal.aborted) process.exit(130);
  terminal.interrupt();
});
terminal.signal.addEventListener("abort", () => setTimeout(() => process.exit(130), GRACE).unref());
// `| head` has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// Node's own listener adds process numbers and a hint for programmers.
process.removeAllListeners("warning");
process.on("warning", ({ message }) => process.stderr.write(`${terminal.style("dim", `warning: ${message}`)}\n`));

process.exitCode = await main(process.argv.slice(2), terminal);

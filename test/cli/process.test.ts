// What only a process of its own shows: signals, pipes, exit codes, warnings.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addon_path } from "../../lib/native.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MODEL = join(ROOT, "models", "kjv-llama-5m");
/** More than a test waits for. */
const ENDLESS = ["--set", "min_new_tokens=20000", "--max-new-tokens", "20000"];

let folder: string;
beforeAll(async () => {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "build", "cli-"));
  await build({
    entryPoints: [join(ROOT, "lib", "cli", "cli.ts")],
    outdir: folder,
    bundle: true,
    platform: "node",
    format: "esm",
    splitting: true,
    external: ["@huggingface/*"],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(argv: string[]): ChildProcess {
  const env = { ...process.env, GGML_TRANSFORMERS_NATIVE_PATH: addon_path() };
  return spawn(process.execPath, [join(folder, "cli.js"), ...argv], { env });
}

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Waits for the end; `on_first_output` is called once, when there is something on stdout. */
function ended(child: ChildProcess, on_first_output?: () => void): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.once("data", () => on_first_output?.());
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

describe("the process", () => {
  it("gives the command's exit code", async () => {
    const child = start(["generate", MODEL, "x", "--top-kk", "1"]);
    expect(await ended(child)).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: "error: unknown option --top-kk (did you mean --top-k?); see ggml-transformers generate --help\n",
    });
  });

  it("ends with 130 when Ctrl-C stops a generation", async () => {
    const child = start(["generate", MODEL, "And", ...ENDLESS]);
    const { code, signal, stdout } = await ended(child, () => child.kill("SIGINT"));
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(stdout.endsWith("\n")).toBe(true);
  });

  it("ends quietly when the reader of its output leaves", async () => {
    const child = start(["generate", MODEL, "And", ...ENDLESS]);
    const { code, signal, stderr } = await ended(child, () => child.stdout?.destroy());
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stderr).not.toContain("EPIPE");
  });

  it("stops the answer and not the program at Ctrl-C in a chat", async () => {
    const child = start(["chat", MODEL, ...ENDLESS]);
    child.stdin?.write("Hello\n");
    const { code, stderr } = await ended(child, () => {
      child.kill("SIGINT");
      child.stdin?.end("/help\n");
    });
    expect(code).toBe(0);
    expect(stderr).toContain("(stopped)");
    expect(stderr).toContain("/clear ");
  });

  it("writes warnings in one line, without colours", async () => {
    const child = start(["generate", MODEL, "And", "--no-do-sample", "--temperature", "0.5", "--max-new-tokens", "1"]);
    const { code, stderr } = await ended(child);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: The following generation flags are not valid.*\n$/);
  });
});

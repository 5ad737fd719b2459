import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { extract_commit_hash } from "../../lib/hub/cache.js";
import { cached_file } from "../../lib/hub/cached_file.js";
import { env } from "../../lib/hub/env.js";
import type { ProgressInfo } from "../../lib/hub/progress.js";
import { HubServer } from "./hub_server.js";

let hub: HubServer;
let home: string;
let cache: string;

beforeEach(async () => {
  hub = new HubServer();
  home = await mkdtemp(join(tmpdir(), "hub-"));
  cache = join(home, "hub");
  for (const name of ["HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("HF_HOME", home);
  vi.stubEnv("HF_ENDPOINT", await hub.listen());
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  await rm(home, { recursive: true, force: true });
});

/** A cache as Python's huggingface_hub leaves it. */
async function python_cache(): Promise<string> {
  const folder = join(cache, "models--org--model");
  const snapshot = join(folder, "snapshots", hub.commit);
  for (const path of [join(folder, "blobs"), join(folder, "refs"), snapshot, join(folder, ".no_exist", hub.commit)]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(join(folder, "refs", "main"), hub.commit);
  await writeFile(join(folder, "blobs", "0123"), "{}");
  await symlink("../../blobs/0123", join(snapshot, "config.json"));
  await writeFile(join(folder, ".no_exist", hub.commit, "added_tokens.json"), "");
  return snapshot;
}

describe("A local folder", () => {
  it("is used as it is, and an optional file that it lacks is undefined", async () => {
    await writeFile(join(home, "config.json"), "{}");
    expect(await cached_file(home, "config.json")).toBe(join(home, "config.json"));
    expect(await cached_file(home, "other.json")).toBeUndefined();
    await expect(cached_file(home, "other.json", { required: true })).rejects.toThrow(
      `${home} does not appear to have a file named other.json. Checkout 'https://huggingface.co/${home}/tree/main' for available files.`,
    );
    expect(hub.requests).toEqual([]);
  });

  it("takes a subfolder, and env.localModelPath finds it by name", async () => {
    await mkdir(join(home, "mine", "sub"), { recursive: true });
    await writeFile(join(home, "mine", "sub", "config.json"), "{}");
    env.localModelPath = home;
    expect(await cached_file("mine", "config.json", { subfolder: "sub" })).toBe(join(home, "mine/sub/config.json"));
    env.localModelPath = "";
  });

  it.each(["../x", "a/../../x", "/etc/passwd", "a\\..\\..\\x", "C:\\x", "a/C:x", "a\0b"])(
    "refuses the file name %j, that would leave the folder",
    async (name) => {
      await expect(cached_file(home, name)).rejects.toMatchObject({ code: "invalid_path" });
      await expect(cached_file("org/model", name)).rejects.toMatchObject({ code: "invalid_path" });
      await expect(cached_file(home, "x", { subfolder: name })).rejects.toMatchObject({ code: "invalid_path" });
    },
  );
});

describe("The cache of Python", () => {
  it("is read without a request, and what it knows to be absent is not asked for", async () => {
    const snapshot = await python_cache();
    expect(await cached_file("org/model", "config.json")).toBe(join(snapshot, "config.json"));
    expect(await cached_file("org/model", "config.json", { revision: hub.commit })).toBe(join(snapshot, "config.json"));
    expect(await cached_file("org/model", "added_tokens.json")).toBeUndefined();
    expect(hub.requests).toEqual([]);
  });

  it("is found by HF_HUB_CACHE, env.cacheDir and cache_dir", async () => {
    const snapshot = await python_cache();
    vi.stubEnv("HF_HOME", "/nowhere");
    await expect(cached_file("org/model", "config.json", { local_files_only: true })).resolves.toBeUndefined();
    const options = { local_files_only: true, cache_dir: cache };
    expect(await cached_file("org/model", "config.json", options)).toBe(join(snapshot, "config.json"));
    vi.stubEnv("HF_HUB_CACHE", cache);
    expect(env.cacheDir).toBe(cache);
    expect(await cached_file("org/model", "config.json")).toBe(join(snapshot, "config.json"));
  });

  it("is all there is when offline", async () => {
    await python_cache();
    vi.stubEnv("TRANSFORMERS_OFFLINE", "1");
    expect(await cached_file("org/model", "config.json")).toBeTruthy();
    expect(await cached_file("org/model", "tokenizer.json")).toBeUndefined();
    await expect(cached_file("org/other", "config.json", { required: true })).rejects.toThrow(
      /We couldn't connect to 'http:.*' to load the files, and couldn't find them in the cached files/,
    );
    await expect(cached_file("org/model", "config.json", { force_download: true })).rejects.toThrow(
      "Cannot pass 'force_download=True' when offline mode is enabled.",
    );
    expect(hub.requests).toEqual([]);
  });
});

describe("A download", () => {
  it("leaves what Python would: blob, link, ref and known absence", async () => {
    hub.add("sub/config.json", '{"a": 1}');
    const path = await cached_file("org/model", "config.json", { subfolder: "sub" });
    const folder = join(cache, "models--org--model");
    expect(path).toBe(join(folder, "snapshots", hub.commit, "sub", "config.json"));
    expect(extract_commit_hash(path)).toBe(hub.commit);
    expect(await readFile(path!, "utf8")).toBe('{"a": 1}');
    const [blob] = await readdir(join(folder, "blobs"));
    expect(await readlink(path!)).toBe(`../../../blobs/${blob}`);
    expect(await readFile(join(folder, "refs", "main"), "utf8")).toBe(hub.commit);
    expect(await cached_file("org/model", "nothing.json")).toBeUndefined();
    expect(await readdir(join(folder, ".no_exist", hub.commit))).toEqual(["nothing.json"]);
    const count = hub.requests.length;
    await cached_file("org/model", "config.json", { subfolder: "sub" });
    await cached_file("org/model", "nothing.json");
    expect(hub.requests.length).toBe(count);
  });

  it("follows the redirect to the storage, and a renamed repository", async () => {
    hub.add("model.safetensors", Buffer.alloc(3_000_000, 7), true);
    const bytes = await readFile((await cached_file("org/renamed", "model.safetensors"))!);
    expect(bytes.equals(Buffer.alloc(3_000_000, 7))).toBe(true);
  });

  it("goes on where the connection broke", async () => {
    const body = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => (i * 7919) % 251));
    hub.add("model.safetensors", body, true);
    hub.breaks.push(500_000, 500_000);
    expect((await readFile((await cached_file("org/model", "model.safetensors"))!)).equals(body)).toBe(true);
    const ranges = hub.requests.filter((r) => r.method === "GET" && r.range && r.range !== "bytes=0-0");
    expect(new Set(ranges.map((r) => r.range)).size).toBe(2);
    expect(await readdir(join(cache, "models--org--model", "blobs"))).toHaveLength(1);
  });

  it("goes on with what an earlier process left", async () => {
    const body = Buffer.alloc(100_000, "abc");
    hub.add("big.bin", body);
    const blobs = join(cache, "models--org--model", "blobs");
    await mkdir(blobs, { recursive: true });
    const etag = createHash("sha1").update(body).digest("hex");
    await writeFile(join(blobs, `${etag}.part`), body.subarray(0, 60_000));
    await writeFile(join(blobs, `${etag}.part.lock`), "999999999");
    expect((await readFile((await cached_file("org/model", "big.bin"))!)).equals(body)).toBe(true);
    expect(hub.requests.map((r) => r.range)).toContain("bytes=60000-99999");
    expect(await readdir(blobs)).toEqual([etag]);
  });

  it("stops at a signal, and another call for the file does not", async () => {
    hub.add("big.bin", Buffer.alloc(100_000, "abc"));
    hub.delay = 20;
    const stop = new AbortController();
    const first = cached_file("org/model", "big.bin", { signal: stop.signal });
    const second = cached_file("org/model", "big.bin");
    setTimeout(() => stop.abort(), 10);
    await expect(first).rejects.toThrow(/abort/i);
    expect((await readFile((await second)!)).equals(Buffer.alloc(100_000, "abc"))).toBe(true);
  });

  it("happens once for concurrent calls, and again with force_download", async () => {
    hub.add("config.json", "{}");
    hub.delay = 20;
    const paths = await Promise.all(Array.from({ length: 5 }, () => cached_file("org/model", "config.json")));
    expect(new Set(paths).size).toBe(1);
    expect(hub.requests.filter((r) => r.method === "HEAD")).toHaveLength(1);
    hub.add("config.json", '{"new": true}');
    await cached_file("org/model", "config.json");
    expect(await readFile(paths[0]!, "utf8")).toBe("{}");
    await cached_file("org/model", "config.json", { force_download: true });
    expect(await readFile(paths[0]!, "utf8")).toBe('{"new": true}');
  });

  it("sends the token to the Hub alone: the option's, HF_TOKEN's, the token file's, or none", async () => {
    hub.private_repositories.add("org/private");
    hub.add("config.json", "{}");
    await expect(cached_file("org/private", "config.json", { required: true })).rejects.toThrow(
      "org/private is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'\n" +
        "If this is a private repository, make sure to pass a token having permission to this repo either by logging in " +
        "with `hf auth login` or by passing `token=<your_token>`",
    );
    await expect(cached_file("org/private", "config.json", { token: true })).rejects.toThrow(/Token is required/);
    await writeFile(join(home, "token"), "secret\n");
    await expect(cached_file("org/private", "config.json", { token: false })).rejects.toThrow(/not a local folder/);
    expect(await cached_file("org/private", "config.json")).toBeTruthy();
    vi.stubEnv("HF_TOKEN", "wrong");
    await expect(cached_file("org/private", "other.json")).rejects.toThrow(/not a local folder/);
    expect(await cached_file("org/private", "other.json", { token: "secret" })).toBeUndefined();
  });

  it("fails as Python does", async () => {
    await expect(cached_file("org/missing", "x")).rejects.toMatchObject({ code: "repository_not_found" });
    await expect(cached_file("org/gated", "x")).rejects.toThrow(/You are trying to access a gated repo.\nMake sure/);
    await expect(cached_file("org/model", "x", { revision: "nope" })).rejects.toThrow(
      "nope is not a valid git identifier (branch name, tag name or commit id) that exists for this model name.",
    );
    await expect(cached_file("org/down", "x", { required: true })).rejects.toThrow(/We couldn't connect to/);
    expect(await cached_file("org/down", "x")).toBeUndefined();
    await expect(cached_file("./nope/x", "config.json")).rejects.toThrow(/is not a local folder, and repo id must be/);
    await expect(cached_file("org/model", "x", { revision: "../../x" })).rejects.toMatchObject({
      code: "invalid_path",
    });
    await expect(cached_file("", "x")).rejects.toThrow(TypeError);
  });

  it("reports its progress with the fields of transformers.js", async () => {
    hub.add("a.bin", Buffer.alloc(1000));
    hub.add("b.bin", Buffer.alloc(500));
    const events: ProgressInfo[] = [];
    const progress_callback = (event: ProgressInfo) => events.push(event);
    await cached_file("org/model", "a.bin", { progress_callback });
    await cached_file("org/model", "b.bin", { progress_callback });
    const name = "org/model";
    const a = { loaded: 1000, total: 1000 };
    expect(events.slice(0, 2)).toEqual([
      { status: "initiate", name, file: "a.bin" },
      { status: "download", name, file: "a.bin" },
    ]);
    expect(events).toContainEqual({ status: "progress_total", name, progress: 100, ...a, files: { "a.bin": a } });
    expect(events).toContainEqual({ status: "progress", name, file: "a.bin", progress: 100, ...a });
    expect(events.at(-1)).toEqual({ status: "done", name, file: "b.bin" });
    const sums = events.filter((event) => event.status === "progress_total");
    expect(sums.at(-1)).toMatchObject({ loaded: 1500, total: 1500, files: { "a.bin": a } });
    events.length = 0;
    await cached_file("org/model", "a.bin", { progress_callback });
    expect(events.map((event) => event.status)).toEqual(["initiate", "download", "progress_total", "progress", "done"]);
  });
});

describe("env", () => {
  it("takes the first lines of programs for transformers.js, and says what has no effect", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    (env.backends.onnx["wasm"] as Record<string, unknown>)["numThreads"] = 2;
    env["useBrowserCache"] = false;
    expect(warned).not.toHaveBeenCalled();
    env["useFSCache"] = false;
    expect(warned).toHaveBeenCalledWith("env.useFSCache has no effect in ggml-transformers.", "TransformersWarning");
    warned.mockRestore();
  });

  it("goes nowhere without allowRemoteModels, and through env.fetch with it", async () => {
    env.allowRemoteModels = false;
    await expect(cached_file("org/model", "config.json", { required: true })).rejects.toThrow(/couldn't connect/);
    env.allowRemoteModels = true;
    expect(hub.requests).toEqual([]);
    hub.add("config.json", "{}");
    const seen: string[] = [];
    env.fetch = (input, init) => {
      seen.push(String(input));
      return fetch(input, init);
    };
    await cached_file("org/model", "config.json");
    env.fetch = undefined;
    expect(seen.length).toBe(hub.requests.length);
  });
});

// Fetches one file of the Hub into the cache: metadata by HEAD as Python's file_download.py, bytes by @huggingface/hub.
import { createWriteStream } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";
import { TransformersError } from "../errors.js";
import { make_folder } from "../files.js";
import { is_file, type RepositoryCache } from "./cache.js";
import { env } from "./env.js";
import type { FileProgress } from "./progress.js";

export interface RemoteFile {
  repository: string;
  revision: string;
  path: string;
  token: string | undefined;
  signal: AbortSignal | undefined;
}

interface Metadata {
  commit: string;
  etag: string;
  size: number;
}

/** What the Hub said no to. `commit` comes with `entry_not_found`. */
export class HubError extends TransformersError {
  declare readonly code: HubErrorCode;

  constructor(
    message: string,
    code: HubErrorCode,
    readonly commit?: string,
    cause?: unknown,
  ) {
    super(message, code, cause);
  }
}

type HubErrorCode =
  | "entry_not_found"
  | "revision_not_found"
  | "repository_not_found"
  | "gated_repository"
  | "http_error"
  | "connection_error";

const ATTEMPTS = 5;
const METADATA_TIMEOUT = 10_000;

function endpoint(): string {
  return env.remoteHost.replace(/\/+$/, "");
}

/** `fetch` with the user's function, our headers, and the token for the Hub's own address only. */
function fetch_for(file: RemoteFile, signal = file.signal): typeof fetch {
  const base = env.fetch ?? fetch;
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    headers.set("User-Agent", `ggml-transformers; node/${process.versions.node}`);
    if (file.token && url.origin === new URL(endpoint()).origin) headers.set("Authorization", `Bearer ${file.token}`);
    return base(input, { ...init, headers, signal });
  };
}

function resolve_url({ repository, revision, path }: RemoteFile): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `${endpoint()}/${repository}/resolve/${encodeURIComponent(revision)}/${encoded}`;
}

/** HEAD that follows redirects within the Hub (renamed repositories) and stops at its storage's address. */
async function head(file: RemoteFile): Promise<Response> {
  const timeout = AbortSignal.timeout(METADATA_TIMEOUT);
  const request = fetch_for(file, file.signal ? AbortSignal.any([file.signal, timeout]) : timeout);
  let url = resolve_url(file);
  for (let redirects = 0; redirects < 10; redirects++) {
    const response = await request(url, {
      method: "HEAD",
      redirect: "manual",
      headers: { "Accept-Encoding": "identity" },
    });
    const location = response.headers.get("Location");
    if (response.status < 300 || response.status > 399 || !location || !location.startsWith("/")) return response;
    url = new URL(location, url).href;
  }
  throw new HubError(`Too many redirects for url: ${resolve_url(file)}.`, "http_error");
}

/** Python's hf_raise_for_status. */
function check_status(response: Response, file: RemoteFile): void {
  if (response.status < 400) return;
  const code = response.headers.get("X-Error-Code");
  const note = response.headers.get("X-Error-Message");
  const url = resolve_url(file);
  const prefix = `${response.status} Client Error.\n\n`;
  if (code === "RevisionNotFound")
    throw new HubError(`${prefix}Revision Not Found for url: ${url}.`, "revision_not_found");
  if (code === "EntryNotFound") {
    const commit = response.headers.get("X-Repo-Commit") ?? undefined;
    throw new HubError(`${prefix}Entry Not Found for url: ${url}.`, "entry_not_found", commit);
  }
  if (code === "GatedRepo") throw new HubError(`${prefix}Cannot access gated repo for url ${url}.`, "gated_repository");
  const unknown = response.status === 401 && note !== "Invalid credentials in Authorization header";
  if (code === "RepoNotFound" || unknown) {
    throw new HubError(`${prefix}Repository Not Found for url: ${url}.`, "repository_not_found");
  }
  // As in Python, a Hub that is down is a Hub that cannot be reached.
  const kind = response.status >= 500 ? "connection_error" : "http_error";
  throw new HubError(`${response.status} ${note ?? response.statusText} for url: ${url}`, kind);
}

/** Commit, etag and size of a file; throws `HubError`. */
async function metadata_of(file: RemoteFile): Promise<Metadata> {
  let response: Response;
  try {
    response = await head(file);
  } catch (error) {
    file.signal?.throwIfAborted();
    if (error instanceof TransformersError) throw error;
    throw new HubError(`Cannot reach ${endpoint()}: ${reason(error)}`, "connection_error", undefined, error);
  }
  check_status(response, file);
  const commit = response.headers.get("X-Repo-Commit");
  const etag = (response.headers.get("X-Linked-Etag") ?? response.headers.get("ETag"))
    ?.replace(/^W\//, "")
    .replaceAll('"', "");
  const size = response.headers.get("X-Linked-Size") ?? response.headers.get("Content-Length");
  if (!commit || !etag || size === null) {
    throw new HubError(
      `${endpoint()} does not answer as the Hub does: no ${!commit ? "X-Repo-Commit" : !etag ? "ETag" : "size"} for ` +
        `${file.path} of ${file.repository}. Check your firewall and proxy settings.`,
      "http_error",
    );
  }
  return { commit, etag, size: Number(size) };
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
}

/**
 * The partial file of a blob. Its name is shared, so that a later process goes on where this one stopped; who finds
 * another living process at it writes a private one.
 */
async function claim_partial(blob: string): Promise<{ partial: string; release: () => Promise<void> }> {
  const shared = `${blob}.part`;
  const lock = `${shared}.lock`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(lock, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return { partial: shared, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (is_running(Number(await readFile(lock, "utf8").catch(() => "")))) break;
      await rm(lock, { force: true });
    }
  }
  const partial = `${blob}.${process.pid}-${Math.random().toString(36).slice(2)}.part`;
  return { partial, release: () => rm(partial, { force: true }) };
}

function is_running(pid: number): boolean {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Appends what is missing to the partial file, with retries that go on where the connection broke. */
async function fetch_bytes(file: RemoteFile, { commit, size }: Metadata, partial: string, progress: FileProgress) {
  const { downloadFile } = await import("@huggingface/hub");
  for (let attempt = 1; ; attempt++) {
    let loaded = await stat(partial).then(
      (found) => found.size,
      () => 0,
    );
    if (loaded > size) {
      await rm(partial);
      loaded = 0;
    }
    try {
      if (loaded < size || size === 0) {
        const where = { repo: file.repository, path: file.path, revision: commit, hubUrl: endpoint() };
        const blob = await downloadFile({ ...where, fetch: fetch_for(file) });
        if (!blob) throw new HubError(`Entry Not Found for url: ${resolve_url(file)}.`, "entry_not_found");
        const rest = loaded ? blob.slice(loaded) : blob;
        const count = new Transform({
          transform(chunk: Uint8Array, _encoding, next) {
            loaded += chunk.length;
            progress.update(loaded, size);
            next(null, chunk);
          },
        });
        const bytes = Readable.fromWeb(rest.stream() as ReadableStream);
        await pipeline(bytes, count, createWriteStream(partial, { flags: "a" }), { signal: file.signal });
      }
      if (loaded === size) return;
      throw new Error(`received ${loaded} of ${size} bytes`);
    } catch (error) {
      file.signal?.throwIfAborted();
      if (error instanceof HubError) throw error;
      if (loaded > size || attempt === ATTEMPTS) {
        const text = `Download of ${file.path} from ${file.repository} failed: ${reason(error)}`;
        throw new HubError(text, "connection_error", undefined, error);
      }
      await sleep(100 * 2 ** attempt, undefined, { signal: file.signal });
    }
  }
}

/**
 * Brings one file into the cache and returns its path there. Throws `HubError`.
 *
 * Source: `_hf_hub_download_to_cache_dir` of huggingface_hub/file_download.py.
 */
export async function download(
  file: RemoteFile,
  cache: RepositoryCache,
  force: boolean,
  progress: FileProgress,
): Promise<string> {
  let metadata: Metadata;
  try {
    metadata = await metadata_of(file);
  } catch (error) {
    if (error instanceof HubError && error.code === "entry_not_found" && error.commit) {
      await cache.remember_absence(error.commit, file.path);
      await cache.remember_commit(file.revision, error.commit);
    }
    throw error;
  }
  const { commit, etag, size } = metadata;
  const blob = cache.blob(etag);
  await make_folder(dirname(blob));
  await cache.remember_commit(file.revision, commit);
  progress.start();
  if (force || !(await is_file(blob))) {
    const { partial, release } = await claim_partial(blob);
    try {
      if (force) await rm(partial, { force: true });
      await fetch_bytes(file, metadata, partial, progress);
      await rename(partial, blob);
    } finally {
      await release();
    }
  }
  const path = await cache.link(commit, file.path, etag);
  progress.done(size);
  return path;
}

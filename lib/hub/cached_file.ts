// Where every file of a checkpoint comes from: a local folder, the cache, or the Hub, in this order.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expected, TransformersError } from "../errors.js";
import { RepositoryCache, safe_path } from "./cache.js";
import { download, HubError, type RemoteFile } from "./download.js";
import { env, is_offline_mode, resolve_token } from "./env.js";
import { FileProgress, type ProgressCallback } from "./progress.js";

/** The options that every `from_pretrained` passes on. */
export interface HubOptions {
  /** Another folder than the standard cache, in the same layout. */
  cache_dir?: string | undefined;
  /** Fetch again what the cache has. Default: false. */
  force_download?: boolean | undefined;
  /** Never use the network. Default: false. */
  local_files_only?: boolean | undefined;
  /** A token, `true` for the stored one, `false` for none. Default: the stored one if there is one. */
  token?: string | boolean | undefined;
  /** Branch, tag or commit. Default: "main". */
  revision?: string | undefined;
  /** The folder of the repository that has the files. Default: "". */
  subfolder?: string | undefined;
  signal?: AbortSignal | undefined;
  progress_callback?: ProgressCallback | undefined;
}

export const HUB_OPTION_NAMES = [
  "cache_dir",
  "force_download",
  "local_files_only",
  "token",
  "revision",
  "subfolder",
  "signal",
  "progress_callback",
] as const;

/** Takes the Hub's options out of a `from_pretrained` call's options; the others come second. */
export function split_hub_options<T extends HubOptions>(options: T): [HubOptions, Omit<T, keyof HubOptions>] {
  const hub: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    ((HUB_OPTION_NAMES as readonly string[]).includes(key) ? hub : rest)[key] = value;
  }
  return [hub as HubOptions, rest as Omit<T, keyof HubOptions>];
}

const REPOSITORY_ID = /^(\b[\w\-.]+\b\/)?\b[\w\-.]{1,96}\b$/;

/** Python's `validate_repo_id`. */
function check_repository_id(name: string): void {
  if (REPOSITORY_ID.test(name) && !name.includes("--") && !name.includes("..") && !name.endsWith(".git")) return;
  throw new TransformersError(
    `'${name}' is not a local folder, and repo id must be in the form 'repo_name' or 'namespace/repo_name': '${name}'.`,
    "repository_id_invalid",
  );
}

/** The folder that a name means on this machine, if it means one: the name itself, or a folder in `env.localModelPath`. */
export async function local_folder(name: string): Promise<string | undefined> {
  if (!env.allowLocalModels) return undefined;
  for (const path of new Set([name, join(env.localModelPath, name)])) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return path;
  }
  return undefined;
}

/**
 * The path of one file of a checkpoint: in a local folder, in the cache, or fetched into it. Undefined when the
 * checkpoint has no such file or it cannot be had now (no network, or none wanted); with `required`, these are errors.
 *
 * @param name_or_path a folder, or a repository's id
 * @param filename relative to the folder or repository, `/` between its parts
 * @throws TransformersError with Python's texts; codes `entry_not_found`, `repository_not_found`, `revision_not_found`,
 *   `gated_repository`, `connection_error`, `http_error`, `invalid_path`, `repository_id_invalid`, `offline`
 *
 * Source: `cached_file` of transformers/utils/hub.py. Unlike Python, what is in the cache is not compared with the Hub
 * (`force_download` fetches again), and what is missing comes from the commit that is there.
 */
export async function cached_file(
  name_or_path: string,
  filename: string,
  options: HubOptions & { required?: boolean } = {},
): Promise<string | undefined> {
  if (typeof name_or_path !== "string" || name_or_path === "") {
    throw expected("a folder or a repository's id", "pretrained_model_name_or_path", name_or_path);
  }
  options.signal?.throwIfAborted();
  const path = safe_path([options.subfolder, filename].filter(Boolean).join("/"), "file name");
  const progress = new FileProgress(options.progress_callback, name_or_path, path);
  const folder = await local_folder(name_or_path);
  const found = folder
    ? await existing(join(folder, path), progress)
    : await from_repository(name_or_path, path, options, progress);
  if (found !== undefined || !options.required) return found;
  throw new TransformersError(
    `${name_or_path} does not appear to have a file named ${path}. Checkout ` +
      `'https://huggingface.co/${name_or_path}/tree/${options.revision ?? "main"}' for available files.`,
    "entry_not_found",
  );
}

async function existing(file: string, progress: FileProgress): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  progress.start();
  progress.done(found.size);
  return file;
}

type Options = HubOptions & { required?: boolean };

/** Downloads that run now, by cache folder, revision and path. */
const running = new Map<string, Promise<string>>();

async function from_repository(name: string, path: string, options: Options, progress: FileProgress) {
  check_repository_id(name);
  const { revision = "main", force_download = false } = options;
  const local_only = options.local_files_only || is_offline_mode();
  if (force_download && local_only) {
    const when = options.local_files_only
      ? "and 'local_files_only=True' at the same time"
      : "when offline mode is enabled";
    throw new TransformersError(`Cannot pass 'force_download=True' ${when}.`, "offline");
  }
  const cache = new RepositoryCache(options.cache_dir ?? env.cacheDir, name);
  const key = [cache.folder, revision, path].join("\0");
  for (;;) {
    const commit = await cache.commit_of(revision);
    const cached = commit && !force_download ? await cache.find(commit, path) : undefined;
    if (cached !== undefined) return cached === null ? undefined : existing(cached, progress);
    if (local_only) return refused(new HubError("offline", "connection_error"), name, options);
    const other = running.get(key);
    if (!other) {
      const file = { repository: name, revision, path, token: resolve_token(options.token), signal: options.signal };
      const fetching = fetch_at(commit, file, cache, force_download, progress).finally(() => running.delete(key));
      running.set(key, fetching);
      return fetching.catch((error) => refused(error, name, options));
    }
    // Who comes second waits, and finds the file in the cache; or tries itself if the first gave up.
    const done = await unless_aborted(other, options.signal).catch(() => options.signal?.throwIfAborted());
    if (done && force_download) return done;
  }
}

/** From the commit that the cache has, so that files of two commits do not mix; else from the revision. */
async function fetch_at(
  commit: string | undefined,
  file: RemoteFile,
  cache: RepositoryCache,
  force: boolean,
  progress: FileProgress,
) {
  if (!commit || force) return download(file, cache, force, progress);
  try {
    return await download({ ...file, revision: commit }, cache, force, progress);
  } catch (error) {
    if (!(error instanceof HubError && error.code === "revision_not_found") || commit === file.revision) throw error;
    return download(file, cache, force, progress); // that commit is gone from the Hub
  }
}

function unless_aborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** What the Hub's refusal means for this call: Python's error, or that there is no such file. */
function refused(error: unknown, name: string, { revision = "main", required }: Options): undefined {
  if (!(error instanceof HubError)) throw error;
  if (error.code === "entry_not_found" || (error.code === "connection_error" && !required)) return undefined;
  const texts = {
    repository_not_found:
      `${name} is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'\n` +
      "If this is a private repository, make sure to pass a token having permission to this repo either by logging in " +
      "with `hf auth login` or by passing `token=<your_token>`",
    revision_not_found:
      `${revision} is not a valid git identifier (branch name, tag name or commit id) that exists for this model name. ` +
      `Check the model page at 'https://huggingface.co/${name}' for available revisions.`,
    gated_repository:
      `You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/${name}.\n` +
      error.message,
    connection_error:
      `We couldn't connect to '${env.remoteHost.replace(/\/+$/, "")}' to load the files, and couldn't find them in the ` +
      "cached files.\nCheck your internet connection or see how to run the library in offline mode at " +
      "'https://huggingface.co/docs/transformers/installation#offline-mode'.",
    http_error: `There was a specific connection error when trying to load ${name}:\n${error.message}`,
  };
  throw new TransformersError(texts[error.code], error.code, error);
}

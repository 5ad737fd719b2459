// The cache folder, in the layout of Python's huggingface_hub, so that both find each other's files.
import { constants } from "node:fs";
import { access, copyFile, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { TransformersError } from "../errors.js";
import { make_folder } from "../files.js";

const COMMIT_HASH = /^[0-9a-f]{40}$/;

export function is_commit_hash(revision: string): boolean {
  return COMMIT_HASH.test(revision);
}

/** A path of a repository, a revision or an etag, checked so that joining it to a folder stays in that folder. */
export function safe_path(path: string, what: string): string {
  const parts = path.split(/[\\/]/);
  // Windows's drives and the escape by `\` count everywhere: a cache may move between machines.
  const escapes = parts.includes("..") || parts[0] === "" || parts.some((part) => /^[a-zA-Z]:/.test(part));
  if (escapes || path.includes("\0")) {
    throw new TransformersError(`Invalid ${what} "${path}": it must stay inside its folder.`, "invalid_path");
  }
  return path;
}

export async function is_file(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** One repository's folder in the cache: `models--org--name/{blobs,refs,snapshots,.no_exist}`. */
export class RepositoryCache {
  readonly folder: string;

  constructor(cache_dir: string, repository: string) {
    this.folder = join(cache_dir, ["models", ...repository.split("/")].join("--"));
  }

  /** The commit that a branch or tag had when it was last asked for. */
  async commit_of(revision: string): Promise<string | undefined> {
    if (is_commit_hash(revision)) return revision;
    const text = await readFile(join(this.folder, "refs", safe_path(revision, "revision")), "utf8").catch(() => "");
    return is_commit_hash(text.trim()) ? text.trim() : undefined;
  }

  file(commit: string, path: string): string {
    return join(this.folder, "snapshots", safe_path(commit, "commit"), safe_path(path, "file name"));
  }

  blob(etag: string): string {
    return join(this.folder, "blobs", safe_path(etag, "etag"));
  }

  private absence(commit: string, path: string): string {
    return join(this.folder, ".no_exist", safe_path(commit, "commit"), safe_path(path, "file name"));
  }

  /** The file's path; null when the repository is known not to have it; undefined when nothing is known. */
  async find(commit: string, path: string): Promise<string | null | undefined> {
    const file = this.file(commit, path);
    if (await is_file(file)) return file;
    return (await is_file(this.absence(commit, path))) ? null : undefined;
  }

  async remember_commit(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    await write(join(this.folder, "refs", safe_path(revision, "revision")), commit);
  }

  async remember_absence(commit: string, path: string): Promise<void> {
    await write(this.absence(commit, path), "");
  }

  /** Makes `snapshots/<commit>/<path>` point to the blob; a copy where the system has no links. */
  async link(commit: string, path: string, etag: string): Promise<string> {
    const [file, blob] = [this.file(commit, path), this.blob(etag)];
    await make_folder(dirname(file));
    await rm(file, { force: true });
    try {
      await symlink(relative(dirname(file), blob), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") await copyFile(blob, file);
    }
    await access(file, constants.R_OK);
    return file;
  }
}

async function write(path: string, text: string): Promise<void> {
  await make_folder(dirname(path));
  await writeFile(path, text);
}

/** The commit in a path of the cache: Python's `extract_commit_hash`. */
export function extract_commit_hash(path: string | undefined): string | undefined {
  const found = path?.replaceAll("\\", "/").match(/snapshots\/([^/]+)\//)?.[1];
  return found && is_commit_hash(found) ? found : undefined;
}

// Settings: Python's environment variables (huggingface_hub/constants.py) and the `env` object of transformers.js.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { TransformersError, warn_once } from "../errors.js";

const TRUE_VALUES = new Set(["1", "ON", "YES", "TRUE"]);

function is_true(...names: string[]): boolean {
  return names.some((name) => TRUE_VALUES.has((process.env[name] ?? "").toUpperCase()));
}

/** The first variable that is set, with `~` and `$NAME` expanded. */
function path_variable(...names: string[]): string | undefined {
  const value = names.map((name) => process.env[name]).find(Boolean);
  return value
    ?.replace(/^~(?=$|[\\/])/, homedir())
    .replace(/\$\{(\w+)\}|\$(\w+)/g, (whole, braced, bare) => process.env[braced ?? bare] ?? whole);
}

/** The folder of everything that is kept, Python's `HF_HOME`. */
export function home_folder(): string {
  return path_variable("HF_HOME") ?? join(path_variable("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
}

/** The folder of Python's cache. */
function hub_cache(): string {
  return (
    path_variable(
      "TRANSFORMERS_CACHE",
      "PYTORCH_TRANSFORMERS_CACHE",
      "PYTORCH_PRETRAINED_BERT_CACHE",
      "HF_HUB_CACHE",
      "HUGGINGFACE_HUB_CACHE",
    ) ?? join(home_folder(), "hub")
  );
}

/** True when no request may leave this machine. */
export function is_offline_mode(): boolean {
  return is_true("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") || !env.allowRemoteModels;
}

function stored_token(): string | undefined {
  const value = process.env["HF_TOKEN"] || process.env["HUGGING_FACE_HUB_TOKEN"] || process.env["HF_ACCESS_TOKEN"];
  if (value?.trim()) return value.trim();
  try {
    return readFileSync(path_variable("HF_TOKEN_PATH") ?? join(home_folder(), "token"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The token to send: a given one, the stored one (which `true` insists on), or none for `false`. */
export function resolve_token(token: string | boolean | undefined): string | undefined {
  if (typeof token === "string") return token;
  if (token === false || (token === undefined && is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return undefined;
  const stored = stored_token();
  if (token === true && !stored) {
    throw new TransformersError(
      "Token is required (`token=True`), but no token found. You need to provide a token or be logged in to Hugging Face " +
        "with `hf auth login`, or set the environment variable HF_TOKEN.",
      "token_not_found",
    );
  }
  return stored;
}

/** transformers.js's levels, for `env.logLevel`. */
export const LogLevel = Object.freeze({ DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, NONE: 50 });

let cache_dir: string | undefined;
let remote_host: string | undefined;

const settings = {
  /** May requests go to `remoteHost`? */
  allowRemoteModels: true,
  /** May a name be a folder of this machine? */
  allowLocalModels: true,
  /** A folder of checkpoints by name: `<localModelPath>/<name>/config.json`. Empty: names are paths already. */
  localModelPath: "",
  /** Every request goes through this function when it is set. */
  fetch: undefined as typeof fetch | undefined,
  /** There is no ONNX here: programs for transformers.js set fields of these objects. */
  backends: { onnx: { wasm: {}, webgpu: {} } as Record<string, unknown> },

  /** The cache, in the layout of huggingface_hub. */
  get cacheDir(): string {
    return cache_dir ?? hub_cache();
  },
  set cacheDir(value: string) {
    cache_dir = value;
  },
  /** The Hub's address, `HF_ENDPOINT` by default. */
  get remoteHost(): string {
    return remote_host ?? (process.env["HF_ENDPOINT"] || "https://huggingface.co/");
  },
  set remoteHost(value: string) {
    remote_host = value;
  },
};

/** Values of transformers.js's other fields that mean what happens here anyway. */
const fixed: Record<string, unknown> = {
  remotePathTemplate: "{model}/resolve/{revision}/",
  useFS: true,
  useFSCache: true,
  useBrowserCache: false,
  useCustomCache: false,
  customCache: null,
  useWasmCache: false,
  cacheKey: "transformers-cache",
  logLevel: LogLevel.WARNING,
};

/**
 * transformers.js's `env`. A field without a meaning here can be set, and says so.
 *
 * Source: the fields of transformers.js's src/env.js; defaults are Python's.
 */
export const env: typeof settings & Record<string, unknown> = new Proxy(Object.assign(settings, fixed), {
  set(target, key, value) {
    const works = key in settings && !(key in fixed);
    if (!works && value !== fixed[String(key)]) warn_once(`env.${String(key)} has no effect in ggml-transformers.`);
    return Reflect.set(target, key, value);
  },
});

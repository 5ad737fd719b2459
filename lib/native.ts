// Loads the addon. Its whole typed interface is in this file, one section for each file of native/bindings.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TransformersError } from "./errors.js";

// ---- devices

/** A device of ggml's registry. Memory in bytes. */
export interface Device {
  name: string;
  description: string;
  type: "cpu" | "gpu" | "accel";
  memory_free: number;
  memory_total: number;
}

interface NativeDevices {
  load_backends(folder: string): void;
  devices(): Device[];
  system_info(): string;
}

// ---- state_dict

// ---- tokenizer

// ---- llama_engine

/** Everything that the addon exports. */
export interface NativeAddon extends NativeDevices {}

/** Where the addon may be, in the order of looking. */
function candidates(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = "ggml_transformers.node";
  const packaged = join(here, "..", "prebuilds", `${process.platform}-${process.arch}`, file);
  const built = join(here, "..", "build", "Release", file);
  const named = process.env["GGML_TRANSFORMERS_NATIVE_PATH"];
  // Electron cannot dlopen from inside an asar archive.
  const paths = [packaged, built].map((path) => path.replace(/\bapp\.asar([\\/])/, "app.asar.unpacked$1"));
  return named ? [named] : paths;
}

let addon: NativeAddon | undefined;

/** The addon, loaded on first use. */
export function native(): NativeAddon {
  if (addon) return addon;
  const tried = candidates();
  const path = tried.find((candidate) => existsSync(candidate));
  if (!path) {
    throw new TransformersError(
      `No native addon for ${process.platform}-${process.arch}: looked for ${tried.join(", ")}. ` +
        "Run 'npm run build' in the package's folder, or name a file in GGML_TRANSFORMERS_NATIVE_PATH.",
      "addon_not_found",
    );
  }
  const loaded = createRequire(import.meta.url)(path) as NativeAddon;
  loaded.load_backends(dirname(path));
  addon = loaded;
  return addon;
}

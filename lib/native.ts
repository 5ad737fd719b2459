// Loads the addon. What it exports is typed in native_interface.ts.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TransformersError } from "./errors.js";
import type { NativeAddon } from "./native_interface.js";

export type * from "./native_interface.js";

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

/** The addon's file; undefined if there is none. */
export function addon_path(): string | undefined {
  return candidates().find((candidate) => existsSync(candidate));
}

let addon: NativeAddon | undefined;

/** The addon, loaded on first use. */
export function native(): NativeAddon {
  if (addon) return addon;
  const path = addon_path();
  if (!path) {
    throw new TransformersError(
      `No native addon for ${process.platform}-${process.arch}: looked for ${candidates().join(", ")}. ` +
        "Run 'npm run build' in the package's folder, or name a file in GGML_TRANSFORMERS_NATIVE_PATH.",
      "addon_not_found",
    );
  }
  const loaded = createRequire(import.meta.url)(path) as NativeAddon;
  loaded.load_backends(dirname(path));
  addon = loaded;
  return addon;
}

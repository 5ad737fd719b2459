import { createRequire } from "node:module";

/** This package's version: it can name itself, from the sources and from the bundle. */
export function version(): string {
  return createRequire(import.meta.url)("ggml-transformers/package.json").version;
}

// tokenizer.json files of real vocabularies, rebuilt from the GGUF files of the vendored llama.cpp.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { folder, root } from "./peers.mjs";

const models = join(root, "vendor", "llama.cpp", "models");

/** A TypeScript file of lib/, bundled for this run. */
export async function bundled(source) {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${source.replaceAll("/", "-")}.mjs`);
  const entryPoints = [join(root, "lib", `${source}.ts`)];
  const options = { bundle: true, platform: "node", format: "esm", packages: "external", logLevel: "error" };
  await build({ entryPoints, outfile, ...options });
  return import(pathToFileURL(outfile).href);
}

async function from_gguf(file) {
  const { tokenizer_from_gguf } = await bundled("tokenization/gguf");
  return (await tokenizer_from_gguf(join(models, `ggml-vocab-${file}.gguf`))).tokenizer;
}

/** The content of a tokenizer.json, by the name of the model. */
export const VOCABULARIES = {
  "GPT-2": () => from_gguf("gpt-2"),
  "Llama-3": () => from_gguf("llama-bpe"),
  Qwen2: () => from_gguf("qwen2"),
  "Llama-2": () => from_gguf("llama-spm"),
  WordPiece: () => from_gguf("bert-bge"),
  Unigram: () => from_gguf("nomic-bert-moe"),
};

export async function tokenizer_json(name) {
  const json = await VOCABULARIES[name]();
  return typeof json === "string" ? json : JSON.stringify(json);
}

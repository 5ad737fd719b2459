import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PreTrainedTokenizerFast } from "../../lib/tokenization/index.js";

const root = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Names of the tokenizers that the Python scripts trained. */
export const NAMES = readdirSync(join(root, "tokenizers"));
export const fixture_path = (...path: string[]) => join(root, ...path);
export const folder_of = (name: string) => fixture_path("tokenizers", name);

// biome-ignore lint/suspicious/noExplicitAny: JSON
export const read_fixture = (...path: string[]): any => JSON.parse(readFileSync(fixture_path(...path), "utf8"));

export const temporary = () => mkdtempSync(join(tmpdir(), "tokenizer-"));

/** The fields of a BatchEncoding as a plain object, as fixtures have them. */
export const plain = (fields: object) => JSON.parse(JSON.stringify(fields));

/** A checkpoint without tokenizer.json: files of slow_tokenizers/ under the names that its class expects. */
export function slow_checkpoint(files: Record<string, string>, config: object): string {
  const path = temporary();
  for (const [target, source] of Object.entries(files))
    cpSync(fixture_path("slow_tokenizers", "files", source), join(path, target));
  writeFileSync(join(path, "tokenizer_config.json"), JSON.stringify(config));
  return path;
}

export function slow_fixture(name: string): string {
  const { files, config } = read_fixture("slow_tokenizers", `${name}.json`);
  return slow_checkpoint(files, config);
}

/** The tokenizer.json; a character map is named by its SHA-256. */
export function core_of(tokenizer: PreTrainedTokenizerFast) {
  const content = JSON.parse(tokenizer._tokenizer.to_json(false));
  for (const step of content.normalizer?.normalizers ?? []) {
    if (step.type === "Precompiled")
      step.precompiled_charsmap = createHash("sha256").update(step.precompiled_charsmap).digest("hex");
  }
  return content;
}

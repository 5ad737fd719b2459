import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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

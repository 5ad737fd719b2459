// Every model type that Python's AutoTokenizer knows: its class loads here, or is refused by name.
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { REFUSED_TOKENIZER_CLASSES } from "../../lib/tokenization/slow_classes.js";
import { fixture_path, folder_of, read_fixture, temporary } from "./fixtures.js";

const mapping: Record<string, [slow: string | null, fast: string | null]> = read_fixture(
  "tokenizer_mapping",
  "mapping.json",
);

/** Names of a checkpoint's files and where they are, by class; a tokenizer.json serves the classes that only read one. */
const checkpoints = new Map<string, { theme: string; files: Record<string, string> }>();
for (const theme of ["slow_tokenizers", "python_tokenizers"]) {
  for (const file of readdirSync(fixture_path(theme)).filter((name) => name.endsWith(".json"))) {
    const { config, files } = read_fixture(theme, file);
    if (config?.tokenizer_class) checkpoints.set(config.tokenizer_class, { theme, files });
  }
}

checkpoints.set("TapasTokenizer", { theme: "python_tokenizers", files: { "vocab.txt": "word_pieces.txt" } });

function folder_for(model_type: string, slow: string | null): string {
  const path = temporary();
  const { theme, files } = checkpoints.get(slow ?? "") ?? { theme: "", files: {} };
  for (const [target, source] of Object.entries(files))
    cpSync(fixture_path(theme, "files", source), join(path, target));
  if (!theme) cpSync(join(folder_of("gpt2"), "tokenizer.json"), join(path, "tokenizer.json"));
  writeFileSync(join(path, "config.json"), JSON.stringify({ model_type }));
  return path;
}

/** Where Python has the package phonemizer. */
const options: Record<string, Record<string, unknown>> = {
  vits: { phonemize: false },
  wav2vec2_phoneme: { do_phonemize: false },
};

test("every model type of Python's mapping loads its class, or the error names it", { timeout: 120_000 }, async () => {
  const found = { loaded: 0, refused: new Set<string>(), without_class: [] as string[] };
  for (const [model_type, [slow, fast]] of Object.entries(mapping)) {
    const name = fast ?? slow;
    if (name === "RagTokenizer") continue; // rag.test.ts
    const load = AutoTokenizer.from_pretrained(folder_for(model_type, slow), options[model_type]);
    if (name === null || name === "ParakeetCTCTokenizer") {
      // Python knows no class either.
      await expect(load, model_type).rejects.toThrow();
      found.without_class.push(model_type);
    } else if (REFUSED_TOKENIZER_CLASSES.has(name.replace(/Fast$/, ""))) {
      await expect(load, model_type).rejects.toThrow(`Tokenizer class ${name} is not supported`);
      found.refused.add(name);
    } else {
      const tokenizer = await load;
      const own = tokenizer.constructor.name.replace(/Fast$/, "");
      expect(own, model_type).toBe(name.replace(/Fast$/, ""));
      expect(tokenizer.tokenize("THE LAGV").length, model_type).toBeGreaterThan(0);
      found.loaded++;
    }
  }
  expect(Object.keys(mapping)).toHaveLength(263);
  expect(found.loaded).toBe(248);
  expect([...found.refused].length).toBe(12);
  expect(found.without_class).toEqual(["fastspeech2_conformer", "parakeet"]);
});

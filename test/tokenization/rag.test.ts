// RAG's two tokenizers: AutoTokenizer finds them, questions go to one, answers come from the other.
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AutoTokenizer, RagTokenizer } from "../../lib/index.js";
import { folder_of, temporary } from "./fixtures.js";

const PARTS = { question_encoder: "qwen2", generator: "gpt2" };

function checkpoint(): string {
  const path = temporary();
  for (const [part, name] of Object.entries(PARTS)) {
    mkdirSync(join(path, `${part}_tokenizer`));
    cpSync(folder_of(name), join(path, `${part}_tokenizer`), { recursive: true });
  }
  const types = Object.entries(PARTS).map(([part, model_type]) => [part, { model_type }]);
  writeFileSync(join(path, "config.json"), JSON.stringify({ model_type: "rag", ...Object.fromEntries(types) }));
  return path;
}

test("a call encodes questions, decode reads what the generator wrote, and both are saved", async () => {
  const path = checkpoint();
  const rag = (await AutoTokenizer.from_pretrained(path)) as unknown as RagTokenizer & RagTokenizer["question_encoder"];
  expect(rag).toBeInstanceOf(RagTokenizer);
  const [questions, generator] = [
    await AutoTokenizer.from_pretrained(folder_of(PARTS.question_encoder)),
    await AutoTokenizer.from_pretrained(folder_of(PARTS.generator)),
  ];
  expect(rag("Who is old?").input_ids).toEqual(questions("Who is old?").input_ids);
  const ids = generator.encode("The old house");
  expect(ids).not.toEqual(questions.encode("The old house"));
  expect(rag.decode(ids)).toBe("The old house");
  expect(rag.batch_decode([ids])).toEqual(["The old house"]);
  rag._switch_to_target_mode();
  expect(rag("The old house").input_ids).toEqual(ids);
  rag._switch_to_input_mode();
  expect(rag(["a", "b"]).input_ids).toEqual(questions(["a", "b"]).input_ids);

  const saved = temporary();
  await rag.save_pretrained(saved);
  expect(readdirSync(saved).sort()).toEqual(["generator_tokenizer", "question_encoder_tokenizer"]);
  cpSync(join(path, "config.json"), join(saved, "config.json"));
  const again = await RagTokenizer.from_pretrained(saved);
  expect(again.decode(ids)).toBe("The old house");
});

test("a checkpoint that does not say what its parts are is an error", async () => {
  const path = checkpoint();
  writeFileSync(join(path, "config.json"), JSON.stringify({ model_type: "rag" }));
  await expect(AutoTokenizer.from_pretrained(path)).rejects.toThrow("question_encoder and generator");
});

import { existsSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { AddedToken, AutoTokenizer, BertTokenizer, GPT2Tokenizer } from "../../lib/index.js";
import { folder_of, slow_fixture, temporary } from "./fixtures.js";

// The tokenizer snippets of the first hour, on the tokenizers that the repository has.

test("the snippets of the first hour with BERT's tokenizers", async () => {
  const bert = await BertTokenizer.from_pretrained(slow_fixture("bert-cased"));
  const tokens = bert.tokenize("The old house has 24GB of VRAM");
  const enc = bert("The old house has 24GB of VRAM");
  expect(Object.keys(enc)).toEqual(["input_ids", "token_type_ids", "attention_mask"]);
  expect(bert.convert_ids_to_tokens(enc["input_ids"])).toEqual(["[CLS]", ...tokens, "[SEP]"]);
  expect(bert.decode(bert("The old house")["input_ids"])).toBe("[CLS] The old house [SEP]");

  const tok = await AutoTokenizer.from_pretrained(slow_fixture("bert-chinese"), { use_fast: true, unk_token: "[UNK]" });
  const padded = tok(["We are very happy", "Deepspeed is faster"], { padding: true, return_tensors: "pt" });
  expect(inspect(padded.input_ids)).toMatch(/\[\[.*\d+, +\d+.*\],?\s+\[/s);
  expect(tok.encode("今天天气真好", { add_special_tokens: true })).toEqual(tok("今天天气真好").input_ids);
  const options = { padding: "max_length", truncation: true, max_length: 10, return_tensors: "pt" } as const;
  expect(tok.encode_plus("今天天气真好", options).input_ids.dims).toEqual([1, 10]);
  expect(tok.encode_plus("question", "context", { add_special_tokens: true }).token_type_ids).toContain(1);
  const batch = tok.batch_encode_plus(["今天天气真好", "你吃了吗？"], { padding: true, return_tensors: "pt" });
  expect(batch.input_ids.dims[0]).toBe(2);
  const ids = tok.encode("the old house");
  expect(tok.decode(ids, { skip_special_tokens: true })).toBe("the old house");
  const length = tok.length;
  expect(tok.add_tokens(["[ENT_START]", "[ENT_END]"], { special_tokens: true })).toBe(2);
  expect(tok.length).toBe(length + 2);
  const folder = `${temporary()}/models/bert-base-chinese/`;
  await tok.save_pretrained(folder);
  expect(existsSync(`${folder}vocab.txt`)).toBe(true);
});

test("what is printed is what Python prints", async () => {
  const tokenizer = await BertTokenizer.from_pretrained(slow_fixture("bert-cased"));
  const mask = new AddedToken("[MASK]", { special: true });
  expect(inspect(mask)).toBe(
    'AddedToken("[MASK]", rstrip=False, lstrip=False, single_word=False, normalized=False, special=True)',
  );
  expect(`${mask}`).toBe("[MASK]");
  const enc = tokenizer("The old house");
  expect(inspect(enc[0])).toBe(
    `Encoding(num_tokens=${enc.input_ids.length}, attributes=[ids, type_ids, tokens, offsets, attention_mask, special_tokens_mask, overflowing])`,
  );
  expect(`${enc}`).toBe(inspect(enc));
  expect(inspect(enc)).toMatch(/^BatchEncoding \{\s+input_ids: \[/);
  expect(inspect(tokenizer)).toMatch(/^BertTokenizerFast\(name_or_path=.*special_tokens=\{'unk_token': '\[UNK\]'/s);
  expect(`${tokenizer}`).toBe(inspect(tokenizer));
  const long = tokenizer("house ".repeat(100_000), { verbose: false });
  expect(inspect(long).length).toBeLessThan(5_000);
});

test("a class by its name", async () => {
  const gpt2 = await GPT2Tokenizer.from_pretrained(folder_of("gpt2"));
  const tokens = gpt2.tokenize("The teacher remembers");
  const enc = gpt2("The teacher remembers");
  expect(enc["input_ids"]).toBe(enc.input_ids);
  expect(Object.keys(enc)).toEqual(["input_ids", "attention_mask"]);
  expect(gpt2.decode(enc["input_ids"])).toBe("The teacher remembers");
  expect(gpt2.convert_ids_to_tokens(enc.input_ids)).toEqual(tokens);
});

test("the auto class, padding, tensors, added tokens, saving", async () => {
  const tok = await AutoTokenizer.from_pretrained(folder_of("qwen2"), { use_fast: true, unk_token: "[UNK]" });
  const padded = tok(["We are very happy", "Deepspeed is faster"], { padding: true, return_tensors: "pt" });
  expect(inspect(padded.input_ids)).toMatch(/\[\[/);
  expect(tok.encode("Ça va", { add_special_tokens: true })).toEqual(tok("Ça va").input_ids);
  const plus = tok.encode_plus("The old house", {
    padding: "max_length",
    truncation: true,
    max_length: 10,
    return_tensors: "pt",
  });
  expect(plus.input_ids.dims).toEqual([1, 10]);
  const pair = tok.encode_plus("question", "context", { add_special_tokens: true });
  expect(pair.n_sequences).toBe(2);
  const batch = tok.batch_encode_plus(["The old house", "Has it a door?"], { padding: true, return_tensors: "pt" });
  expect(batch.attention_mask.dims).toEqual(batch.input_ids.dims);
  expect(tok.decode(batch.input_ids[0], { skip_special_tokens: true })).toBe("The old house");
  const choices = ["Blue", "Green"].map((c) => tok.encode_plus("What color is the sky?", c).input_ids);
  expect(tok.pad({ input_ids: choices }, { return_tensors: "pt" }).input_ids.dims[0]).toBe(2);

  const before = tok.length;
  const added = tok.add_tokens(["[ENT_START]", "[ENT_END]"], { special_tokens: true });
  expect([added, tok.length]).toEqual([2, before + 2]);
  expect(tok.tokenize("a[ENT_END]")).toEqual(["a", "[ENT_END]"]);
  const folder = `${temporary()}/models/bert-base-chinese/`;
  await tok.save_pretrained(folder);
  expect(existsSync(`${folder}tokenizer.json`)).toBe(true);
  expect((await AutoTokenizer.from_pretrained(folder)).length).toBe(tok.length);
  expect(inspect(tok)).toMatch(/^Qwen2TokenizerFast\(name_or_path='/);
});

// Hostile tokenizer files, row by row: an error or a result, within a second and 500 MB, never a crash.
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";

type Json = Record<string, unknown>;
const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const text = readFileSync(join(fixtures, "tokenizers", "gpt2", "tokenizer.json"), "utf8");
const gpt2 = JSON.parse(text) as Json & { model: Json & { vocab: Record<string, number> } };
const [SECOND, MEGABYTES] = [1000, 500];

const json = (changes: Json) => ({ "tokenizer.json": JSON.stringify({ ...gpt2, ...changes }) });
const model = (changes: Json) => json({ model: { ...gpt2.model, ...changes } });
const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
const nested = (depth: number) =>
  json({ normalizer: "@" })["tokenizer.json"].replace(
    '"@"',
    `${'{"type":"Sequence","normalizers":['.repeat(depth)}{"type":"NFC"}${"]}".repeat(depth)}`,
  );
const charsmap = (precompiled_charsmap: string) => json({ normalizer: { type: "Precompiled", precompiled_charsmap } });
const base64 = (...bytes: number[]) => Buffer.from(bytes).toString("base64");
const chat = (template: string) => ({ "tokenizer.json": text, "chat_template.jinja": template });
const bert = (vocab: string) => ({ "vocab.txt": vocab });
const t5 = (...bytes: number[]) => ({ "spiece.model": Buffer.from(bytes) });

interface Row {
  name: string;
  files: Record<string, string | Buffer>;
  tokenizer_class?: string;
  /** What the error must say; null: it loads and does its work. */
  error: RegExp | null;
}
const rows: Row[] = [
  { name: "h42 truncated JSON", files: { "tokenizer.json": text.slice(0, text.length / 2) }, error: /JSON/ },
  { name: "h42 an empty file", files: { "tokenizer.json": "" }, error: /JSON/ },
  { name: "h43 an unknown model", files: model({ type: "Magic" }), error: /model\.type/ },
  { name: "h43 an unknown normalizer", files: json({ normalizer: { type: "Magic" } }), error: /normalizer\.type/ },
  { name: "h43 an unknown decoder", files: json({ decoder: { type: "Magic" } }), error: /decoder\.type/ },
  { name: "h44 an id beyond 32 bits", files: model({ vocab: { a: 2 ** 33 }, merges: [] }), error: /the id of "a"/ },
  { name: "h44 a negative id", files: model({ vocab: { a: -1 }, merges: [] }), error: /the id of "a"/ },
  { name: "h44 an id far away", files: model({ vocab: { a: 2 ** 24 - 2 }, merges: [] }), error: null },
  { name: "h44 one id twice", files: model({ vocab: { a: 1, b: 1 }, merges: [] }), error: null },
  { name: "h45 a catastrophic Split", files: json({ pre_tokenizer: split("(a+)+$") }), error: null },
  {
    name: "h45 a catastrophic Replace",
    files: json({ normalizer: { type: "Replace", pattern: { Regex: "(a|aa)+$" }, content: "b" } }),
    error: null,
  },
  { name: "h46 100,000 nested Sequences", files: { "tokenizer.json": nested(100_000) }, error: /levels of nesting/ },
  { name: "h47 a charsmap that is no base64", files: charsmap("%%%"), error: /charsmap/ },
  { name: "h47 a charsmap of one byte", files: charsmap(base64(1)), error: /charsmap/ },
  { name: "h47 a trie longer than the charsmap", files: charsmap(base64(255, 255, 0, 0, 1, 2)), error: /charsmap/ },
  { name: "h48 a merge of absent tokens", files: model({ merges: ["zz yy"] }), error: /merge 0/ },
  { name: "h49 an unk_token that is not there", files: model({ unk_token: "<nothing>" }), error: null },
  {
    name: "h49 an unk_id behind the vocabulary",
    files: json({ model: { type: "Unigram", unk_id: 7, vocab: [["a", -1]] } }),
    error: /unk_id/,
  },
  {
    name: "h49 a WordPiece without unk_token",
    files: json({
      model: { type: "WordPiece", unk_token: "[U]", continuing_subword_prefix: "##", max_input_chars_per_word: 9, vocab: { a: 0 } },
    }),
    error: null,
  },
  { name: "h50 a truncated varint", files: t5(0x0a, 0x80), tokenizer_class: "T5Tokenizer", error: /within a number/ },
  { name: "h50 a field of 2 GB", files: t5(0x0a, 255, 255, 255, 255, 7), tokenizer_class: "T5Tokenizer", error: /2147483647 bytes/ },
  { name: "h50 a wrong wire type", files: t5(0x0b), tokenizer_class: "T5Tokenizer", error: /wire type 3/ },
  {
    name: "h51 CRLF, doubles, empty lines, no end",
    files: bert("[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\n\r\na\r\na\r\n##a"),
    tokenizer_class: "BertTokenizer",
    error: null,
  },
  { name: "h51 an empty vocabulary", files: bert(""), tokenizer_class: "BertTokenizer", error: /no token/ },
  { name: "h52 an endless loop", files: chat("{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"), error: null },
  { name: "h52 a range of 10^9", files: chat("{% for i in range(1000000000) %}x{% endfor %}"), error: null },
  { name: "h52 a way out", files: chat("{{ ''.__class__ }}{{ ''.constructor('return process')() }}"), error: null },
  { name: "h52 a change of the messages", files: chat("{{ messages.append(1) }}"), error: null },
]; // biome-ignore format: a table

/** Everything that a user does with it; errors of the work are results too. */
async function use(folder: string): Promise<void> {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const attempt = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      expect((error as Error).message).not.toBe("");
    }
  };
  for (const given of ["a", `${"a".repeat(60)}!`, "Ünï \u{1f600}", ""]) {
    attempt(() => tokenizer.decode(tokenizer.encode(given)));
  }
  if (tokenizer.chat_template) attempt(() => tokenizer.apply_chat_template([{ role: "user", content: "a" }]));
}

test.each(rows)("$name", { timeout: 20_000 }, async ({ files, tokenizer_class, error }) => {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ tokenizer_class: tokenizer_class ?? "PreTrainedTokenizerFast" }),
  );
  const [memory, start] = [process.memoryUsage().rss, process.cpuUsage()];
  if (error) await expect(use(folder)).rejects.toThrow(error);
  else await use(folder);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(SECOND);
  expect((process.memoryUsage().rss - memory) / 2 ** 20).toBeLessThan(MEGABYTES);
});

test("h50 a model file cut off anywhere", { timeout: 60_000 }, async () => {
  const source = join(fixtures, "slow_tokenizers", "files", "identity.model");
  const bytes = readFileSync(source);
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ tokenizer_class: "XLMRobertaTokenizer" }));
  const path = join(folder, "sentencepiece.bpe.model");
  for (let end = 0; end < bytes.length; end += 97) {
    writeFileSync(path, bytes.subarray(0, end));
    // Cut between two pieces, it is a smaller model.
    await AutoTokenizer.from_pretrained(folder).catch((error) => expect(error).toHaveProperty("code"));
  }
  copyFileSync(source, path);
  expect((await AutoTokenizer.from_pretrained(folder)).encode("The old house").length).toBeGreaterThan(3);
});

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

async function fields_of(file) {
  const { read_gguf } = await bundled("checkpoint/gguf");
  const { metadata } = await read_gguf(join(models, `ggml-vocab-${file}.gguf`));
  return (name) => metadata.get(`tokenizer.ggml.${name}`);
}

const added = (content, id) => {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
};

/** BERT's, of which llama.cpp keeps "##x" as "x" and "x" as "▁x". */
async function word_piece(file) {
  const tokens = (await fields_of(file))("tokens");
  const is_special = (token) => /^\[.*\]$/.test(token);
  const vocab = Object.fromEntries(
    tokens.map((token, id) => [is_special(token) ? token : token[0] === "▁" ? token.slice(1) : `##${token}`, id]),
  );
  const id_of = (token) => [token, vocab[token]];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((token, id) => (/^\[(PAD|UNK|CLS|SEP|MASK)\]$/.test(token) ? [added(token, id)] : [])),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: id_of("[SEP]"), cls: id_of("[CLS]") },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** XLM-RoBERTa's: scores, and the charsmap that normalises. */
async function unigram(file) {
  const field = await fields_of(file);
  const tokens = field("tokens");
  const scores = field("scores");
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  const precompiled_charsmap = Buffer.from(field("precompiled_charsmap")).toString("base64");
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((token, id) => (/^<(s|\/s|pad|unk|mask)>$/.test(token) ? [added(token, id)] : [])),
    normalizer: { type: "Precompiled", precompiled_charsmap },
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
    post_processor: null,
    decoder: metaspace,
    model: { type: "Unigram", unk_id: tokens.indexOf("<unk>"), vocab: tokens.map((token, id) => [token, scores[id]]) },
  };
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
  WordPiece: () => word_piece("bert-bge"),
  Unigram: () => unigram("nomic-bert-moe"),
};

export async function tokenizer_json(name) {
  const json = await VOCABULARIES[name]();
  return typeof json === "string" ? json : JSON.stringify(json);
}

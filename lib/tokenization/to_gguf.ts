// A tokenizer as the metadata of a GGUF file, so that llama.cpp's own tools can use the exported model.
import { TransformersError } from "../errors.js";
import type { GgufValue } from "../native.js";
import type { PreTrainedTokenizerFast } from "./fast.js";
import { gguf_pre_tokenizer_name } from "./gguf_pre_tokenizers.js";
import type { Component } from "./tokenizer_json.js";

// llama_token_type of llama.h
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

interface TokenizerJson {
  normalizer: Component | null;
  pre_tokenizer: Component | null;
  added_tokens: { id: number; content: string; special: boolean }[];
  model: {
    type: string;
    vocab: Record<string, number>;
    merges: (string | [string, string])[];
    byte_fallback?: boolean;
    unk_token?: string | null;
  };
}

const strings = (value: string[]): GgufValue => ({ type: "string[]", value });
const integers = (value: number[]): GgufValue => ({ type: "i32[]", value });

/**
 * The keys `tokenizer.ggml.*`, and the whole tokenizer.json under `tokenizer.huggingface.json`.
 * `vocab_size`: the model's; ids that no token has become unused ones.
 * @throws TransformersError `unsupported` for tokenizers that GGUF has no model for.
 */
export function tokenizer_to_gguf(tokenizer: PreTrainedTokenizerFast, vocab_size: number): Record<string, GgufValue> {
  const text = tokenizer._tokenizer.to_json(false);
  const json = JSON.parse(text) as TokenizerJson;
  const { model } = json;
  if (model.type !== "BPE")
    throw new TransformersError(`A ${model.type} tokenizer cannot be written into a GGUF file`, "unsupported");

  const tokens = Array.from({ length: vocab_size }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(vocab_size).fill(UNUSED);
  for (const [token, id] of Object.entries(model.vocab)) {
    if (id >= vocab_size) continue;
    tokens[id] = token;
    types[id] =
      model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : token === model.unk_token ? UNKNOWN : NORMAL;
  }
  for (const { id, content, special } of json.added_tokens) {
    if (id >= vocab_size) continue;
    tokens[id] = content;
    types[id] = content === model.unk_token && model.byte_fallback ? UNKNOWN : special ? CONTROL : USER_DEFINED;
  }
  return {
    "tokenizer.ggml.tokens": strings(tokens),
    "tokenizer.ggml.token_type": integers(types),
    ...(model.byte_fallback ? sentencepiece(json, tokens) : byte_level(json)),
    ...special_tokens(tokenizer),
    ...(typeof tokenizer.chat_template === "string"
      ? { "tokenizer.chat_template": { type: "string", value: tokenizer.chat_template } }
      : {}),
    "tokenizer.huggingface.json": { type: "string", value: text },
  };
}

function byte_level({ model, pre_tokenizer, normalizer }: TokenizerJson): Record<string, GgufValue> {
  const merges = model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  return {
    "tokenizer.ggml.model": { type: "string", value: "gpt2" },
    "tokenizer.ggml.pre": { type: "string", value: gguf_pre_tokenizer_name(pre_tokenizer, normalizer) },
    "tokenizer.ggml.merges": strings(merges),
  };
}

/** SentencePiece's scores went when it became merges: the rank of the merge that makes a piece keeps their order. */
function sentencepiece(
  { model, normalizer, pre_tokenizer }: TokenizerJson,
  tokens: string[],
): Record<string, GgufValue> {
  const ranks = new Map<string, number>();
  model.merges.forEach((merge, rank) => {
    const piece = (typeof merge === "string" ? merge.split(" ") : merge).join("");
    if (!ranks.has(piece)) ranks.set(piece, rank);
  });
  const scores = tokens.map((token) => -(ranks.get(token) ?? model.merges.length));
  const prefix = JSON.stringify([normalizer, pre_tokenizer]);
  return {
    "tokenizer.ggml.model": { type: "string", value: "llama" },
    "tokenizer.ggml.scores": { type: "f32[]", value: scores },
    "tokenizer.ggml.add_space_prefix": {
      type: "bool",
      value: /"Prepend"|"prepend_scheme":"(first|always)"/.test(prefix),
    },
  };
}

function special_tokens(tokenizer: PreTrainedTokenizerFast): Record<string, GgufValue> {
  const result: Record<string, GgufValue> = {};
  const ids = {
    bos: tokenizer.bos_token_id,
    eos: tokenizer.eos_token_id,
    unknown: tokenizer.unk_token_id,
    padding: tokenizer.pad_token_id,
  };
  for (const [name, id] of Object.entries(ids))
    if (typeof id === "number") result[`tokenizer.ggml.${name}_token_id`] = { type: "u32", value: id };
  const around = tokenizer._tokenizer.encode_ids("", true);
  const adds = (id: number | null | undefined) => typeof id === "number" && around.includes(id);
  result["tokenizer.ggml.add_bos_token"] = { type: "bool", value: adds(tokenizer.bos_token_id) };
  result["tokenizer.ggml.add_eos_token"] = { type: "bool", value: adds(tokenizer.eos_token_id) };
  return result;
}

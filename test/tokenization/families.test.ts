// What only the tokenizers of some families do: the calls of scripts/fixtures/family_tokenizers.py, one after another.
import { describe, expect, it } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { CodeLlamaTokenizer, SeamlessM4TTokenizer, WhisperTokenizer } from "../../lib/tokenization/index.js";
import { plain, read_fixture, slow_fixture } from "./fixtures.js";

interface Call {
  tokenizer: string;
  get?: string;
  set?: string;
  value?: unknown;
  method?: string;
  arguments?: unknown[];
  options?: Record<string, unknown>;
  result?: unknown;
  error?: string;
}

const { cases } = read_fixture("family_tokenizers", "cases.json") as { cases: Call[] };
const names = [...new Set(cases.map(({ tokenizer }) => tokenizer))];

// biome-ignore lint/suspicious/noExplicitAny: methods by name
type Any = any;

function result_of(tokenizer: Any, call: Call): unknown {
  if (call.get) return tokenizer[call.get];
  const method = call.method === "__call__" ? "_call" : call.method!;
  const options = Object.keys(call.options!).length ? [call.options] : [];
  return tokenizer[method](...call.arguments!, ...options);
}

describe.each(names)("%s", async (name) => {
  const tokenizer: Any = await AutoTokenizer.from_pretrained(slow_fixture(name));
  const calls = cases.filter((call) => call.tokenizer === name);

  it("does what Python's does, call by call", () => {
    for (const call of calls) {
      const what = JSON.stringify({ ...call, result: undefined });
      if (call.set) tokenizer[call.set] = call.value;
      else if (call.error) expect(() => result_of(tokenizer, call), what).toThrow(call.error.split(". ")[0]!);
      else expect(plain({ result: result_of(tokenizer, call) ?? null }), what).toEqual({ result: call.result });
    }
  });
});

it("wrong options are errors that name them", async () => {
  const whisper = await WhisperTokenizer.from_pretrained(slow_fixture("whisper"));
  expect(() => whisper.set_prefix_tokens({ language: "xx" })).toThrow(RangeError);
  expect(() => whisper.set_prefix_tokens({ task: "sing" })).toThrow("task");
  expect(whisper.task).toBeNull();
  const normalize = { normalize: true } as object;
  const plain_whisper = await WhisperTokenizer.from_pretrained(slow_fixture("whisper-no-prompt"));
  expect(() => plain_whisper.decode([1], normalize)).toThrow(expect.objectContaining({ code: "not_supported" }));
  const llama = await CodeLlamaTokenizer.from_pretrained(slow_fixture("code-llama"));
  expect(() => llama.encode("a <FILL_ME> b <FILL_ME> c")).toThrow("one can be filled");
  expect(llama.tokenize("a b")).toEqual(llama.tokenize("a b"));
  const seamless = await SeamlessM4TTokenizer.from_pretrained(slow_fixture("seamless-m4t"));
  expect(() => seamless("a", { language: "fra" } as object)).toThrow("language");
});

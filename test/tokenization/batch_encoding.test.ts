import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { Tensor } from "../../lib/tensor/index.js";
import { BatchEncoding } from "../../lib/tokenization/batch_encoding.js";
import { Encoding } from "../../lib/tokenization/encoding.js";
import { folder_of } from "./fixtures.js";

describe("BatchEncoding", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of("llama2-legacy"));
  const enc = tokenizer("The old house");

  test("gives its fields by attribute, by key and by spreading", () => {
    expect(enc.input_ids).toBe(enc["input_ids"]);
    expect(Object.keys(enc)).toEqual(["input_ids", "attention_mask"]);
    expect(Object.keys({ ...enc, more: 1 })).toEqual(["input_ids", "attention_mask", "more"]);
    expect("input_ids" in enc && !("labels" in enc)).toBe(true);
    expect([enc.keys(), enc.items()]).toEqual([Object.keys(enc), Object.entries(enc)]);
  });

  test("gives its encodings by index", () => {
    const batch = tokenizer(["a", "The old house"]);
    expect(batch[1]).toBeInstanceOf(Encoding);
    expect(batch[1].ids).toEqual(batch.input_ids[1]);
    expect(batch[2]).toBeUndefined();
    expect([batch.is_fast, batch.n_sequences, batch.encodings!.length]).toEqual([true, 1, 2]);
  });

  test("becomes tensors, and says why it cannot", () => {
    const tensors = tokenizer(["a", "The old house"], { padding: true, return_tensors: "pt" });
    expect(tensors.input_ids).toBeInstanceOf(Tensor);
    expect(tensors.input_ids.type).toBe("int64");
    expect(tensors.input_ids.dims).toEqual([2, tensors.attention_mask.tolist()[0].length]);
    expect(tokenizer("a", { return_tensor: true }).input_ids.dims).toEqual([1, 2]);
    expect(tokenizer("a").convert_to_tensors("np", true).input_ids.dims).toEqual([1, 2]);
    expect(() => tokenizer(["a", "The old house"], { return_tensors: "pt" })).toThrow(
      "Unable to create tensor, you should probably activate truncation and/or padding",
    );
    expect(() => tokenizer("a", { return_tensors: "tf" })).toThrow('Expected "pt" or "np" for return_tensors');
    expect(tokenizer("", { add_special_tokens: false, return_tensors: "pt" }).input_ids.dims).toEqual([1, 0]);
  });

  test("prints its fields", () => {
    expect(inspect(new BatchEncoding({ input_ids: [1, 2], attention_mask: [1, 1] }))).toBe(
      "BatchEncoding { input_ids: [ 1, 2 ], attention_mask: [ 1, 1 ] }",
    );
    expect(`${enc}`).toContain("input_ids");
    expect(inspect({ enc: { enc } }, { depth: 0 })).not.toContain("input_ids");
  });

  test("says that alignment needs a text", () => {
    const made = new BatchEncoding({ input_ids: [1] });
    expect(() => made.tokens()).toThrow(/tokens\(\) is not available/);
    expect(() => enc.word_ids(4)).toThrow(RangeError);
  });
});

describe("calling a tokenizer", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of("llama2-legacy"));

  test("refuses options and inputs that mean nothing", () => {
    const call =
      (...args: unknown[]) =>
      () =>
        (tokenizer as unknown as (...args: unknown[]) => unknown)(...args);
    expect(call("a", { trunctation: true })).toThrow("Unknown option 'trunctation'");
    expect(call("a", { max_length: -1, truncation: true })).toThrow(RangeError);
    expect(call("a", { padding: "max" })).toThrow(TypeError);
    expect(call("a", { stride: 1.5 })).toThrow(RangeError);
    expect(call("a", { padding_side: "top" })).toThrow(TypeError);
    expect(call(5)).toThrow("text input must be of type");
    expect(call([1, 2])).toThrow("text input must be of type");
    expect(call(null)).toThrow("either `text` or `text_target`");
    expect(call([])).toThrow(TypeError);
    expect(call(["a", "b"], "c")).toThrow("must be a list or tuple with the same length");
    expect(call(["a", "b"], ["c"])).toThrow("does not match batch length");
    expect(call([["a", "b", "c"]])).toThrow("a pair of strings");
    expect(call("abc def", { truncation: true, max_length: 4, stride: 9, return_overflowing_tokens: true })).toThrow(
      RangeError,
    );
  });

  test("encodes targets as labels", () => {
    const both = tokenizer("a", { text_target: "b" });
    expect(both.labels).toEqual(tokenizer("b").input_ids);
    expect(tokenizer(null, { text_target: "b" }).input_ids).toEqual(both.labels);
  });

  test("decodes ids of every kind, and refuses the rest", () => {
    const ids = tokenizer.encode("The old house");
    const options = { skip_special_tokens: true };
    for (const given of [ids, ids.map(BigInt), Int32Array.from(ids), BigInt64Array.from(ids.map(BigInt))]) {
      expect(tokenizer.decode(given, options)).toBe("The old house");
    }
    const tensor = tokenizer.encode("The old house", { return_tensors: "pt" });
    expect(tokenizer.decode(tensor[0]!, options)).toBe("The old house");
    expect(tokenizer.batch_decode(tensor, options)).toEqual(["The old house"]);
    expect(tokenizer.decode(ids[2]!)).toBe(tokenizer.decode([ids[2]!]));
    expect(() => tokenizer.decode(tensor)).toThrow("batch_decode");
    expect(() => tokenizer.decode([-1])).toThrow(RangeError);
    expect(() => tokenizer.decode([1.5])).toThrow(RangeError);
    expect(() => tokenizer.decode(["a"] as never)).toThrow(TypeError);
    expect(tokenizer.decode([99999])).toBe("");
  });

  test("sets special tokens by token and by id", async () => {
    const own = await AutoTokenizer.from_pretrained(folder_of("gpt2"));
    expect([own.pad_token, own.pad_token_id]).toEqual([null, null]);
    expect(() => own(["a", "b c"], { padding: true })).toThrow(
      "Asking to pad but the tokenizer does not have a padding token",
    );
    own.pad_token = own.eos_token;
    expect(own.pad_token_id).toBe(own.eos_token_id);
    own.cls_token_id = 5;
    expect(own.cls_token).toBe(own.convert_ids_to_tokens(5));
    own.additional_special_tokens = ["<a>"];
    expect(own.special_tokens_map["additional_special_tokens"]).toEqual(["<a>"]);
    expect(() => own.add_special_tokens({ no_role: "x" })).toThrow("the role of a special token");
    expect(() => {
      own.sep_token = 5 as never;
    }).toThrow(TypeError);
  });
});

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { PretrainedConfig } from "../../lib/configuration/pretrained_config.js";
import {
  GPT2Tokenizer,
  LlamaTokenizer,
  PreTrainedTokenizerFast,
  Qwen2Tokenizer,
} from "../../lib/tokenization/index.js";
import { folder_of, read_fixture, temporary } from "./fixtures.js";

type Json = Record<string, unknown>;

/** A copy of a trained tokenizer's folder, whose JSON files `change` may edit (null deletes a file). */
function copy_of(name: string, change: Record<string, ((content: Json) => Json) | null> = {}): string {
  const folder = temporary();
  cpSync(folder_of(name), folder, { recursive: true });
  for (const [file, edit] of Object.entries(change)) {
    const path = join(folder, file);
    if (edit === null) rmSync(path);
    else writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")))));
  }
  return folder;
}
const without =
  (...keys: string[]) =>
  (content: Json) =>
    Object.fromEntries(Object.entries(content).filter(([key]) => !keys.includes(key)));
const ids_of = (name: string) =>
  read_fixture("tokenizers", name, "cases.json").cases.filter(
    (row: Json) => row["ids"] && row["text"] && row["text_pair"] === undefined,
  );

describe("AutoTokenizer.from_pretrained", () => {
  test("finds the class by the name in tokenizer_config.json, else by the model type", async () => {
    const loaded = await AutoTokenizer.from_pretrained(folder_of("qwen2"));
    expect(loaded).toBeInstanceOf(Qwen2Tokenizer);
    const folder = copy_of("qwen2", { "tokenizer_config.json": without("tokenizer_class") });
    await expect(AutoTokenizer.from_pretrained(folder)).rejects.toThrow("names no tokenizer class");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "gpt2" }));
    expect(await AutoTokenizer.from_pretrained(folder)).toBeInstanceOf(GPT2Tokenizer);
    expect(await AutoTokenizer.from_pretrained(folder, { tokenizer_type: "qwen2" })).toBeInstanceOf(Qwen2Tokenizer);
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "no-such-model" }));
    await expect(AutoTokenizer.from_pretrained(folder)).rejects.toThrow("Unrecognized model type no-such-model");
  });

  test("says which class it does not know", async () => {
    const folder = copy_of("gpt2", { "tokenizer_config.json": (c) => ({ ...c, tokenizer_class: "MyOwnTokenizer" }) });
    await expect(AutoTokenizer.from_pretrained(folder)).rejects.toThrow(
      "Tokenizer class MyOwnTokenizer does not exist or is not currently imported.",
    );
  });

  test("loads classes that were registered", async () => {
    class MyTokenizer extends PreTrainedTokenizerFast {}
    class MyConfig extends PretrainedConfig {
      static override model_type = "my-model";
    }
    AutoTokenizer.register(MyConfig, { fast_tokenizer_class: MyTokenizer });
    expect(() => AutoTokenizer.register(MyConfig, { fast_tokenizer_class: MyTokenizer })).toThrow("already used");
    const folder = copy_of("gpt2", { "tokenizer_config.json": without("tokenizer_class") });
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "my-model" }));
    expect(await AutoTokenizer.from_pretrained(folder)).toBeInstanceOf(MyTokenizer);
  });

  test("reads the older files when tokenizer_config.json has no added_tokens_decoder", async () => {
    const folder = copy_of("qwen2", {
      "tokenizer_config.json": without("added_tokens_decoder", "eos_token", "pad_token", "additional_special_tokens"),
    });
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const original = await AutoTokenizer.from_pretrained(folder_of("qwen2"));
    expect(tokenizer.special_tokens_map).toEqual(original.special_tokens_map);
    expect(tokenizer.added_tokens_decoder).toEqual(original.added_tokens_decoder);
    expect((await AutoTokenizer.from_pretrained(folder, { pad_token: "<|im_start|>" })).pad_token).toBe("<|im_start|>");
  });

  test("reads vocab.json and merges.txt where there is no tokenizer.json", async () => {
    for (const name of ["gpt2", "qwen2"]) {
      const tokenizer = await AutoTokenizer.from_pretrained(copy_of(name, { "tokenizer.json": null }));
      for (const row of ids_of(name)) expect(tokenizer.encode(row.text, { verbose: false }), row.name).toEqual(row.ids);
    }
  });

  test("truncation and padding of a tokenizer.json do not act, but set defaults", async () => {
    const folder = copy_of("gpt2", {
      "tokenizer.json": (content) => ({
        ...content,
        truncation: { direction: "Left", max_length: 3, strategy: "LongestFirst", stride: 1 },
        padding: {
          strategy: { Fixed: 9 },
          direction: "Left",
          pad_to_multiple_of: null,
          pad_id: 599,
          pad_type_id: 2,
          pad_token: "<|endoftext|>",
        },
      }),
    });
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    expect(tokenizer.encode("The old house sings")).toHaveLength(tokenizer.tokenize("The old house sings").length);
    expect([tokenizer.truncation_side, tokenizer.padding_side]).toEqual(["left", "left"]);
    expect([tokenizer.pad_token, tokenizer.pad_token_type_id]).toEqual(["<|endoftext|>", 0]);
    expect(tokenizer.init_kwargs).toMatchObject({
      max_length: 3,
      stride: 1,
      truncation_strategy: "longest_first",
      pad_token_type_id: 2,
    });
  });

  test("takes the newest versioned file that is not too new", async () => {
    const folder = copy_of("gpt2", {
      "tokenizer_config.json": (c) => ({
        ...c,
        fast_tokenizer_files: ["tokenizer.json", "tokenizer.4.0.json", "tokenizer.9.0.json"],
      }),
    });
    cpSync(join(folder_of("qwen2"), "tokenizer.json"), join(folder, "tokenizer.4.0.json"));
    expect((await AutoTokenizer.from_pretrained(folder)).vocab_size).toBe(377);
  });

  test("template files come before the template in the configuration", async () => {
    const folder = copy_of("gpt2", {
      "tokenizer_config.json": (c) => ({ ...c, chat_template: "from the configuration" }),
    });
    expect((await AutoTokenizer.from_pretrained(folder)).chat_template).toBe("from the configuration");
    writeFileSync(join(folder, "chat_template.jinja"), "from the file");
    expect((await AutoTokenizer.from_pretrained(folder)).chat_template).toBe("from the file");
    mkdirSync(join(folder, "chat_templates"));
    writeFileSync(join(folder, "chat_templates", "tool_use.jinja"), "with tools");
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    expect(tokenizer.chat_template).toEqual({ default: "from the file", tool_use: "with tools" });
    const again = temporary();
    await tokenizer.save_pretrained(again);
    expect((await AutoTokenizer.from_pretrained(again)).chat_template).toEqual(tokenizer.chat_template);
    await tokenizer.save_pretrained(again, { save_jinja_files: false });
    expect(readFileSync(join(again, "tokenizer_config.json"), "utf8")).toContain('"name": "tool_use"');
  });

  test("says what is missing or broken", async () => {
    const empty = temporary();
    await expect(AutoTokenizer.from_pretrained(empty)).rejects.toThrow("names no tokenizer class");
    await expect(GPT2Tokenizer.from_pretrained(empty)).rejects.toThrow(`Can't load tokenizer for '${empty}'`);
    writeFileSync(join(empty, "tokenizer_config.json"), "{ not JSON");
    await expect(AutoTokenizer.from_pretrained(empty)).rejects.toThrow(/tokenizer_config.json is not valid JSON/);
    writeFileSync(join(empty, "tokenizer_config.json"), "[]");
    await expect(GPT2Tokenizer.from_pretrained(empty)).rejects.toThrow("must hold a JSON object");
    const broken = copy_of("gpt2");
    writeFileSync(join(broken, "tokenizer.json"), '{"model": {"type": "BPE", "vocab"');
    await expect(AutoTokenizer.from_pretrained(broken)).rejects.toMatchObject({ code: "tokenizer_invalid" });
    await expect(AutoTokenizer.from_pretrained(folder_of("gpt2"), { gguf_file: "no.gguf" })).rejects.toThrow("no.gguf");
    await expect(AutoTokenizer.from_pretrained(folder_of("gpt2"), { padding_side: "up" })).rejects.toThrow(
      "'right' and 'left'",
    );
    await expect(AutoTokenizer.from_pretrained("" as string)).rejects.toThrow(TypeError);
  });

  test.each<[string, Json, string]>([
    ["a template that is a number", { chat_template: 5 }, "chat_template"],
    ["templates without text", { chat_template: [{ name: "default" }] }, "chat_template"],
    ["a length that is a text", { model_max_length: "long" }, "model_max_length"],
    ["input names that are none", { model_input_names: "input_ids" }, "model_input_names"],
    ["added tokens without content", { added_tokens_decoder: { 5: null } }, "has no content"],
    ["a special token that is a number", { eos_token: 7 }, "eos_token"],
    ["special tokens that are no list", { additional_special_tokens: "<a>" }, "additional_special_tokens"],
    ["a class that is a number", { tokenizer_class: 7 }, "names no tokenizer class"],
    ["a side that is none", { truncation_side: [] }, "Truncation side"],
    ["an extra token that is a list", { extra_special_tokens: { image_token: [] } }, "image_token"],
  ])("refuses a configuration with %s", async (_, values, message) => {
    const folder = copy_of("gpt2", { "tokenizer_config.json": (content) => ({ ...content, ...values }) });
    await expect(AutoTokenizer.from_pretrained(folder)).rejects.toThrow(message);
  });

  test("reads the truncation of older files, which lack a direction", async () => {
    const truncation = { max_length: 128, strategy: "LongestFirst", stride: 0 };
    const folder = copy_of("gpt2", { "tokenizer.json": (content) => ({ ...content, truncation }) });
    expect((await AutoTokenizer.from_pretrained(folder)).truncation_side).toBe("right");
  });

  test("warns of options that do nothing", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on("warning", listen);
    await AutoTokenizer.from_pretrained(folder_of("gpt2"), { use_fast: false, no_such_option: 1 });
    await new Promise(setImmediate);
    process.off("warning", listen);
    expect(warnings.join()).toContain("'no_such_option'");
    expect(warnings.join()).toContain("use_fast=false");
  });
});

test("Llama's add_bos_token and add_eos_token make the post-processor, when loading and later", async () => {
  const tokenizer = (await LlamaTokenizer.from_pretrained(folder_of("llama2-legacy"))) as InstanceType<
    typeof LlamaTokenizer
  > & {
    add_bos_token: boolean;
    add_eos_token: boolean;
  };
  const plain = tokenizer.encode("a", { add_special_tokens: false });
  expect(tokenizer.encode("a")).toEqual([1, ...plain]);
  tokenizer.add_eos_token = true;
  tokenizer.add_bos_token = false;
  expect(tokenizer.encode("a")).toEqual([...plain, 2]);
  expect(tokenizer.build_inputs_with_special_tokens([7], [8])).toEqual([7, 2, 8, 2]);
});

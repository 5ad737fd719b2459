import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AutoConfig } from "../../lib/auto/configuration.js";
import { BartConfig, BertConfig, GPT2Config, LlamaConfig, T5Config } from "../../lib/configuration/classes.js";
import { PretrainedConfig } from "../../lib/configuration/pretrained_config.js";

let folder: string;
const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function checkpoint(name: string, config: string | object): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

describe("Loading", () => {
  it("makes the class of the model type, with overrides and the options that are no fields", async () => {
    const path = await checkpoint("a", { model_type: "bert", hidden_size: 64, torch_dtype: "float16" });
    const [config, unused] = await AutoConfig.from_pretrained(path, {
      num_labels: 3,
      foo: 1,
      return_unused_kwargs: true,
    });
    expect(config).toBeInstanceOf(BertConfig);
    expect([config.constructor.name, config.model_type]).toEqual(["BertConfig", "bert"]);
    expect(unused).toEqual({ foo: 1 });
    expect(config.num_labels).toBe(3);
    expect(config.id2label).toEqual({ 0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2" });
    expect(config.label2id).toEqual({ LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 });
    expect([config.hidden_size, config.dtype, config.num_hidden_layers]).toEqual([64, "float16", 12]);
    expect(config.name_or_path).toBe(path);
  });

  it("keeps what config.json says, its number's spelling too, when it is saved", async () => {
    const text = `{
  "architectures": [
    "LlamaForCausalLM"
  ],
  "attention_bias": false,
  "attention_dropout": 0.0,
  "bos_token_id": 1,
  "dtype": "bfloat16",
  "eos_token_id": 2,
  "extra": 1e+16,
  "head_dim": 128,
  "hidden_act": "silu",
  "hidden_size": 4096,
  "initializer_range": 0.02,
  "intermediate_size": 11008,
  "max_position_embeddings": 2048,
  "mlp_bias": false,
  "model_type": "llama",
  "num_attention_heads": 32,
  "num_hidden_layers": 32,
  "num_key_value_heads": 32,
  "pretraining_tp": 1,
  "rms_norm_eps": 1e-05,
  "rope_scaling": null,
  "rope_theta": 500000.0,
  "tie_word_embeddings": false,
  "transformers_version": "4.57.6",
  "use_cache": true,
  "vocab_size": 32000
}
`;
    const config = await LlamaConfig.from_pretrained(await checkpoint("b", text));
    await config.save_pretrained(join(folder, "saved"));
    expect(await readFile(join(folder, "saved", "config.json"), "utf8")).toBe(text);
    config.rope_theta = 10000;
    expect(config.to_json_string()).toContain('"rope_theta": 10000.0');
  });

  it("takes a JSON file, and a subfolder", async () => {
    const path = await checkpoint("c/sub", { model_type: "gpt2", n_embd: 8 });
    expect((await AutoConfig.from_pretrained(join(path, "config.json"))).hidden_size).toBe(8);
    expect((await AutoConfig.from_pretrained(join(folder, "c"), { subfolder: "sub" })).n_embd).toBe(8);
    expect((await GPT2Config.from_json_file(join(path, "config.json"))).n_embd).toBe(8);
  });

  it("without a model type takes the longest one that the path contains", async () => {
    const path = await checkpoint("my-xlm-roberta-model", { hidden_size: 8 });
    expect((await AutoConfig.from_pretrained(path)).constructor.name).toBe("XLMRobertaConfig");
  });

  it("takes the file of config.<version>.json that is the newest for 4.57", async () => {
    const path = await checkpoint("d", {
      model_type: "bert",
      configuration_files: ["config.4.0.0.json", "config.4.60.0.json", "config.4.9.0.json"],
    });
    await writeFile(join(path, "config.4.9.0.json"), '{"model_type": "bert", "hidden_size": 99}');
    expect((await AutoConfig.from_pretrained(path)).hidden_size).toBe(99);
  });

  it.each([
    ["not JSON", '{"model_type": "bert",', /It looks like the config file at '.*config.json' is not a valid JSON file/],
    ["a list", "[]", /is not a valid JSON file/],
    ["two values", "{} {}", /is not a valid JSON file/],
    ["an endless nesting", '{"a":'.repeat(100_000), /is not a valid JSON file/],
    ["unknown type", '{"model_type": "no-such"}', /has model type `no-such` but Transformers does not recognize this/],
    [
      "a type that Python knows",
      '{"model_type": "zamba"}',
      /has model type `zamba` but ggml-transformers does not have/,
    ],
    ["no type", '{"hidden_size": 1}', /Unrecognized model in .*Should have a `model_type` key in its config.json/],
    ["a method's name", '{"model_type": "bert", "to_dict": 1}', /cannot have a field named 'to_dict'/],
    ["a prototype", '{"model_type": "bert", "__proto__": {"x": 1}}', /cannot have a field named '__proto__'/],
    ["no such dtype", '{"model_type": "bert", "dtype": "float12"}', /Expected the name of a torch dtype.*dtype/],
    ["a problem type", '{"model_type": "bert", "problem_type": "x"}', /`problem_type` was not understood: received x/],
    ["bad labels", '{"model_type": "bert", "id2label": {"a": "b"}}', /Expected integer keys for id2label/],
    ["labels in a list", '{"model_type": "bert", "id2label": ["a"]}', /id2label should be a dictionary/],
    [
      "rope_scaling without its factor",
      '{"model_type": "llama", "rope_scaling": {"type": "linear"}}',
      /Missing required keys in `rope_scaling` for 'rope_type'='linear': {'factor'}/,
    ],
    [
      "other layers than layer_types",
      '{"model_type": "qwen3", "num_hidden_layers": 2, "layer_types": ["full_attention"]}',
      /`num_hidden_layers` \(2\) must be equal to the number of layer types \(1\)/,
    ],
    [
      "code",
      '{"model_type": "mine", "auto_map": {"AutoConfig": "a.B"}}',
      /contains custom code which must be executed/,
    ],
  ])("refuses %s", async (name, config, message) => {
    await expect(AutoConfig.from_pretrained(await checkpoint(`z${name.length}`, config))).rejects.toThrow(message);
  });

  it("says where there is no configuration", async () => {
    await mkdir(join(folder, "empty"));
    await expect(AutoConfig.from_pretrained(join(folder, "empty"))).rejects.toThrow(
      /does not appear to have a file named/,
    );
    await expect(AutoConfig.from_pretrained("./no/such/folder")).rejects.toThrow(
      "Can't load the configuration of './no/such/folder'. If you were trying to load it from 'https://huggingface.co/models'",
    );
    await expect(AutoConfig.from_pretrained(undefined as never)).rejects.toThrow(TypeError);
  });

  it("refuses labels that contradict their number", async () => {
    const path = await checkpoint("e", { model_type: "bert" });
    const options = { num_labels: 3, id2label: { 0: "a" } };
    await expect(AutoConfig.from_pretrained(path, options)).rejects.toThrow(
      "You passed along `num_labels=3` with an incompatible id to label map: {'0': 'a'}.",
    );
  });
});

describe("Fields", () => {
  it("have other names, which read and write them", () => {
    const gpt2 = new GPT2Config({ num_attention_heads: 2 });
    gpt2.hidden_size = 1024;
    expect([gpt2.n_embd, gpt2.n_head, "hidden_size" in gpt2]).toEqual([1024, 2, true]);
    const t5 = new T5Config();
    t5.d_kv = 7;
    expect(t5.head_dim).toBe(7);
    expect(new BartConfig({ encoder_attention_heads: 3 }).num_attention_heads).toBe(3);
    expect(Object.keys(gpt2)).not.toContain("hidden_size");
  });

  it("num_labels makes new labels, torch_dtype is dtype, output_attentions wants eager attention", () => {
    const config = new BertConfig({ id2label: { 0: "a", 1: "b" }, label2id: { a: 0, b: 1 } });
    config.num_labels = 2;
    expect(config.id2label[0]).toBe("a");
    config.num_labels = 3;
    expect(config.id2label[0]).toBe("LABEL_0");
    expect(() => {
      config.num_labels = -1;
    }).toThrow(TypeError);
    config.torch_dtype = "float16";
    expect(config.dtype).toBe("float16");
    config._attn_implementation = "sdpa";
    expect(() => {
      config.output_attentions = true;
    }).toThrow(/Please set it to 'eager' instead/);
  });

  it("of two configurations are not shared", () => {
    const [one, two] = [new BertConfig(), new BertConfig()];
    one.pruned_heads[1] = [2];
    expect(two.pruned_heads).toEqual({});
  });

  it("print as JSON", () => {
    const text = String(new BertConfig());
    expect(text.startsWith('BertConfig {\n  "attention_probs_dropout_prob": 0.1,\n')).toBe(true);
    expect(inspect(new BertConfig())).toBe(text);
    expect(JSON.parse(JSON.stringify(new BertConfig())).model_type).toBe("bert");
  });

  it("get_text_config gives the text model inside, or one half of an encoder-decoder", () => {
    const gemma = AutoConfig.for_model("gemma3");
    expect(gemma.get_text_config()).toBe(gemma.text_config);
    const bart = new BartConfig({ decoder_layers: 3, decoder_ffn_dim: 8 });
    expect(bart.get_text_config()).toBe(bart);
    const half = bart.get_text_config({ decoder: true });
    expect([half.num_hidden_layers, half.ffn_dim, half.encoder_ffn_dim]).toEqual([3, 8, undefined]);
  });
});

describe("Saving", () => {
  it("warns of generation settings, and refuses a file as the folder", async () => {
    await new BertConfig({ max_length: 30, temperature: 1 }).save_pretrained(join(folder, "s"));
    expect(warned.mock.calls.flat().join("\n")).toContain("Non-default generation parameters: {'max_length': 30}");
    await expect(new BertConfig().save_pretrained(join(folder, "s", "config.json"))).rejects.toThrow(
      /should be a directory, not a file/,
    );
    expect(new BartConfig()._get_non_default_generation_parameters()).toEqual({});
  });
});

describe("A class of one's own", () => {
  class MyConfig extends PretrainedConfig {
    static override model_type = "my-model";
    static override defaults = { width: 4, depth: 2 };
    static override attribute_map = { hidden_size: "width" };
  }

  it("is registered, loaded, saved and printed", async () => {
    AutoConfig.register("my-model", MyConfig);
    const path = await checkpoint("mine", { model_type: "my-model", depth: 3 });
    const config = await AutoConfig.from_pretrained(path, { width: 6 });
    expect(config).toBeInstanceOf(MyConfig);
    expect([config.hidden_size, config.depth]).toEqual([6, 3]);
    expect(config.to_json_string()).toBe(
      '{\n  "depth": 3,\n  "model_type": "my-model",\n  "transformers_version": "4.57.6",\n  "width": 6\n}\n',
    );
    expect(AutoConfig.for_model("my-model", { width: 1 }).hidden_size).toBe(1);
  });

  it("needs its own name", () => {
    expect(() => AutoConfig.register("other", MyConfig)).toThrow(/not consistent with the model type/);
    expect(() => AutoConfig.register("my-model", MyConfig)).toThrow(
      "'my-model' is already used by a Transformers config, pick another name.",
    );
    AutoConfig.register("my-model", MyConfig, { exist_ok: true });
    expect(() => AutoConfig.register("x", Object as never)).toThrow(TypeError);
    expect(() => AutoConfig.for_model("nothing")).toThrow(
      /Unrecognized model identifier: nothing. Should contain one of/,
    );
    expect(() => new AutoConfig()).toThrow(/designed to be instantiated/);
  });
});

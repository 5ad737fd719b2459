import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AutoConfig } from "../../lib/auto/configuration.js";
import { LlamaConfig } from "../../lib/configuration/classes.js";
import { GenerationConfig } from "../../lib/generation/configuration.js";
import { GENERATION_FIELDS } from "../../lib/generation/fields.js";
import {
  check_generation_mode,
  prepare_generated_length,
  prepare_generation_config,
  prepare_special_tokens,
} from "../../lib/generation/prepare.js";
import { parse_json } from "../../lib/python_json.js";

type Dict = Record<string, unknown>;
const fixture = JSON.parse(
  await readFile(new URL("../fixtures/generate/configuration.json", import.meta.url), "utf8"),
) as Record<"saved" | "modes" | "prepared" | "model_configs", Record<string, string>[]>;
const folder = await mkdtemp(join(tmpdir(), "generation-"));
const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
const warnings = () => warned.mock.calls.map(([text]) => String(text)).join("\n");
const dict = (text: string) => parse_json(text) as Dict;

beforeEach(() => warned.mockClear());
afterAll(() => rm(folder, { recursive: true }));

describe("GenerationConfig", () => {
  it("has Python's 66 fields", () => {
    expect(Object.keys(GENERATION_FIELDS)).toHaveLength(66);
  });

  it.each(fixture.saved)("of $kwargs is Python's", ({ kwargs, error, printed, full, issues }) => {
    if (error) {
      expect(() => new GenerationConfig(dict(kwargs!))).toThrow(error);
      return;
    }
    const config = new GenerationConfig(dict(kwargs!));
    expect(String(config)).toBe(printed);
    expect(inspect(config)).toBe(printed);
    expect(config.to_json_string(false)).toBe(full);
    if (issues) expect(() => config.validate(true)).toThrow(issues);
    else config.validate(true);
  });

  it.each(fixture.modes)("with $kwargs is in mode $mode", ({ kwargs, assistant, mode }) => {
    expect(new GenerationConfig(dict(kwargs!)).get_generation_mode(assistant)).toBe(mode);
  });

  it.each(fixture.model_configs)("is made from the model's configuration $config", ({ config, generation_config }) => {
    const { model_type, ...kwargs } = dict(config!);
    const made = GenerationConfig.from_model_config(AutoConfig.for_model(String(model_type), kwargs));
    expect(made.to_json_string()).toBe(generation_config);
  });

  it.each([
    [{ max_new_tokens: "5" }, /Expected an integer or null for max_new_tokens but received '5' of type string/],
    [{ temperature: "hot" }, /Expected a number or null for temperature/],
    [{ do_sample: 1 }, /Expected a boolean or null for do_sample/],
    [{ top_p: Number.NaN }, /Expected a number or null for top_p/],
    [{ num_beams: 0 }, /`num_beams` has to be an integer strictly greater than 0, but is 0/],
    [{ to_dict: 1 }, /cannot have a field named 'to_dict'/],
    [
      { watermarking_config: { greenlist_ratio: 2 } },
      /`greenlist_ratio` should be in range between 0.0 and 1.0` but found 2/,
    ],
    [{ watermarking_config: { color: 1 } }, /Expected fields of WatermarkingConfig for watermarking_config/],
  ])("refuses %j with the argument's name", (kwargs, message) => {
    expect(() => new GenerationConfig(kwargs)).toThrow(message);
    expect(() => new GenerationConfig().update(kwargs)).toThrow(message);
  });

  it("is saved and loaded, with overrides", async () => {
    const path = join(folder, "a");
    await new GenerationConfig({ do_sample: true, top_k: 5, temperature: 2 }).save_pretrained(path);
    expect(await readFile(join(path, "generation_config.json"), "utf8")).toBe(
      '{\n  "do_sample": true,\n  "temperature": 2.0,\n  "top_k": 5,\n  "transformers_version": "4.57.6"\n}\n',
    );
    const [config, unused] = await GenerationConfig.from_pretrained(path, {
      top_k: 7,
      foo: 1,
      return_unused_kwargs: true,
    });
    expect([config.top_k, config.do_sample, unused]).toEqual([7, true, {}]);
    expect(config.foo).toBe(1); // as in Python
    await expect(GenerationConfig.from_pretrained(join(folder))).rejects.toThrow(
      /does not appear to have a file named/,
    );
  });

  it("with settings that have no effect is not saved", async () => {
    await expect(new GenerationConfig({ temperature: 0.5 }).save_pretrained(folder)).rejects.toThrow(
      /^GenerationConfig is invalid: \n- `temperature`: `do_sample` is set to `False`.*\n\nFix these issues to save/s,
    );
    expect(warnings()).toContain("The following generation flags are not valid and may be ignored: ['temperature'].");
  });

  it("of a broken file is what config.json says, with a warning", async () => {
    const config = new LlamaConfig({ eos_token_id: 7 });
    for (const [name, text] of [
      ["broken", "{"],
      ["wrong", '{"max_new_tokens": -1}'],
    ] as const) {
      const path = join(folder, name);
      await mkdir(path);
      await writeFile(join(path, "generation_config.json"), text);
      const made = await GenerationConfig.from_pretrained_or_model_config(path, config);
      expect([made.eos_token_id, made._from_model_config]).toEqual([7, true]);
      expect(warnings()).toContain(`The generation_config.json of ${path} is not used`);
    }
    await mkdir(join(folder, "none"));
    warned.mockClear();
    expect((await GenerationConfig.from_pretrained_or_model_config(join(folder, "none"), config)).eos_token_id).toBe(7);
    expect(warned).not.toHaveBeenCalled();
  });

  it("is copied whole, and knows whether it was changed", async () => {
    const made = GenerationConfig.from_model_config(new LlamaConfig());
    const copy = made.clone();
    expect(String(copy)).toBe(String(made));
    expect(copy.is_unmodified()).toBe(true);
    copy.suppress_tokens = [1];
    copy.top_k = 3;
    expect([made.top_k, copy.is_unmodified(), made.is_unmodified()]).toEqual([50, false, true]);
  });
});

describe("The settings of a call", () => {
  it.each(fixture.prepared)(
    "come from model $model, config $given, keywords $kwargs, use_model_defaults $use_model_defaults",
    ({ model, given, kwargs, use_model_defaults, config, model_kwargs }) => {
      const own = given === "null" ? undefined : new GenerationConfig(dict(given!));
      const [made, rest] = prepare_generation_config(new GenerationConfig(dict(model!)), own, dict(kwargs!), {
        use_model_defaults: use_model_defaults as unknown as boolean | null,
      });
      expect(made.to_json_string(true, true)).toBe(config);
      expect(rest).toEqual(model_kwargs);
    },
  );

  it("do not change the configs that they come from", () => {
    const model = new GenerationConfig({ top_k: 3, do_sample: true });
    const given = new GenerationConfig();
    prepare_generation_config(model, given, { max_new_tokens: 3 });
    expect([model.max_new_tokens, given.top_k]).toEqual([null, 50]);
  });

  it("follow a model's configuration that was changed after loading", () => {
    const model_config = new LlamaConfig();
    const made = GenerationConfig.from_model_config(model_config);
    model_config.max_length = 77;
    expect(prepare_generation_config(made, undefined, {}, { model_config })[0].max_length).toBe(77);
    expect(warnings()).toContain("You have modified the pretrained model configuration to control generation.");
    made.top_k = 3;
    expect(prepare_generation_config(made, undefined, {}, { model_config })[0].max_length).toBe(20);
  });

  it("name the mode, the repository of a mode that Python loads, and options without effect", () => {
    expect(check_generation_mode(new GenerationConfig({ num_beams: 2 }))).toBe("beam_search");
    expect(() => check_generation_mode(new GenerationConfig({ penalty_alpha: 0.6, top_k: 4 }))).toThrow(
      "Contrastive Search requires `trust_remote_code=True` in your `generate` call, since it loads https://hf.co/transformers-community/contrastive-search",
    );
    expect(() => check_generation_mode(new GenerationConfig({ num_beams: 4, num_beam_groups: 2 }))).toThrow(
      /^Group Beam Search requires/,
    );
    expect(() =>
      check_generation_mode(
        new GenerationConfig({ assistant_early_exit: 1, do_sample: true, num_return_sequences: 2 }),
      ),
    ).toThrow("num_return_sequences has to be 1 when doing assisted generate, but is 2.");
    check_generation_mode(new GenerationConfig({ prefill_chunk_size: 5 }));
    expect(warnings()).toContain("`prefill_chunk_size` has no effect");
  });
});

describe("Special tokens", () => {
  it("take the first end token for padding, with a warning", () => {
    const config = new GenerationConfig({ eos_token_id: [3, 4] });
    prepare_special_tokens(config, { has_attention_mask: false });
    expect(config.pad_token_id).toBe(3);
    expect(warnings()).toContain("Setting `pad_token_id` to `eos_token_id`:3 for open-end generation.");
    expect(warnings()).toContain("The attention mask and the pad token id were not set.");
  });

  it("of an encoder-decoder need a start token, or BOS", () => {
    const config = new GenerationConfig({ bos_token_id: 2 });
    prepare_special_tokens(config, { is_encoder_decoder: true });
    expect(config.decoder_start_token_id).toBe(2);
    expect(() => prepare_special_tokens(new GenerationConfig(), { is_encoder_decoder: true })).toThrow(
      "`decoder_start_token_id` or `bos_token_id` has to be defined for encoder-decoder generation.",
    );
  });
});

describe("Lengths", () => {
  const prepare = (kwargs: Dict, more: Dict = {}) => {
    const config = new GenerationConfig(kwargs);
    prepare_generated_length(config, {
      has_default_max_length: !("max_length" in kwargs),
      has_default_min_length: !("min_length" in kwargs),
      input_ids_length: 10,
      ...more,
    });
    return [config.max_length, config.min_length];
  };

  it("count the prompt afterwards", () => {
    expect(prepare({})).toEqual([30, 0]);
    expect(prepare({}, { max_position_embeddings: 25 })).toEqual([25, 0]);
    expect(prepare({ max_length: 15, min_length: 12 })).toEqual([15, 12]);
    expect(prepare({ max_new_tokens: 5, min_new_tokens: 2 })).toEqual([15, 12]);
    expect(prepare({ max_new_tokens: 5, max_length: 50 })).toEqual([15, 0]);
    expect(warnings()).toContain("Both `max_new_tokens` (=5) and `max_length`(=50) seem to have been set.");
    expect(prepare({ max_length: 30, min_length: 5 }, { input_ids_length: 0, inputs_embeds_length: 10 })).toEqual([
      20, 0,
    ]);
  });

  it("that leave no room are an error, and those that contradict each other a warning", () => {
    expect(() => prepare({ max_length: 10 })).toThrow(
      "Input length of input_ids is 10, but `max_length` is set to 10. This can lead to unexpected behavior. You should " +
        "consider increasing `max_length` or, better yet, setting `max_new_tokens`.",
    );
    prepare({ max_length: 15, min_length: 20 });
    expect(warnings()).toContain(
      "Unfeasible length constraints: `min_length` (20) is larger than the maximum possible",
    );
    prepare({ max_new_tokens: 2, min_new_tokens: 4 });
    expect(warnings()).toContain("`min_new_tokens` (4), when added to the prompt length (10), is larger than");
  });
});

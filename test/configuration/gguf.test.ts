// AutoConfig of GGUF files, against Python: test/fixtures/gguf_config.
import { describe, expect, it } from "vitest";
import { AutoConfig, LlamaConfig } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";

interface Case {
  class: string;
  config: Record<string, unknown>;
  error?: string;
}

const { other, ...cases } = read_json<Record<string, Case>>("gguf_config", "cases.json");
const folder = fixture("gguf_config");

describe("a GGUF file's configuration", () => {
  it.each(Object.keys(cases))("is Python's: %s", async (name) => {
    const config = await AutoConfig.from_pretrained(folder, { gguf_file: `${name}.gguf` });
    expect(config.constructor.name).toBe(cases[name].class);
    const { _name_or_path, ...fields } = config.to_diff_dict() as Record<string, unknown>;
    expect(fields).toEqual(cases[name].config);
  });

  it("is overridden by options, and read by a class of its own", async () => {
    const config = await LlamaConfig.from_pretrained(folder, { gguf_file: "llama.gguf", num_hidden_layers: 7 });
    expect(config).toMatchObject({ num_hidden_layers: 7, hidden_size: 48 });
  });

  it("is refused with Python's words, or where there is no file", async () => {
    await expect(AutoConfig.from_pretrained(folder, { gguf_file: "other.gguf" })).rejects.toThrow(other.error);
    await expect(AutoConfig.from_pretrained(folder, { gguf_file: "none.gguf" })).rejects.toMatchObject({
      code: "entry_not_found",
    });
    await expect(AutoConfig.from_pretrained(folder, { gguf_file: "cases.json" })).rejects.toThrow("GGUF");
    await expect(AutoConfig.from_pretrained(folder, { gguf_file: 3 })).rejects.toThrow(TypeError);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import { AutoConfig } from "../../lib/auto/configuration.js";
import type { ConfigDict, PretrainedConfig } from "../../lib/configuration/pretrained_config.js";

const fixtures = fileURLToPath(new URL("../fixtures/config", import.meta.url));
const folders = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);
const scratch = mkdtempSync(join(tmpdir(), "config-"));
vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterAll(() => rmSync(scratch, { recursive: true }));

const json = (...path: string[]) => JSON.parse(readFileSync(join(fixtures, ...path), "utf8"));
/** As JSON, without the path that Python's fixtures do not have. */
const plain = ({ _name_or_path: _, ...dict }: ConfigDict) => JSON.parse(JSON.stringify(dict));
const fields = (config: PretrainedConfig, names: object) =>
  plain(Object.fromEntries(Object.keys(names).map((name) => [name, config[name] ?? null])));

describe.each(folders)("The configuration of %s", (name) => {
  const { to_dict, to_diff_dict, reads, overrides, attribute_map, class: class_name } = json(name, "case.json");

  it("is what Python reads", async () => {
    const config = await AutoConfig.from_pretrained(join(fixtures, name));
    expect(config.constructor.name).toBe(class_name);
    expect(plain(config.to_dict())).toEqual(plain(to_dict));
    expect(plain(config.to_diff_dict())).toEqual(to_diff_dict);
    expect(fields(config, reads)).toEqual(reads);
  });

  it("is saved as Python saves it, byte for byte", async () => {
    const config = await AutoConfig.from_pretrained(join(fixtures, name));
    await config.save_pretrained(join(scratch, name));
    expect(readFileSync(join(scratch, name, "config.json"), "utf8")).toBe(
      readFileSync(join(fixtures, name, "saved.json"), "utf8"),
    );
  });

  it("takes overrides, and maps its other names", async () => {
    const options = { ...overrides.given, return_unused_kwargs: true as const };
    const [config, unused] = await AutoConfig.from_pretrained(join(fixtures, name), options);
    expect(unused).toEqual(overrides.unused);
    expect(plain(config.to_diff_dict())).toEqual(overrides.to_diff_dict);
    const loaded = await AutoConfig.from_pretrained(join(fixtures, name));
    expect(fields(loaded, attribute_map.reads)).toEqual(attribute_map.reads);
    for (const [from, { name: to, value }] of Object.entries<{ name: string; value: unknown }>(attribute_map.writes)) {
      loaded[from] = value;
      expect(loaded[to]).toBe(value);
    }
  });

  it("has Python's defaults", () => {
    const defaults = json(name, "defaults.json");
    const config = AutoConfig.for_model(defaults.to_dict.model_type);
    expect(plain(config.to_dict())).toEqual(defaults.to_dict);
    expect(config.to_json_string()).toBe(defaults.to_json_string);
  });
});

interface Refused {
  name: string;
  config: string | null;
  error?: string;
  message?: string;
  loaded?: string;
  source?: string;
}

// Python reads a list of values as far as it gets, takes a folder without config.json for an empty configuration, and
// knows composite classes that are not here: these have errors of their own.
const OWN_ERRORS = ["an array", "missing file", "config inside a composite"];
const refused: Refused[] = json("errors.json").cases;

describe("What Python refuses", () => {
  it.each(refused.filter(({ name, source }) => !source && !OWN_ERRORS.includes(name)))(
    "$name",
    async ({ name, config, message, loaded }) => {
      const folder = join(scratch, "refused", name.replaceAll(" ", "-"));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "config.json"), config!);
      if (loaded) expect((await AutoConfig.from_pretrained(folder)).constructor.name).toBe(loaded);
      else {
        const start = message!.split(", or because")[0]!.replaceAll("<folder>", folder).replace(/^"|"$/g, "");
        await expect(AutoConfig.from_pretrained(folder)).rejects.toThrow(start);
      }
    },
  );

  it("a name that is nowhere, offline", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    vi.stubEnv("HF_ENDPOINT", undefined);
    const { source, message } = refused.find((each) => each.source)!;
    await expect(AutoConfig.from_pretrained(source!)).rejects.toThrow(message);
    vi.unstubAllEnvs();
  });
});

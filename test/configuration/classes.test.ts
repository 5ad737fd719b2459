import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { AutoConfig } from "../../lib/auto/configuration.js";
import type { ConfigDict } from "../../lib/configuration/pretrained_config.js";
import { parse_json } from "../../lib/python_json.js";

interface Case {
  model_type: string;
  kwargs: string;
  config: string;
}

const cases: Case[] = JSON.parse(readFileSync(new URL("../fixtures/config/classes.json", import.meta.url), "utf8"));
const model_types = [...new Set(cases.map((each) => each.model_type))];
vi.spyOn(process, "emitWarning").mockImplementation(() => {});

describe("The config.json of each class is Python's, byte for byte", () => {
  it.each(model_types)("%s", (model_type) => {
    for (const { kwargs, config } of cases.filter((each) => each.model_type === model_type)) {
      const made = AutoConfig.for_model(model_type, parse_json(kwargs) as ConfigDict);
      expect(made.to_json_string(), kwargs).toBe(config);
      expect(String(made)).toBe(`${made.constructor.name} ${config}`);
      const again = (
        made.constructor as typeof AutoConfig.for_model & { from_dict(d: unknown): typeof made }
      ).from_dict(parse_json(config));
      if (!/name_or_path|bidirectional/.test(kwargs)) expect(again.to_json_string(), "read again").toBe(config);
    }
  });
});

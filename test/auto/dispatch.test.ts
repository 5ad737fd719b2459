// Which class each Auto class takes for a configuration, against Python's registries (scripts/fixtures/auto_classes.py).
import { describe, expect, test } from "vitest";
import { config_class_for } from "../../lib/auto/configuration.js";
import * as transformers from "../../lib/index.js";
import { read_json } from "../fixtures.js";

type Factory = typeof transformers.AutoModel;

const dispatch = read_json<Record<string, Record<string, string[]>>>("auto", "dispatch.json");
const factories = transformers as unknown as Record<string, Factory>;

/** The name of the class that an Auto class takes, if it takes one. */
function class_name(factory: Factory, model_type: string): string | undefined {
  const config = config_class_for(model_type);
  if (!config) return undefined;
  try {
    return factory.class_of(new config({})).name;
  } catch (error) {
    expect((error as { code?: string }).code).toBe("unrecognized_configuration");
    return undefined;
  }
}

const pairs = Object.entries(dispatch).flatMap(([auto, models]) =>
  Object.entries(models).map(([model_type, [, ...classes]]) => ({ auto, model_type, classes })),
);
const ours = pairs.filter(({ auto, model_type }) => factories[auto] && class_name(factories[auto], model_type));
const architectures = new Set(ours.map(({ model_type }) => model_type));
/** Those of which more than the language model is here. */
const whole = new Set(ours.filter(({ auto }) => auto === "AutoModel").map(({ model_type }) => model_type));

describe("every class is Python's", () => {
  test.each(ours)("$auto of $model_type", ({ auto, model_type, classes }) => {
    expect(classes).toContain(class_name(factories[auto], model_type));
  });
});

test("an architecture with a base model has all the classes that Python has of it", () => {
  const missing = pairs
    .filter(({ model_type }) => whole.has(model_type))
    .filter(({ auto, model_type }) => !factories[auto] || !class_name(factories[auto], model_type))
    .map(({ auto, model_type }) => `${auto} ${model_type}`);
  expect(missing).toEqual([]);
});

test("no Auto class takes what Python refuses", () => {
  for (const [auto, models] of Object.entries(dispatch))
    for (const model_type of architectures)
      if (factories[auto] && !models[model_type]) expect(class_name(factories[auto], model_type)).toBeUndefined();
});

test("an unfit configuration is told which ones fit", () => {
  const config = transformers.AutoConfig.for_model("distilbert");
  expect(() => transformers.AutoModelForCausalLM.class_of(config)).toThrow(
    /^Unrecognized configuration class DistilBertConfig for this kind of AutoModel: AutoModelForCausalLM\.\nModel type should be one of (\w+Config, )*BertConfig, (\w+Config, )*GPT2Config, /,
  );
});

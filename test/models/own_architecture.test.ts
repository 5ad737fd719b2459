// What examples/own-architecture.ts declares, as a user's project would, against its torch twin in scripts/fixtures.
import { expect, test } from "vitest";
import "../../examples/own-architecture.js";
import { AutoConfig, AutoModel, AutoModelForTokenClassification, Tensor } from "../../lib/index.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";

const folder = fixture("own_architecture");
const inputs = read_json<{ input_ids: number[][]; attention_mask: number[][] }>("own_architecture", "case.json");
const expected = read_tensors("own_architecture", "expected.safetensors");

test("an architecture of the user's own loads through the Auto classes and computes what torch computes", async () => {
  const model = await AutoModelForTokenClassification.from_pretrained(folder);
  expect(model.constructor.name).toBe("GluForTokenClassification");
  const { logits } = await model(inputs);
  expect(logits.dims).toEqual([2, 7, 5]);
  expect(relative_error(logits.data as Float32Array, expected["logits"].data)).toBeLessThan(1e-4);
  await model.dispose();
});

test("its base model takes the tensors below the prefix", async () => {
  const model = await AutoModel.from_pretrained(folder);
  const { last_hidden_state } = await model(inputs);
  expect(relative_error(last_hidden_state.data as Float32Array, expected["last_hidden_state"].data)).toBeLessThan(1e-4);
  await model.dispose();
});

test("it is made from a configuration, saved, and loaded again", async () => {
  const config = await AutoConfig.for_model("glu-encoder", { num_labels: 3 });
  const model = await AutoModelForTokenClassification.from_config(config, { seed: 1 });
  const { logits } = await model([[1, 2, 3]]);
  expect(logits).toBeInstanceOf(Tensor);
  expect(logits.dims).toEqual([1, 3, 3]);
  await model.dispose();
});

test("an error inside a module names where it is", async () => {
  const config = await AutoConfig.for_model("glu-encoder", { num_attention_heads: 4, num_key_value_heads: 3 });
  const model = await AutoModel.from_config(config, { seed: 1 });
  await expect(model([[1, 2, 3]])).rejects.toThrow("layers.0.attention: attention of 4 heads");
  await model.dispose();
});

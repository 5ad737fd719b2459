import { describe, expect, test } from "vitest";
import {
  cat,
  cos_sim,
  dot,
  full,
  full_like,
  interpolate_4d,
  layer_norm,
  log_softmax,
  mean_pooling,
  ones,
  ones_like,
  quantize_embeddings,
  rand,
  randn,
  random,
  rfft,
  softmax,
  stack,
  Tensor,
  tensor,
  topk,
  zeros,
  zeros_like,
} from "../../lib/tensor/index.js";
import { fixture } from "./stored.js";

// Values without a stated source are transformers.js 4.3.1's.

test("full, ones and zeros have the type of their value", () => {
  expect(full([2], 1.5)).toEqual(new Tensor("float32", [1.5, 1.5], [2]));
  expect(full_like(tensor([1, 2]), 123n)).toEqual(new Tensor("int64", [123, 123], [2]));
  expect(full([1], true)).toEqual(new Tensor("bool", [1], [1]));
  expect(ones([2])).toEqual(ones_like(tensor([0.5, 1])));
  expect(zeros([1, 2])).toEqual(zeros_like(new Tensor("float32", [3, 4], [1, 2])));
  expect(() => full([2], "1" as never)).toThrow(/fill_value/);
});

describe("random is Python's", () => {
  test.each(
    fixture("random").seeds as {
      seed: string;
      random: number[];
      gauss: number[];
      shuffle: number[];
      choices: string[];
    }[],
  )("seed $seed", (expected) => {
    const draw = new random.Random(BigInt(expected.seed));
    expect(expected.random.map(() => draw.random())).toEqual(expected.random);
    const gauss = expected.gauss.map(() => draw.gauss(1, 2));
    gauss.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.gauss[i], 12);
    });
    const items = expected.shuffle.map((_, i) => i);
    draw.shuffle(items);
    expect(items).toEqual(expected.shuffle);
    expect(expected.choices.map(() => draw.choices(["a", "b", "c"], [3, 1, 0.5]))).toEqual(expected.choices);
  });

  test("rand and randn repeat after random.seed", () => {
    random.seed(42);
    const [a, b] = [rand([2, 2]), randn([3])];
    random.seed(42);
    expect([rand([2, 2]), randn([3])]).toEqual([a, b]);
    expect(a.data[0]).toBe(Math.fround(0.6394267984578837));
    expect(() => random.seed(1.5)).toThrow(/an integer for seed/);
  });
});

test("quantize_embeddings packs signs into bytes", () => {
  const t = new Tensor("float32", [1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1], [2, 8]);
  expect(quantize_embeddings(t, "binary")).toEqual(new Tensor("int8", [51, -77], [2, 1]));
  expect(quantize_embeddings(t, "ubinary")).toEqual(new Tensor("uint8", [179, 51], [2, 1]));
  expect(() => quantize_embeddings(tensor([[1, 2]]), "binary")).toThrow("multiple of 8, but it is 2");
  expect(() => quantize_embeddings(t, "int8" as never)).toThrow(/for precision/);
});

test("the Matryoshka recipe works as written for transformers.js", () => {
  const t = new Tensor(
    "float32",
    Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
    [2, 16],
  );
  const short = layer_norm(t, [t.dims[1]]).slice(null, [0, 8]).normalize(2, -1);
  expect(short.dims).toEqual([2, 8]);
  for (const row of short) expect(dot(row, row)).toBeCloseTo(1, 6);
});

test("softmax and log_softmax give arrays for arrays, tensors for tensors", () => {
  const expected = [0.09003057317038046, 0.24472847105479764, 0.6652409557748218];
  expect(softmax([1, 2, 3])).toEqual(expected);
  expect(softmax(Float32Array.of(1, 2, 3))).toEqual(Float32Array.from(expected));
  expect(softmax(tensor([[1, 2, 3]])).dims).toEqual([1, 3]);
  log_softmax([1, 2, 3]).forEach((value, i) => {
    expect(value).toBeCloseTo(Math.log(expected[i]), 12);
  });
});

test("dot and cos_sim take arrays and tensors", () => {
  expect(dot([1, 2], Float32Array.of(3, 4))).toBe(11);
  expect(cos_sim([1, 2], tensor([2, 3]))).toBeCloseTo(0.9922778767136677, 12);
  expect(() => dot([1], [1, 2])).toThrow("1 and 2 elements");
});

test("cat and stack say which shapes do not fit", () => {
  expect(() => cat([])).toThrow(/at least one Tensor/);
  expect(() => cat([tensor([[1, 2]]), tensor([[1, 2, 3]])])).toThrow(/\[1, 2\] and \[1, 3\]/);
  expect(() => stack([tensor([1]), tensor([1, 2])])).toThrow(/differ/);
});

test("mean_pooling of rows without tokens gives zeros, and says which shapes do not fit", () => {
  const states = new Tensor("float32", [1, 2, 3, 4], [1, 2, 2]);
  expect(mean_pooling(states, [[0, 0]]).tolist()).toEqual([[0, 0]]);
  expect(() => mean_pooling(states, [[1, 1, 1]])).toThrow(/\[1, 3\] does not fit hidden states \[1, 2, 2\]/);
  expect(() => mean_pooling(tensor([1]), [[1]])).toThrow(/Expected 3 dimensions/);
});

test("layer_norm, interpolate_4d and rfft check their arguments", async () => {
  expect(() => layer_norm(tensor([[1, 2]]), [3])).toThrow(/\[3\] is not the end of the shape \[1, 2\]/);
  const image = new Tensor("float32", [1, 2, 3, 4], [1, 1, 1, 4]);
  await expect(interpolate_4d(image, { size: [1, 2], mode: "lanczos" as never })).rejects.toThrow(/for mode/);
  await expect(interpolate_4d(image, { size: [3, 1, 2] })).rejects.toThrow("Only height and width can change");
  await expect(interpolate_4d(image, { size: [0, 2] })).rejects.toThrow(/two sizes/);
  await expect(rfft(tensor([1, 2]), 3)).rejects.toThrow(/for dim/);
});

test("interpolate_4d in mode nearest takes the lower neighbour of two as near, as onnxruntime", async () => {
  const image = new Tensor("float32", [1, 2, 3, 4], [1, 1, 1, 4]);
  expect((await interpolate_4d(image, { size: [1, 2], mode: "nearest" })).tolist()).toEqual([[[[1, 3]]]]);
});

test("topk takes the first of equals, all without k, and many as few", async () => {
  const t = tensor([
    [1, 5, 3],
    [5, 2, 9],
  ]);
  const [values, indices] = await topk(t);
  expect([values.tolist(), indices.tolist()]).toEqual([
    [
      [5, 3, 1],
      [9, 5, 2],
    ],
    [
      [1, 2, 0],
      [2, 0, 1],
    ],
  ]);
  expect((await topk(tensor([2, 2, 2]), 2))[1].tolist()).toEqual([0, 1]);
  const many = Float32Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000);
  const [sorted] = await topk(new Tensor("float32", many, [5000]), 4000);
  expect(sorted.data).toEqual(many.slice().sort().reverse().slice(0, 4000));
});

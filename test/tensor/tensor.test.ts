import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { is_tensor, Tensor, tensor } from "../../lib/tensor/index.js";
import { from_half, to_half } from "../../lib/tensor/types.js";
import { fixture, number, type Stored } from "./stored.js";

describe("A Tensor", () => {
  test("keeps a typed array of its type, and converts other arrays", () => {
    const data = Float32Array.of(1, 2);
    expect(new Tensor("float32", data, [2]).data).toBe(data);
    expect(new Tensor("int64", [1, 2n], [2]).data).toEqual(BigInt64Array.of(1n, 2n));
    expect(new Tensor("int64", Int32Array.of(1, 2), [2]).data).toEqual(BigInt64Array.of(1n, 2n));
    expect(new Tensor("bool", [true, false, 3], [3]).data).toEqual(Uint8Array.of(1, 0, 1));
    expect(new Tensor("float32", [1, 2]).dims).toEqual([2]);
  });

  test("can be made of anything that has type, dims and data", () => {
    const like = { type: "float32" as const, dims: [2], data: Float32Array.of(1, 2) };
    expect(is_tensor(like)).toBe(true);
    expect(new Tensor(like).data).toBe(like.data);
    expect(tensor([1, 1]).add(like).tolist()).toEqual([2, 3]);
  });

  test("survives structuredClone as something that is taken for a tensor", () => {
    const copy = structuredClone(tensor([[1, 2]]));
    expect(
      tensor([[1, 2]])
        .eq(copy)
        .tolist(),
    ).toEqual([[1, 1]]);
  });

  test("says what is wrong with its arguments", () => {
    expect(() => new Tensor("float31" as never, [1])).toThrow(/one of float32, .* for type but received 'float31'/);
    expect(() => new Tensor("float32", [1, 2, 3], [2, 2])).toThrow("3 elements do not fill the shape [2, 2]");
    expect(() => new Tensor("float32", 3 as never)).toThrow(/an array for data/);
    expect(() => new Tensor("float32", [1], [1.5])).toThrow(/dims/);
    expect(() => new Tensor("float32", ["a"] as never)).toThrow(/numbers/);
  });

  test("has transformers.js's and Python's names for its properties", () => {
    const t = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([t.dims, t.shape, t.stride()]).toEqual([
      [2, 3],
      [2, 3],
      [3, 1],
    ]);
    expect([t.type, t.dtype, t.location]).toEqual(["int64", "int64", "cpu"]);
    expect([t.size, t.numel(), t.ndim, t.length]).toEqual([6, 6, 2, 2]);
  });
});

describe("Elements", () => {
  test("of int64 are numbers where numbers are exact, else bigints", () => {
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).tolist(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(new Tensor("int64", [2n ** 60n]).item()).toBe(2n ** 60n);
    expect(new Tensor("int64", [7n], []).item()).toBe(7);
    expect(new Tensor("uint64", [2n ** 53n - 1n]).tolist()).toEqual([2 ** 53 - 1]);
  });

  test("of float16 are numbers, not their bits", () => {
    const t = new Tensor("float16", [1.5, -2], [2]);
    expect(t.tolist()).toEqual([1.5, -2]);
    expect(
      t
        .mul(2)
        .map((x: number) => x + 1)
        .tolist(),
    ).toEqual([4, -3]);
    expect([...t]).toEqual([1.5, -2]);
  });

  test("need a tensor of one element for item()", () => {
    expect(() => tensor([1, 2]).item()).toThrow("a Tensor with 2 elements cannot be converted to Scalar");
  });

  test("nest by the dimensions, also without elements", () => {
    expect(new Tensor("float32", [], [2, 0]).tolist()).toEqual([[], []]);
    expect(new Tensor("float32", [1], [1, 1, 1]).tolist()).toEqual([[[1]]]);
    expect(new Tensor("float32", [42], []).tolist()).toBe(42);
  });
});

describe("Indexing", () => {
  const t = () =>
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);

  test("gives views without the first dimension", () => {
    const whole = t();
    expect(whole[1].tolist()).toEqual([4, 5, 6]);
    expect(whole[-1][-2].item()).toBe(5);
    whole[0].mul_(10);
    expect(whole.tolist()).toEqual([
      [10, 20, 30],
      [4, 5, 6],
    ]);
  });

  test("can be assigned to, with numbers and tensors that broadcast", () => {
    const whole = t();
    whole[0] = 7 as never;
    whole[1] = tensor([9, 8, 7]);
    whole[1][2] = -1 as never;
    expect(whole.tolist()).toEqual([
      [7, 7, 7],
      [9, 8, -1],
    ]);
    expect(() => {
      whole[0] = tensor([1, 2]);
    }).toThrow(/\[3\] and \[2\]/);
  });

  test("outside the tensor throws", () => {
    expect(() => t()[2]).toThrow("Index 2 is out of bounds for dimension 0 with size 2");
    expect(() => t()[0][0][0]).toThrow("cannot be indexed");
    expect((t() as unknown as Record<string, unknown>)["1.5"]).toBeUndefined();
  });

  test("by iteration gives the rows, or numbers", () => {
    expect([...t()].map((row) => row.tolist())).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([...t()[0]]).toEqual([1, 2, 3]);
    expect(() => [...tensor(1)]).toThrow(/cannot be iterated/);
  });

  test("leaves promises and other protocols alone", async () => {
    const whole = t();
    expect(await whole).toBe(whole);
    expect(Object.keys(whole)).toEqual(["type", "data", "dims"]);
    expect(whole instanceof Tensor && whole instanceof Object).toBe(true);
  });

  test("along any dimension is unbind", () => {
    expect(
      t()
        .unbind()
        .map((row) => row.tolist()),
    ).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(
      t()
        .unbind(-1)
        .map((row) => row.tolist()),
    ).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
  });
});

describe("Methods in place", () => {
  test.each([
    ["add", [2]],
    ["sub", [2]],
    ["mul", [0.5]],
    ["div", [4]],
    ["remainder", [2]],
    ["neg", []],
    ["sigmoid", []],
    ["clamp", [-1, 1]],
    ["round", []],
    ["normalize", [2, -1]],
    ["squeeze", []],
    ["unsqueeze", [0]],
    ["flatten", []],
    ["map", [(x: number) => x * 3]],
  ] as [string, unknown[]][])("%s_ does in place what %s does", (name, args) => {
    const call = (target: Tensor, method: string) =>
      (target as unknown as Record<string, (...args: unknown[]) => Tensor>)[method](...args);
    const original = tensor([[0.5, -3.25, 7]]);
    const copy = original.clone();
    const changed = call(copy, `${name}_`);
    expect(changed).toBe(copy);
    expect(copy.dims).toEqual(call(original, name).dims);
    expect(copy.tolist()).toEqual(call(original, name).tolist());
  });

  test("keep the type: integers are truncated", () => {
    expect(tensor([3, -3]).mul_(0.5).data).toEqual(BigInt64Array.of(1n, -1n));
  });

  test("may read from the memory they write", () => {
    const t = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(t.sub_(t[0]).tolist()).toEqual([
      [0, 0],
      [2, 2],
    ]);
  });

  test("refuse operands that would make the tensor larger", () => {
    expect(() => tensor([1, 2]).add_(tensor([[1], [2]]))).toThrow("Shape [2, 1] does not broadcast into [2]");
  });
});

describe("Wrong shapes and operands", () => {
  const t = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  test.each([
    ["add", () => t.add(tensor([1, 2])), /\[2, 3\] and \[2\]/],
    ["add of text", () => t.add("1" as never), /a number or a Tensor for the operand/],
    ["matmul", () => t.matmul(t), /\[2, 3\] and \[2, 3\] do not multiply: 3 against 2/],
    ["view", () => t.view(4, -1), /\[4, -1\] is invalid for a tensor of 6 elements/],
    ["view twice inferred", () => t.view(-1, -1), /Only one dimension can be inferred/],
    ["permute", () => t.permute(0, 0), /each of the 2 dimensions once/],
    ["sum", () => t.sum(2), /from -2 to 1/],
    ["slice", () => t.slice(5), /Index 5 is out of bounds for dimension 0 with size 2/],
    ["slice of text", () => t.slice("a" as never), /an index, \[start, end\] or null/],
    ["expand", () => t.expand(2, 4), /\[2, 3\] does not expand to \[2, 4\]/],
    ["repeat", () => t.repeat(2), /cannot be smaller/],
    ["remainder by zero", () => t.remainder(0), /Division by zero/],
    ["remainder of uint8", () => new Tensor("uint8", [1]).remainder(-2), /Negative divisors/],
    ["max of nothing", () => new Tensor("float32", [], [0]).max(), /max of no elements/],
    ["to", () => t.to("bfloat15" as never), /for type/],
    ["tensor", () => tensor([[1, 2], [3]]), /ragged/],
    ["tensor of text", () => tensor(["1"] as never), /nested arrays of numbers/],
  ])("%s: the message names both sides", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

test("tensor() takes nested numbers as torch.tensor does", () => {
  expect(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  ).toEqual(new Tensor("int64", [1, 2, 3, 4], [2, 2]));
  expect(tensor([0.5, 1]).type).toBe("float32");
  expect(tensor([true, false]).type).toBe("bool");
  expect(tensor([]).type).toBe("float32");
  expect(tensor(3).dims).toEqual([]);
  expect(tensor([[1, 2]], { dtype: "float16" }).tolist()).toEqual([[1, 2]]);
});

test("round takes halves upwards, as in transformers.js", () => {
  expect(tensor([0.1, 1.4, 2.5, 3.9, -1.2]).round().tolist()).toEqual([0, 1, 3, 4, -1]);
});

test("64-bit integers keep their digits in shape operations, max and min", () => {
  const t = new Tensor("int64", [2n ** 62n + 1n, 1n, -(2n ** 62n), 5n], [2, 2]);
  expect(t.permute(1, 0).data).toEqual(BigInt64Array.of(2n ** 62n + 1n, -(2n ** 62n), 1n, 5n));
  expect(t.max().item()).toBe(2n ** 62n + 1n);
  expect(t.to("uint64").data[2]).toBe(3n * 2n ** 62n);
});

describe("Printing", () => {
  const printed_rows: (Stored & { name: string; text: string; range?: number })[] = fixture("printed").printed;
  test.each(printed_rows)("$name: as torch, with shape and type", ({ type, dims, text, range, values: given }) => {
    const size = dims.reduce((a, b) => a * b, 1);
    const values = given ?? Array.from({ length: size }, (_, i) => Math.fround(i / (range ?? 1)));
    const t = new Tensor(type, values.map(number), dims);
    const printed = String(t);
    const tail = `, shape=[${dims.join(", ")}], dtype=${type})`;
    expect(printed.slice(-tail.length)).toBe(tail);
    expect(printed.slice(0, -tail.length)).toBe(text.slice(0, -")".length));
    expect(inspect(t)).toBe(printed);
  });

  test("of booleans and of large tensors stays short", () => {
    expect(String(tensor([true, false]))).toBe("tensor([ true, false], shape=[2], dtype=bool)");
    expect(String(new Tensor("float32", new Float32Array(1e6), [10, 100, 1000])).length).toBeLessThan(10_000);
    expect(`${tensor(1)}`).toBe("tensor(1, shape=[], dtype=int64)");
  });
});

test("float16 rounds as torch does", () => {
  for (const { value, bits } of fixture("halves").halves) {
    expect(to_half(number(value)), value).toBe(bits);
    expect(to_half(from_half(bits)), value).toBe(bits);
  }
});

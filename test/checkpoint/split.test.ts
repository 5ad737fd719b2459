import { describe, expect, it } from "vitest";
import { parse_size, split_into_shards } from "../../lib/checkpoint/split.js";

describe("Sizes", () => {
  it("are bytes, or a number with a unit", () => {
    expect(["5GB", "200MB", "1.5 KB", " 2tb ", "1GiB", ".5KiB"].map((size) => parse_size(size))).toEqual([
      5e9,
      200e6,
      1500,
      2e12,
      2 ** 30,
      512,
    ]);
    expect(parse_size(1234)).toBe(1234);
  });

  it("of another form are refused", () => {
    for (const size of ["5", "GB", "5XB", "-5GB", "5 G B", "", -1, 1.5, Number.NaN, null]) {
      expect(() => parse_size(size as string), String(size)).toThrow(TypeError);
    }
  });
});

// The example of huggingface_hub's split_state_dict_into_shards_factory.
it("Shards are filled in order, and a tensor larger than the limit gets its own", () => {
  const sizes = new Map([6, 6, 2, 6, 2, 2].map((size, i) => [String(i), size]));
  expect(split_into_shards(sizes, 10)).toEqual([["0"], ["1", "2"], ["3", "4", "5"]]);
  expect(split_into_shards(sizes, 5)).toEqual([["0"], ["1"], ["3"], ["2", "4"], ["5"]]);
  expect(split_into_shards(new Map(), 5)).toEqual([[]]);
});

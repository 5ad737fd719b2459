// What tracing refuses, and what it makes shorter.
import { describe, expect, test } from "vitest";
import { Block, bind, cat, Linear, linear, type Sym, Trace } from "../../lib/nn/index.js";

/** The program of what `compute` does to x [3, 4], y [4], ids [2] (integers) and weights [5, 4]. */
function trace(compute: (inputs: { x: Sym; y: Sym; ids: Sym; weight: Sym }) => Sym) {
  const one = new Trace();
  one.run(() => {
    const inputs = {
      x: one.input("x", [3, 4], "f32"),
      y: one.input("y", [4], "f32"),
      ids: one.input("ids", [2], "i32"),
      weight: one.parameter({ name: "weight", shape: [5, 4], init: "zeros" }),
    };
    one.output("result", compute(inputs));
  });
  return one.program();
}

const operations = (compute: Parameters<typeof trace>[0]) =>
  trace(compute)
    .nodes.map(({ op }) => op)
    .filter((op) => op !== "input" && op !== "parameter");

describe("shapes and types that do not fit are errors while tracing", () => {
  test.each<[string, (inputs: { x: Sym; y: Sym; ids: Sym; weight: Sym }) => Sym, string]>([
    ["add", ({ x, weight }) => x.add(weight), "add of shapes [3, 4] and [5, 4]"],
    ["matmul", ({ x, weight }) => x.matmul(weight), "matmul of shapes [3, 4] and [5, 4]"],
    [
      "linear",
      ({ y, weight }) => linear(y.narrow(0, 0, 2), weight),
      "linear of shape [2] with a weight of shape [5, 4]",
    ],
    ["reshape", ({ x }) => x.reshape(5, -1), "reshape of [3, 4] to [5, -1]"],
    ["permute", ({ x }) => x.permute(0, 0), "permute(0,0) of shape [3, 4]"],
    ["narrow", ({ x }) => x.narrow(1, 2, 3), "narrow(1, 2, 3) of shape [3, 4]"],
    ["chunk", ({ x }) => x.chunk(3, 1)[0], "narrow(1, 0, 1.3333333333333333) of shape [3, 4]"],
    ["expand", ({ x }) => x.expand(2, 4), "expand of [3, 4] to [2, 4]"],
    ["cat", ({ x, y }) => cat([x, y]), "cat of shapes [3, 4] and [4] along axis 0"],
    ["an axis", ({ x }) => x.sum(2), "sum: axis 2 of a tensor of shape [3, 4]"],
    ["arithmetic on ids", ({ ids }) => ids.add(1), "scale of integers"],
    ["rows by floats", ({ x, y }) => x.index_select(y), "index_select of f32 by indices of f32"],
    ["rows of ids", ({ ids }) => ids.index_select(ids), "index_select of i32 by indices of i32"],
  ])("%s", (_, compute, message) => {
    expect(() => trace(compute)).toThrow(message);
  });

  test("an error inside a module names it", () => {
    class Inner extends Block {
      dense = new Linear(7, 7);
      override forward(x: Sym): Sym {
        return this.dense.forward(x);
      }
    }
    class Outer extends Block {
      layer = [new Inner(this.config)];
      override forward(x: Sym): Sym {
        return this.layer[0].forward(x);
      }
    }
    const root = { encoder: new Outer({} as never) };
    bind(root);
    expect(() => trace(({ x }) => root.encoder.forward(x))).toThrow("encoder.layer.0.dense: linear of shape [3, 4]");
  });

  test("symbols are of no use outside of a trace", () => {
    expect(() => Trace.current).toThrow("inside a model's compute() only");
  });
});

describe("programs become shorter", () => {
  test("an activation and a sum go into the linear layer before them", () => {
    expect(operations(({ x, weight }) => linear(x, weight).activation("gelu").add(linear(x, weight)))).toEqual([
      "linear",
      "linear",
    ]);
  });

  test("a layer whose result is read twice stays by itself", () => {
    const twice = ({ x, weight }: { x: Sym; weight: Sym }) => {
      const states = linear(x, weight);
      return states.add(states.activation("gelu"));
    };
    expect(operations(twice)).toEqual(["linear", "activation", "add"]);
  });

  test("an activation of a sum comes after the sum", () => {
    const after = ({ x, weight }: { x: Sym; weight: Sym }) =>
      linear(x, weight).add(linear(x, weight).activation("tanh").exp()).activation("relu");
    expect(operations(after)).toEqual(["linear", "exp", "linear", "activation"]);
  });

  test("what nobody reads is left out", () => {
    const unread = ({ x, y }: { x: Sym; y: Sym }) => {
      x.exp();
      return x.mul(y);
    };
    expect(operations(unread)).toEqual(["mul"]);
  });
});

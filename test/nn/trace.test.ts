// What tracing refuses, and what it makes shorter.
import { describe, expect, test } from "vitest";
import {
  avg_pool2d,
  BatchNorm2d,
  Block,
  bind,
  Conv2d,
  cat,
  conv1d,
  conv2d,
  group_norm,
  interpolate,
  Linear,
  linear,
  max_pool2d,
  pad,
  type Sym,
  scaled_dot_product_attention,
  Trace,
} from "../../lib/nn/index.js";

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

  /** x as an image [1, 3, 2, 2]. */
  const image = (x: Sym) => x.reshape(1, 3, 2, 2);
  const kernel = (weight: Sym, ...shape: number[]) => weight.narrow(0, 0, 3).reshape(...shape);
  test.each<[string, (x: Sym, weight: Sym) => Sym, string]>([
    [
      "conv2d of other channels",
      (x, weight) => conv2d(image(x), kernel(weight, 3, 4, 1, 1)),
      "conv2d of shape [1, 3, 2, 2] with a weight of shape [3, 4, 1, 1] in 1 groups: expected 4 channels",
    ],
    [
      "conv2d of a sequence",
      (x, weight) => conv2d(x.reshape(1, 3, 4), kernel(weight, 3, 4, 1, 1)),
      "conv2d of shape [1, 3, 4] with a weight of shape [3, 4, 1, 1]: expected 4 axes",
    ],
    [
      "a kernel that is too large",
      (x, weight) => conv2d(image(x), kernel(weight, 1, 3, 1, 4), undefined, { padding: [1, 0] }),
      "the kernel is larger than the input, padding [1,1,0,0] included",
    ],
    [
      "stride with padding 'same'",
      (x, weight) => conv2d(image(x), kernel(weight, 2, 3, 1, 2), undefined, { padding: "same", stride: 2 }),
      "conv2d: padding 'same' is not supported for strided convolutions",
    ],
    [
      "a stride of three sizes",
      (x, weight) => conv2d(image(x), kernel(weight, 2, 3, 1, 2), undefined, { stride: [1, 1, 1] }),
      "conv2d: stride of [1, 1, 1]: expected 2 sizes",
    ],
    [
      "conv1d with another bias",
      (x, weight) => conv1d(x.reshape(1, 3, 4), kernel(weight, 2, 3, 2), weight.narrow(0, 0, 1).flatten()),
      "conv1d with 2 outputs and a bias of shape [4]",
    ],
    ["group_norm", (x) => group_norm(image(x), 2), "group_norm of shape [1, 3, 2, 2] in 2 groups"],
    ["a pool that is too large", (x) => max_pool2d(image(x), 3), "the kernel [3,3] is larger than the input"],
    [
      "a pool with much padding",
      (x) => avg_pool2d(image(x), 2, { padding: 2 }),
      "padding at most half the kernel; not 2, 2, 1, 2",
    ],
    ["interpolate by nothing", (x) => interpolate(image(x), {}), "expected either size or scale_factor"],
    [
      "interpolate in a mode of other axes",
      (x) => interpolate(image(x), { size: 2, mode: "linear" }),
      'interpolate of shape [1, 3, 2, 2]: there is no mode "linear" for 4 axes',
    ],
    ["reflect", (x) => pad(image(x), [2, 0], "reflect"), "axis 3 has 2 elements only"],
    [
      "padding that leaves nothing",
      (x) => pad(x, [-2, -2]),
      'pad([-2, -2], "constant") of shape [3, 4]: nothing is left',
    ],
    [
      "attention of other sizes",
      (x) => scaled_dot_product_attention(image(x), image(x).narrow(3, 0, 1), image(x)),
      "scaled_dot_product_attention of q [1, 3, 2, 2], k [1, 3, 2, 1], v [1, 3, 2, 2]: expected [batch, heads, length, size]",
    ],
    [
      "a mask of another shape",
      (x, weight) => scaled_dot_product_attention(image(x), image(x), image(x), { mask: weight.narrow(1, 0, 2) }),
      "attention mask of shapes [5, 2] and [1, 3, 2, 2]",
    ],
    ["split", (x) => x.split([1, 2], 1)[0], "split([1, 2], 1) of shape [3, 4]"],
    ["take", (x) => x.take(0, [0, 3]), "take(0, [0, 3]) of shape [3, 4]"],
    ["clamp", (x) => x.clamp(2, 1), "clamp to 2 … 1"],
  ])("%s", (_, compute, message) => {
    expect(() => trace(({ x, weight }) => compute(x, weight))).toThrow(message);
  });

  test("an error inside a convolution names it", () => {
    const root = { convolution: [new Conv2d(4, 5, 3)] };
    bind(root);
    expect(() => trace(({ x }) => root.convolution[0].forward(image(x)))).toThrow(
      "convolution.0: conv2d of shape [1, 3, 2, 2] with a weight of shape [5, 4, 3, 3]",
    );
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

  test("an activation of a sum goes into the layer too, after the sum", () => {
    const after = ({ x, weight }: { x: Sym; weight: Sym }) =>
      linear(x, weight).add(linear(x, weight).activation("tanh").exp()).activation("relu");
    expect(operations(after)).toEqual(["linear", "exp", "linear"]);
    expect(trace(after).nodes.at(-1)?.attributes).toMatchObject({ activation: "relu", residual_first: true });
  });

  test("a convolution takes in batch norm, sum and activation", () => {
    const [convolution, norm] = [new Conv2d(3, 3, 1, { bias: false }), new BatchNorm2d(3)];
    bind({ convolution, norm });
    const block = ({ x }: { x: Sym }) => {
      const image = x.reshape(1, 3, 2, 2);
      return norm.forward(convolution.forward(image)).add(image).relu();
    };
    const { nodes } = trace(block);
    expect(nodes.filter(({ op }) => op === "convolution").length).toBe(1);
    expect(nodes.at(-1)).toMatchObject({ op: "convolution", attributes: { activation: "relu", residual_first: true } });
  });

  test("a second activation stays by itself", () => {
    expect(operations(({ x, weight }) => linear(x, weight).tanh().relu())).toEqual(["linear", "activation"]);
  });

  test("before a head over few tokens only those are computed, but keys and values of all", () => {
    const layer = (x: Sym, weight: Sym, spans: Sym) => {
      const [q, k, v] = [1, 2, 3].map((factor) => linear(x, weight.narrow(0, 0, 4)).mul(factor));
      const attended = Trace.current.emit("attention", [q, k, v, spans], [3, 4], { heads: 1, kv_heads: 1, scale: 1 });
      return linear(attended, weight.narrow(0, 0, 4))
        .add(x)
        .activation("gelu");
    };
    const head = ({ x, ids, weight }: { x: Sym; ids: Sym; weight: Sym }) =>
      layer(x, weight, Trace.current.input("spans", [3, 3], "i32")).index_select(ids);
    const { nodes, outputs } = trace(head);
    const shapes = (op: string) => nodes.filter((node) => node.op === op).map(({ shape }) => shape);
    expect(shapes("integer_rows")).toEqual([[2, 3]]);
    expect(shapes("attention")).toEqual([[2, 4]]);
    expect(shapes("rows")).toEqual([[2, 4]]);
    expect(shapes("linear")).toEqual([
      [2, 4],
      [3, 4],
      [3, 4],
      [2, 4],
    ]);
    expect(nodes[outputs[0].node]).toMatchObject({ op: "linear", shape: [2, 4], attributes: { residual_first: true } });
  });

  test("a value that is read as a whole, too, is computed as a whole", () => {
    const both = ({ x, ids }: { x: Sym; ids: Sym }) => {
      const states = x.activation("gelu");
      return cat([states.index_select(ids), states]);
    };
    const { nodes } = trace(both);
    expect(nodes.filter(({ op }) => op === "activation").map(({ shape }) => shape)).toEqual([[3, 4]]);
  });

  test("what nobody reads is left out", () => {
    const unread = ({ x, y }: { x: Sym; y: Sym }) => {
      x.exp();
      return x.mul(y);
    };
    expect(operations(unread)).toEqual(["mul"]);
  });
});

// Programs that no trace writes: the engine refuses them with an error, whatever is wrong with them.
import { expect, test } from "vitest";
import { native } from "../../lib/native.js";

interface Node {
  op: string;
  inputs?: number[];
  shape: number[];
  dtype?: "f32" | "i32";
  attributes?: Record<string, unknown>;
}

/** Runs the nodes after x [2, 4], image [1, 8, 3, 3], ids [2] and weight [5, 4], kernel [6, 8, 2, 2], spans [2, 3]. */
async function run(...args: (Node | { ids: Int32Array })[]): Promise<unknown> {
  const nodes = args.filter((arg) => "op" in arg);
  const given = args.find((arg) => "ids" in arg);
  const state = new (native().StateDict)();
  state.set("weight", "F32", [5, 4], new Float32Array(20));
  state.set("kernel", "F32", [6, 8, 2, 2], new Float32Array(192));
  const engine = new (native().GraphEngine)({ state_dict: state, device: "CPU", n_threads: 1 });
  const leaf = (op: string, name: string, shape: number[], dtype?: "i32") => ({
    op,
    shape,
    dtype,
    attributes: { name },
  });
  const all: Node[] = [
    leaf("input", "x", [2, 4]),
    leaf("input", "image", [1, 8, 3, 3]),
    leaf("input", "ids", [2], "i32"),
    leaf("parameter", "weight", [5, 4]),
    leaf("parameter", "kernel", [6, 8, 2, 2]),
    leaf("input", "spans", [2, 3], "i32"),
    ...nodes,
  ];
  const program = {
    nodes: all.map((node) => ({
      inputs: [],
      dtype: "f32",
      attributes: {},
      ...node,
      ...(node.dtype ? {} : { dtype: "f32" }),
    })),
    outputs: [{ name: "result", node: all.length - 1 }],
  };
  try {
    const feeds = {
      x: new Float32Array(8),
      image: new Float32Array(72),
      ids: given?.ids ?? new Int32Array(2),
      spans: Int32Array.of(0, 2, 0, 0, 2, 1),
    };
    return (await engine.run(engine.add_program(JSON.stringify(program)), feeds)).outputs["result"];
  } finally {
    await engine.dispose();
  }
}

const [X, IMAGE, IDS, WEIGHT, KERNEL, SPANS] = [0, 1, 2, 3, 4, 5];
const convolution = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
const heads = { heads: 2, kv_heads: 2, scale: 1 };
const windows = { axis: 1, kind: "sum", indices: [0, 1, 2, 3], weights: [1, 1, 1, 1] };

test("well-formed ones run", async () => {
  await run({ op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: convolution });
  await run({ op: "attention", inputs: [X, X, X, SPANS], shape: [2, 4], attributes: heads });
  await run({ op: "windows", inputs: [X], shape: [2, 2], attributes: windows });
});

// Layers of one input are computed together.
test.each<Omit<Node, "op">>([
  { inputs: [X], shape: [2, 5] },
  { inputs: [X, WEIGHT], shape: [2, 4] },
  { inputs: [X, KERNEL], shape: [2, 6] },
  { inputs: [X, SPANS], shape: [2, 2] },
  { inputs: [X, WEIGHT, WEIGHT], shape: [2, 5], attributes: { bias: true } },
])("refused after a layer of the same input: linear of %j", async (node) => {
  const layer = { op: "linear", inputs: [X, WEIGHT], shape: [2, 5] };
  await expect(run(layer, { op: "linear", ...node })).rejects.toMatchObject({
    code: "invalid_program",
  });
});

test.each<Node>([
  { op: "add", inputs: [X], shape: [2, 4] },
  { op: "add", inputs: [X, X, X], shape: [2, 4] },
  { op: "add", inputs: [X, IDS], shape: [2, 4] },
  { op: "add", inputs: [X, WEIGHT], shape: [2, 4] },
  { op: "add", inputs: [X, X], shape: [2, 5] },
  { op: "exp", inputs: [X], shape: [8] },
  { op: "exp", inputs: [X], shape: [2, 4], dtype: "i32" },
  { op: "clamp", inputs: [X], shape: [2, 4], attributes: { min: 2, max: 1 } },
  { op: "softmax", inputs: [X], shape: [2, 1] },
  { op: "sum", inputs: [X], shape: [2, 4] },
  { op: "where", inputs: [X, X, WEIGHT], shape: [2, 4] },
  { op: "reshape", inputs: [X], shape: [9] },
  { op: "permute", inputs: [X], shape: [4, 2], attributes: { axes: [1, 1] } },
  { op: "permute", inputs: [X], shape: [4, 2], attributes: { axes: [1, 0, 2, 3, 4] } },
  { op: "permute", inputs: [X], shape: [4, 2], attributes: { axes: [1e30, 0] } },
  { op: "narrow", inputs: [X], shape: [2, 2], attributes: { axis: 1, start: 3 } },
  { op: "narrow", inputs: [X], shape: [2, 2], attributes: { axis: 1, start: -1 } },
  { op: "narrow", inputs: [X], shape: [2, 2], attributes: { axis: 2, start: 0 } },
  { op: "narrow", inputs: [X], shape: [2, 2], attributes: { axis: 0.5, start: 0 } },
  { op: "concat", inputs: [X, WEIGHT], shape: [7, 4], attributes: { axis: 1 } },
  { op: "concat", inputs: [X, WEIGHT], shape: [8, 4], attributes: { axis: 0 } },
  { op: "expand", inputs: [X], shape: [3, 4] },
  { op: "rows", inputs: [WEIGHT, X], shape: [2, 4, 4] },
  { op: "rows", inputs: [WEIGHT, IDS], shape: [3, 4] },
  { op: "linear", inputs: [X, WEIGHT], shape: [2, 4] },
  { op: "linear", inputs: [X, WEIGHT], shape: [2, 5], attributes: { bias: true } },
  { op: "linear", inputs: [X, WEIGHT, X], shape: [2, 5], attributes: { bias: true } },
  { op: "linear", inputs: [X, WEIGHT, X], shape: [2, 5], attributes: { residual: true } },
  { op: "linear", inputs: [X, WEIGHT], shape: [2, 5], attributes: { activation: "none" } },
  { op: "linear", inputs: [X, KERNEL], shape: [2, 6] },
  { op: "matmul", inputs: [X, WEIGHT], shape: [2, 4] },
  { op: "matmul", inputs: [X, X], shape: [2, 4] },
  { op: "layer_norm", inputs: [X, WEIGHT], shape: [2, 4], attributes: { eps: 0 } },
  { op: "group_norm", inputs: [IMAGE], shape: [1, 8, 3, 3], attributes: { eps: 0, groups: 3 } },
  { op: "group_norm", inputs: [IMAGE], shape: [1, 8, 3, 3], attributes: { eps: 0, groups: 0 } },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 3, 2], attributes: convolution },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: { ...convolution, stride: [0, 1] } },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: { ...convolution, stride: [1] } },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: { ...convolution, dilation: [3, 1] } },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: { ...convolution, groups: 0 } },
  { op: "convolution", inputs: [IMAGE, KERNEL], shape: [1, 6, 2, 2], attributes: { ...convolution, groups: 2 } },
  {
    op: "convolution",
    inputs: [IMAGE, KERNEL],
    shape: [1, 6, 2, 2],
    attributes: { ...convolution, padding: [0, 0, 0] },
  },
  {
    op: "convolution",
    inputs: [IMAGE, KERNEL],
    shape: [1, 6, 2, 2],
    attributes: { ...convolution, padding: [-1, 0, 0, 0] },
  },
  { op: "convolution", inputs: [IMAGE, IMAGE], shape: [1, 1, 1, 1], attributes: convolution },
  { op: "convolution", inputs: [IMAGE, WEIGHT], shape: [1, 6, 2, 2], attributes: convolution },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, axis: 2 } },
  { op: "windows", inputs: [X], shape: [3, 2], attributes: windows },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, kind: "copy" } },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, kind: "least" } },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, indices: [0, 1, 2, 4] } },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, indices: [0, 1, 2] } },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, indices: [] } },
  { op: "windows", inputs: [X], shape: [2, 2], attributes: { ...windows, weights: [1] } },
  { op: "attention", inputs: [X, X, X, SPANS], shape: [2, 4], attributes: { ...heads, heads: 3 } },
  { op: "attention", inputs: [X, X, X, SPANS], shape: [2, 4], attributes: { ...heads, heads: 0, kv_heads: 0 } },
  { op: "attention", inputs: [X, WEIGHT, X, SPANS], shape: [2, 4], attributes: heads },
  { op: "attention", inputs: [X, X, X, IDS], shape: [2, 4], attributes: heads },
  { op: "attention", inputs: [X, X, X, SPANS], shape: [2, 5], attributes: heads },
  { op: "attention_weights", inputs: [X, X, SPANS], shape: [3, 2, 2], attributes: heads },
  { op: "cache_store", inputs: [X, WEIGHT], shape: [1], attributes: { layer: 0, cache: "tokens" } },
  { op: "cache_store", inputs: [X, X], shape: [1], attributes: { layer: -1, cache: "tokens" } },
  { op: "cached_attention", inputs: [X, X, SPANS], shape: [2, 4], attributes: heads },
  { op: "scaled_dot_product_attention", inputs: [X, X, X], shape: [2, 4], attributes: { scale: 1 } },
  { op: "scaled_dot_product_attention", inputs: [IMAGE, IMAGE, KERNEL], shape: [1, 8, 3, 2], attributes: { scale: 1 } },
  {
    op: "scaled_dot_product_attention",
    inputs: [IMAGE, IMAGE, IMAGE, KERNEL],
    shape: [1, 8, 3, 3],
    attributes: { scale: 1 },
  },
  { op: "nothing", shape: [1] },
  { op: "cache_stored", shape: [1], attributes: { layer: 0, key_size: 4, value_size: 4, cache: "tokens" } },
])("$op $inputs $shape $attributes", async (node) => {
  await expect(run(node)).rejects.toMatchObject({ code: "invalid_program" });
});

test("rows that a table has not are errors, whether a call or the program names them", async () => {
  const rows = { op: "rows", inputs: [WEIGHT, IDS], shape: [2, 4] };
  const constant = (...values: number[]): Node => ({
    op: "constant",
    shape: [2],
    dtype: "i32",
    attributes: { values },
  });
  await expect(run(constant(0, 5), { ...rows, inputs: [WEIGHT, 6] })).rejects.toMatchObject({
    code: "invalid_program",
  });
  await run(constant(0, 4), { ...rows, inputs: [WEIGHT, 6] });
  await run(rows);
  await expect(run({ ids: Int32Array.of(1, 5) }, rows)).rejects.toThrow(
    "the input ids has the value 5: expected 0 to 4",
  );
  await expect(run({ ids: Int32Array.of(-1, 0) }, rows)).rejects.toMatchObject({ code: "invalid_input" });
});

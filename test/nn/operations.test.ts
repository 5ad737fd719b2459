// The operations of lib/nn on the engine, against torch: test/fixtures/nn, made by scripts/fixtures/nn_operations.py.
import { expect, test } from "vitest";
import { native } from "../../lib/native.js";
import {
  activation,
  adaptive_avg_pool1d,
  adaptive_avg_pool2d,
  avg_pool1d,
  avg_pool2d,
  BatchNorm1d,
  BatchNorm2d,
  cat,
  conv_transpose1d,
  conv_transpose2d,
  conv1d,
  conv2d,
  elu,
  GroupNorm,
  hardswish,
  InstanceNorm,
  interpolate,
  LayerNorm,
  leaky_relu,
  linear,
  max_pool1d,
  max_pool2d,
  type Parameter,
  pad,
  RMSNorm,
  relu6,
  type Sym,
  scaled_dot_product_attention,
  scaled_dot_product_weights,
  softplus,
  stack,
  Trace,
  weight_normed,
  where,
} from "../../lib/nn/index.js";
import { read_tensors, relative_error } from "../fixtures.js";

const fixture = read_tensors("nn", "operations.safetensors");

/** What the engine makes of a case's inputs. Those from the number `parameters` on are tensors of a checkpoint. */
async function run(name: string, compute: (...inputs: Sym[]) => Sym, parameters = 9) {
  const state = new (native().StateDict)();
  const feeds: Record<string, Float32Array> = {};
  const trace = new Trace();
  let shape: readonly number[] = [];
  trace.run(() => {
    const inputs: Sym[] = [];
    for (let i = 0; fixture[`${name}.${i}`]; i++) {
      const { data, shape } = fixture[`${name}.${i}`];
      if (i < parameters) {
        feeds[`${i}`] = data;
        inputs.push(trace.input(`${i}`, shape, "f32"));
      } else {
        state.set(`${i}`, "F32", shape, data);
        inputs.push(trace.parameter({ name: `${i}`, shape, init: "zeros" }));
      }
    }
    const result = compute(...inputs);
    trace.output("result", result);
    shape = result.shape;
  });
  const engine = new (native().GraphEngine)({ state_dict: state, device: "CPU", n_threads: 2 });
  const { outputs } = await engine.run(engine.add_program(JSON.stringify(trace.program())), feeds);
  await engine.dispose();
  return { data: outputs["result"], shape };
}

/** A norm whose tensors are inputs of the case, from number `first` on. */
function norm(layer: LayerNorm | RMSNorm | GroupNorm | BatchNorm2d, first = 1): (x: Sym) => Sym {
  const names = ["weight", "bias", "running_mean", "running_var"] as const;
  const tensors = layer as Partial<Record<(typeof names)[number], Parameter>>;
  for (const [i, name] of names.entries()) if (tensors[name]) tensors[name].name = `${first + i}`;
  return (x) => layer.forward(x);
}

const CASES: Record<string, (...inputs: Sym[]) => Sym> = {
  exp: (x) => x.exp(),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  erf: (x) => x.erf(),
  abs: (x) => x.abs(),
  square: (x) => x.square(),
  log: (x) => x.abs().add(0.1).log(),
  sqrt: (x) => x.abs().sqrt(),
  clamp: (x) => x.clamp(-0.5, 1.25),
  numbers: (x) => x.add(2).mul(3).div(7).sub(0.25),
  softmax: (x) => x.softmax(),
  permute: (x) => x.permute(2, 0, 1),
  transpose: (x) => x.transpose(0, 2),
  "reshape of a permuted": (x) => x.permute(1, 2, 0).reshape(4, -1),
  flatten: (x) => x.flatten(1),
  "unsqueeze and squeeze": (x) => x.unsqueeze(1).transpose(0, 1).squeeze(0),
  narrow: (x) => x.narrow(1, 1, 2),
  "narrow of the last axis": (x) => x.narrow(-1, 2, 2),
  select: (x) => x.select(1, -1),
  chunk: (x) => x.chunk(2, 1)[1],
  expand: (x) => x.narrow(1, 0, 1).expand(-1, 3, -1),
  "sum over 0": (x) => x.sum(0),
  "sum over 1": (x) => x.sum(1, true),
  "sum over 2": (x) => x.sum(2),
  "mean over 0": (x) => x.mean(0, true),
  "mean over 2": (x) => x.mean(2),
  "cumsum over 0": (x) => x.cumsum(0),
  "cumsum over 2": (x) => x.cumsum(2),
  "arithmetic on a permuted": (x) => x.permute(2, 1, 0).mul(x.permute(2, 1, 0).sum(-1, true)),
  "narrow of a permuted": (x) => x.permute(2, 0, 1).narrow(0, 1, 3).narrow(2, 1, 2),
  "reshape of a part of a permuted": (x) => x.permute(0, 2, 1).narrow(1, 1, 3).reshape(3, 12),
  "merge of axes that lie together": (x) => x.permute(2, 0, 1).flatten(1).transpose(0, 1),
  "sum of two orders": (x) => x.permute(2, 0, 1).add(x.reshape(6, 3, 4)),
  "exp of a part": (x) => x.transpose(0, 2).narrow(0, 1, 2).exp(),
  "softmax over 0": (x) => x.softmax(0),
  "log_softmax over 1": (x) => x.log_softmax(1),
  log_softmax: (x) => x.log_softmax(),
  "amax over 0": (x) => x.amax(0),
  "amax over 2": (x) => x.amax(2, true),
  "amin over 1": (x) => x.amin(1),
  pow: (x) => x.abs().pow(1.7),
  rsqrt: (x) => x.abs().add(0.1).rsqrt(),
  reciprocal: (x) => x.abs().add(0.1).reciprocal(),
  expm1: (x) => x.expm1(),
  log1p: (x) => x.abs().log1p(),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
  "maximum and minimum of a number": (x) => x.maximum(0.25).minimum(1),
  split: (x) => cat(x.split([1, 3, 2], -1).reverse(), -1),
  "split by one length": (x) => x.split(4, 2)[1],
  stack: (x) => stack([x, x.mul(2)], 1),
  flip: (x) => x.flip(0, 2),
  roll: (x) => x.roll(-2, 2).roll(1, 1),
  "every second": (x) => x.take(1, [0, 2]),
  repeat_interleave: (x) => x.repeat_interleave(2, 1),
  "take of a permuted": (x) => x.permute(2, 0, 1).take(0, [4, 0, 0, 2]),
  "pad of one axis": (x) => pad(x, [2, 1], "constant", -3.5),
  "pad of two axes": (x) => pad(x, [1, 0, 2, 3]),
  "pad, taking away": (x) => pad(x, [-1, 2]),
  "pad, reflect": (x) => pad(x, [3, 5], "reflect"),
  "pad, replicate": (x) => pad(x, [1, 4], "replicate"),
  "pad, circular": (x) => pad(x, [2, 6], "circular"),
  leaky_relu: (x) => leaky_relu(x, 0.2),
  elu: (x) => elu(x, 1.5),
  softplus,
  hardswish: (x) => hardswish(x.mul(3)),
  relu6: (x) => relu6(x.mul(5)),
  max_pool2d: (x) => max_pool2d(x, 3, { stride: 2, padding: 1 }),
  "max_pool2d, ceil_mode": (x) => max_pool2d(x, [3, 2], { stride: [2, 3], padding: [1, 0], ceil_mode: true }),
  "max_pool2d, dilation": (x) => max_pool2d(x, 3, { stride: 1, dilation: [2, 3] }),
  max_pool1d: (x) => max_pool1d(x, 4, { stride: 2, padding: 2 }),
  avg_pool2d: (x) => avg_pool2d(x, 2),
  "avg_pool2d with padding": (x) => avg_pool2d(x, 3, { stride: 2, padding: 1 }),
  "avg_pool2d without padding": (x) =>
    avg_pool2d(x, [3, 4], { stride: [2, 3], padding: [1, 2], ceil_mode: true, count_include_pad: false }),
  "avg_pool2d, ceil_mode": (x) => avg_pool2d(x, 3, { stride: 2, padding: 1, ceil_mode: true }),
  avg_pool1d: (x) => avg_pool1d(x, 3, { stride: 2, padding: 1 }),
  adaptive_avg_pool2d: (x) => adaptive_avg_pool2d(x, [3, 4]),
  "adaptive_avg_pool2d to one": (x) => adaptive_avg_pool2d(x, 1),
  adaptive_avg_pool1d: (x) => adaptive_avg_pool1d(x, 3),
  "interpolate, nearest": (x) => interpolate(x, { size: [8, 3] }),
  "interpolate, nearest by a factor": (x) => interpolate(x, { scale_factor: 2.3 }),
  "interpolate, nearest-exact": (x) => interpolate(x, { size: [8, 3], mode: "nearest-exact" }),
  "interpolate, bilinear": (x) => interpolate(x, { size: [8, 5], mode: "bilinear" }),
  "interpolate, bilinear, aligned": (x) => interpolate(x, { size: [9, 1], mode: "bilinear", align_corners: true }),
  "interpolate, bilinear by a factor": (x) => interpolate(x, { scale_factor: [1.7, 0.6], mode: "bilinear" }),
  "interpolate, bilinear by a recomputed factor": (x) =>
    interpolate(x, { scale_factor: 1.7, mode: "bilinear", recompute_scale_factor: true }),
  "interpolate, bicubic": (x) => interpolate(x, { size: [11, 13], mode: "bicubic" }),
  "interpolate, bicubic, smaller": (x) => interpolate(x, { size: [5, 4], mode: "bicubic" }),
  "interpolate, bicubic, aligned": (x) => interpolate(x, { size: [11, 3], mode: "bicubic", align_corners: true }),
  "interpolate, bicubic, antialias": (x) => interpolate(x, { size: [5, 17], mode: "bicubic", antialias: true }),
  "interpolate, bilinear, antialias": (x) => interpolate(x, { size: [5, 4], mode: "bilinear", antialias: true }),
  "interpolate, area": (x) => interpolate(x, { size: [3, 4], mode: "area" }),
  "interpolate, linear": (x) => interpolate(x, { size: 12, mode: "linear" }),
  "interpolate, from one": (x) => interpolate(x, { size: [3, 2], mode: "bilinear" }),
  "instance norm": (x) => new InstanceNorm(5).forward(x),
  "pad of an image, reflect": (x) => pad(x, [3, 2, 1, 3], "reflect"),
  "pad of an image, replicate": (x) => pad(x, [3, 2, 1, 3], "replicate"),
  // Axes that stay side by side count as one: never more than four.
  "windows and back": (x) => x.reshape(4, 2, 3, 10).permute(0, 2, 1, 3).reshape(12, 4, 5),
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
  masked_fill: (x, mask) => x.masked_fill(mask.relu(), -Infinity).softmax(),
  where: (mask, x, y) => where(mask, x, y),
  group_norm: norm(new GroupNorm(4, 12)),
  "group_norm of a sequence": norm(new GroupNorm(12, 12)),
  "group_norm after a convolution": (x, kernel) => norm(new GroupNorm(5, 40, { eps: 0.01 }), 2)(conv2d(x, kernel)),
  "group_norm of each channel after a convolution": (x, kernel) => norm(new GroupNorm(21, 21), 2)(conv1d(x, kernel)),
  batch_norm: norm(new BatchNorm2d(12)),
  "batch_norm of a sequence": norm(new BatchNorm1d(12)),
  "batch_norm after a convolution": (x, kernel) =>
    norm(
      new BatchNorm2d(12),
      2,
    )(conv2d(x, kernel, undefined, { padding: 1 }))
      .add(1)
      .relu(),
  "a bottleneck's end": (x, rest, kernel) => norm(new BatchNorm2d(12), 3)(conv2d(x, kernel)).add(rest).relu(),
  weight_norm: (x, g, v) => conv1d(x, weight_normed(v, g, 2), undefined, { padding: 2, groups: 2 }),
  "weight_norm of rows": (x, g, v) => linear(x, weight_normed(v, g, 0)),
  "attention: grouped keys": (q, k, v) => scaled_dot_product_attention(q, k, v, { scale: 0.5 }),
  "attention weights": (q, k, mask) => scaled_dot_product_weights(q, k, { mask }),
  "attention over tokens": (x) => {
    const [q, k, v] = x.chunk(3).map((part) => part.reshape(2, 9, 3, 4).transpose(1, 2));
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 9, 12);
  },
  add: (a, b) => a.add(b),
  "add, right repeats": (a, b) => a.add(b),
  "add, left repeats": (a, b) => a.add(b),
  "add, both repeat": (a, b) => a.add(b),
  "sub, left repeats": (a, b) => a.sub(b),
  "mul, both repeat": (a, b) => a.mul(b),
  "div, left repeats": (a, b) => a.div(b.abs().add(1)),
  matmul: (a, b) => a.matmul(b),
  "matmul in batches": (a, b) => a.matmul(b),
  "matmul, left repeats": (a, b) => a.matmul(b),
  "matmul, right repeats": (a, b) => a.matmul(b),
  "matmul of a transposed": (a, b) => a.matmul(b.transpose(-1, -2)),
  "cat over 0": (a, b) => cat([a, b]),
  "cat over 1": (a, b) => cat([a, b], 1),
  linear: (x, weight) => linear(x, weight),
  "linear, transposed": (x, weight) => linear(x, weight, undefined, { transposed: true }),
  "linear, gelu and a sum": (x, weight, bias, rest) => linear(x, weight, bias).activation("gelu").add(rest),
  "a sum with a linear layer, activated": (x, weight, bias, rest) =>
    linear(x, weight, bias).add(rest).activation("gelu"),
  "a sum of two linear layers": (x, one, other) => linear(x, one).add(linear(x, other)),
  layer_norm: norm(new LayerNorm(6, { eps: 0.01 })),
  rms_norm: norm(new RMSNorm(6, { eps: 0.01 })),
};
for (const name of [
  "short",
  "long",
  "a mask of keys",
  "a mask of one row",
  "a mask for each head",
  "a mask for all",
  "one number",
  "masked out",
])
  CASES[`attention: ${name}`] = (q, k, v, mask) => scaled_dot_product_attention(q, k, v, { mask });

const convolution =
  (options: Parameters<typeof conv2d>[3] = {}) =>
  (x: Sym, weight: Sym, bias: Sym) =>
    (x.ndim === 4 ? conv2d : conv1d)(x, weight, bias, options);
Object.assign(CASES, {
  "convolution: 3x3": convolution(),
  "convolution: 3x3, padding": convolution({ padding: 1 }),
  "convolution: many channels": convolution({ padding: 1, stride: 2 }),
  "convolution: stride, padding and dilation of two kinds": convolution({
    stride: [2, 1],
    padding: [1, 2],
    dilation: [2, 3],
  }),
  "convolution: few channels, of all kinds": convolution({ stride: [2, 1], padding: [1, 2], dilation: [2, 3] }),
  "convolution: 1x1": convolution(),
  "convolution: 1x1, stride": convolution({ stride: 2 }),
  "convolution: 1x1, padding": convolution({ padding: 1 }),
  "convolution: one row": convolution(),
  "convolution: one row, padding": convolution({ padding: [1, 1], stride: [2, 2] }),
  "convolution: one channel": convolution({ padding: 1 }),
  "convolution: patches": convolution({ stride: 4 }),
  "convolution: patches of many channels": convolution({ stride: 3 }),
  "convolution: same": convolution({ padding: "same", dilation: [1, 2] }),
  "convolution: valid": convolution({ padding: "valid" }),
  "convolution: groups": convolution({ groups: 4, padding: 1, stride: 2 }),
  "convolution: depthwise": convolution({ groups: 21, padding: 1 }),
  "convolution: depthwise of many": convolution({ groups: 70, padding: [2, 0], stride: [2, 1], dilation: [1, 2] }),
  "convolution: depthwise, two of each": convolution({ groups: 6, padding: 1 }),
  "convolution: wide": convolution({ padding: 1 }),
  "convolution: deep": convolution({ padding: 1 }),
  "convolution: sequence": convolution({ stride: 2 }),
  "convolution: sequence of many channels": convolution({ stride: 2 }),
  "convolution: sequence, padding": convolution({ padding: 1 }),
  "convolution: sequence, dilation": convolution({ padding: 2, dilation: 2 }),
  "convolution: sequence, one channel": convolution({ stride: 5 }),
  "convolution: sequence, groups": convolution({ groups: 4, padding: 8 }),
  "convolution: sequence, depthwise": convolution({ groups: 24, padding: "same" }),
  "convolution: sequence, 1": convolution(),
  "transposed convolution: patches": (x, weight, bias) => conv_transpose2d(x, weight, bias, { stride: 2 }),
  "transposed convolution: overlapping": (x, weight, bias) =>
    conv_transpose2d(x, weight, bias, { stride: [2, 3], padding: [1, 2], output_padding: [1, 2] }),
  "transposed convolution: groups": (x, weight, bias) => conv_transpose2d(x, weight, bias, { groups: 3, dilation: 2 }),
  "transposed convolution: sequence": (x, weight, bias) => conv_transpose1d(x, weight, bias, { stride: 2, padding: 1 }),
} satisfies typeof CASES);

const is_layer = (name: string) => /norm|convolution|bottleneck/.test(name);
/** Where the tensors of the checkpoint begin. */
const first_parameter = (name: string) => (name.startsWith("a bottleneck") ? 2 : is_layer(name) ? 1 : 9);

const names = Object.keys(fixture).filter((name) => !/\.\d$/.test(name));
const activations = names.flatMap((name) => (name.startsWith("activation ") ? [name.slice(11)] : []));

function check(name: string, { data, shape }: { data: Float32Array; shape: readonly number[] }): void {
  expect([...shape]).toEqual(fixture[name].shape);
  expect(relative_error(data, fixture[name].data)).toBeLessThan(1e-5);
}

test("every case of torch is here", () => {
  expect(Object.keys(CASES).sort()).toEqual(names.filter((name) => !name.startsWith("activation ")).sort());
});

test.each(Object.keys(CASES))("%s", async (name) => {
  check(name, await run(name, CASES[name], first_parameter(name)));
});

const plain = Object.keys(CASES).filter((name) => /^convolution/.test(name));

test.each(plain)("%s, of an image that lies place by place", async (name) => {
  const by_place = (x: Sym) => {
    const axes = x.shape.map((_, axis) => axis);
    const [batch, channels, ...places] = axes;
    const turned = x
      .permute(batch, ...places, channels)
      .mul(1)
      .add(0);
    return turned.permute(0, x.ndim - 1, ...places.map((axis) => axis - 1));
  };
  check(name, await run(name, (x, ...rest) => CASES[name](by_place(x), ...rest), 1));
});

test.each(["linear", "linear, gelu and a sum", "a sum of two linear layers", "a sum with a linear layer, activated"])(
  "%s, with weights of a checkpoint",
  async (name) => {
    check(name, await run(name, CASES[name], 1));
  },
);

// They are computed together, but for one whose weight is another's.
test("layers of one input, with and without a bias, an activation, a sum", async () => {
  const [x, first, second] = ["x", "first", "second"].map((_, n) =>
    Float32Array.from({ length: [7 * 20, 33 * 20, 16 * 20][n] }, (_, i) => Math.sin(i * 12.9898 + n)),
  );
  const bias = Float32Array.from({ length: 33 }, (_, i) => Math.cos(i));
  const state = new (native().StateDict)();
  state.set("first", "F32", [33, 20], first);
  state.set("second", "F32", [16, 20], second);
  state.set("bias", "F32", [33], bias);
  const trace = new Trace();
  trace.run(() => {
    const parameter = (name: string, shape: number[]) => trace.parameter({ name, shape, init: "zeros" });
    const input = trace.input("x", [7, 20], "f32");
    const [a, b] = [parameter("first", [33, 20]), parameter("second", [16, 20])];
    const plain = linear(input, a, parameter("bias", [33]));
    trace.output("activated", linear(input, b).relu());
    trace.output("tied", linear(input, a));
    trace.output("sum", linear(input, a).add(plain));
    trace.output("again", linear(input, b));
    trace.output("plain", plain);
  });
  const engine = new (native().GraphEngine)({ state_dict: state, device: "CPU", n_threads: 2 });
  const { outputs } = await engine.run(engine.add_program(JSON.stringify(trace.program())), { x });
  await engine.dispose();
  const product = (weight: Float32Array, add = (sum: number, _out: number) => sum) => {
    const out = weight.length / 20;
    return Float32Array.from({ length: 7 * out }, (_, at) => {
      let sum = 0;
      for (let i = 0; i < 20; i++) sum += x[Math.floor(at / out) * 20 + i] * weight[(at % out) * 20 + i];
      return add(sum, at % out);
    });
  };
  const wanted = {
    activated: product(second, (sum) => Math.max(sum, 0)),
    tied: product(first),
    sum: product(first, (sum, out) => 2 * sum + bias[out]),
    again: product(second),
    plain: product(first, (sum, out) => sum + bias[out]),
  };
  for (const [name, values] of Object.entries(wanted)) expect(relative_error(outputs[name], values)).toBeLessThan(1e-5);
});

// The same as one dense convolution whose kernel is zero outside of the groups.
test.each([
  ...[1, 2, 4, 8].flatMap((size) => [
    { size, kernel: 3, options: { padding: 1 } },
    { size, kernel: 3, options: { padding: 1, stride: 2 } },
    { size, kernel: 3, options: { dilation: 2, padding: 2 } },
    { size, kernel: 1, options: {} },
    { size, kernel: 3, options: { padding: 1 }, height: 40, width: 37 },
  ]),
  { size: 1, kernel: 5, options: { padding: 2 } },
  { size: 1, kernel: 7, options: { padding: 3 } },
  { size: 1, kernel: 7, options: { padding: 3, stride: [2, 1] as [number, number] } },
])(
  "a convolution in groups of $size channels, kernel $kernel, $options",
  async ({ size, kernel, options, ...image_of }) => {
    const channels = 48;
    const { height = 9, width = 11 } = image_of as { height?: number; width?: number };
    const image = [2, channels, height, width];
    const number = (i: number) => Math.sin(i * 12.9898) * 2;
    const weight = Float32Array.from({ length: channels * size * kernel * kernel }, (_, i) => number(i) / 4);
    const dense = new Float32Array(channels * channels * kernel * kernel);
    for (let out = 0; out < channels; out++) {
      const first = Math.floor(out / size) * size;
      const part = weight.subarray(out * size * kernel * kernel, (out + 1) * size * kernel * kernel);
      dense.set(part, (out * channels + first) * kernel * kernel);
    }
    const state = new (native().StateDict)();
    state.set("grouped", "F32", [channels, size, kernel, kernel], weight);
    state.set("dense", "F32", [channels, channels, kernel, kernel], dense);
    state.set(
      "bias",
      "F32",
      [channels],
      Float32Array.from({ length: channels }, (_, i) => number(i + 7)),
    );
    const trace = new Trace();
    trace.run(() => {
      const parameter = (name: string, shape: number[]) => trace.parameter({ name, shape, init: "zeros" });
      const [x, bias] = [trace.input("x", image, "f32"), parameter("bias", [channels])];
      const grouped = conv2d(x, parameter("grouped", [channels, size, kernel, kernel]), bias, {
        ...options,
        groups: channels / size,
      });
      const whole = conv2d(x, parameter("dense", [channels, channels, kernel, kernel]), bias, options);
      trace.output("grouped", grouped.add(whole.mul(0.5)).relu());
      trace.output("dense", whole.mul(1.5).relu());
    });
    const engine = new (native().GraphEngine)({ state_dict: state, n_threads: 2 });
    const x = Float32Array.from({ length: image.reduce((a, b) => a * b) }, (_, i) => number(i * 3 + 1));
    const { outputs } = await engine.run(engine.add_program(JSON.stringify(trace.program())), { x });
    await engine.dispose();
    expect(relative_error(outputs["grouped"], outputs["dense"])).toBeLessThan(1e-5);
  },
);

// torch gives the first of equal values, and NaN counts as the largest.
test("argmax, along any axis, as numbers and as the rows of a table", async () => {
  const run_on = async (data: number[], shape: number[], compute: (x: Sym) => Sym) => {
    const trace = new Trace();
    trace.run(() => trace.output("result", compute(trace.input("x", shape, "f32"))));
    const engine = new (native().GraphEngine)({ state_dict: new (native().StateDict)() });
    const id = engine.add_program(JSON.stringify(trace.program()));
    const { outputs } = await engine.run(id, { x: Float32Array.from(data) });
    await engine.dispose();
    return [...outputs["result"]];
  };
  const x = [1, 5, 5, -2, 7, 0, Number.NaN, Number.NaN, 9, -3, -1, -1];
  expect(await run_on(x, [3, 4], (x) => x.argmax(1).float())).toEqual([1, 2, 0]);
  expect(await run_on(x, [3, 4], (x) => x.argmax(0, true).float())).toEqual([2, 0, 1, 1]);
  expect(await run_on([3, 1, 2], [3], (x) => x.neg().argmax(0).float())).toEqual([1]);
  const picked = await run_on(
    x.map((value) => value || 0),
    [3, 4],
    (x) => x.index_select(x.select(1, 0).argmax(0, true)),
  );
  expect(picked).toEqual([9, -3, -1, -1]);
});

test.each(activations)("activation %s", async (name) => {
  check(`activation ${name}`, await run(`activation ${name}`, (x) => activation(name)(x)));
});

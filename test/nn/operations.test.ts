// The operations of lib/nn on the engine, against torch: test/fixtures/nn, made by scripts/fixtures/nn_operations.py.
import { expect, test } from "vitest";
import { native } from "../../lib/native.js";
import { activation, cat, LayerNorm, linear, type Parameter, RMSNorm, type Sym, Trace } from "../../lib/nn/index.js";
import { read_tensors, relative_error } from "../fixtures.js";

const fixture = read_tensors("nn", "operations.safetensors");

/** What the engine makes of a case's inputs. Those from the number `parameters` on are tensors of a checkpoint. */
async function run(name: string, compute: (...inputs: Sym[]) => Sym, parameters = 4) {
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

/** A norm whose tensors are inputs of the case. */
function norm<Norm extends LayerNorm | RMSNorm>(layer: Norm): (x: Sym) => Sym {
  layer.weight.name = "1";
  const { bias } = layer as { bias?: Parameter };
  if (bias) bias.name = "2";
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
  "a sum of two linear layers": (x, one, other) => linear(x, one).add(linear(x, other)),
  layer_norm: norm(new LayerNorm(6, { eps: 0.01 })),
  rms_norm: norm(new RMSNorm(6, { eps: 0.01 })),
};
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
  check(name, await run(name, CASES[name], name.endsWith("_norm") ? 1 : 4));
});

test.each(["linear", "linear, gelu and a sum", "a sum of two linear layers"])(
  "%s, with weights of a checkpoint",
  async (name) => {
    check(name, await run(name, CASES[name], 1));
  },
);

test.each(activations)("activation %s", async (name) => {
  check(`activation ${name}`, await run(`activation ${name}`, (x) => activation(name)(x)));
});

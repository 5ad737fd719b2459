// Small networks in lib/nn beside their twins in torch: what models of images and sound are made of suffices for them, and
// their tensors load under the names that Python gives them.
import { expect, test } from "vitest";
import { native } from "../../lib/native.js";
import {
  adaptive_avg_pool2d,
  BatchNorm2d,
  bind,
  Conv1d,
  Conv2d,
  cat,
  FrozenBatchNorm,
  GroupNorm,
  gelu,
  interpolate,
  LayerNorm,
  Linear,
  Module,
  max_pool2d,
  Parameter,
  type Sym,
  scaled_dot_product_attention,
  Trace,
  weight_norm,
} from "../../lib/nn/index.js";
import { read_tensors, relative_error } from "../fixtures.js";

class Patches extends Module {
  projection = new Conv2d(3, 24, 4, { stride: 4 });
  cls_token = new Parameter([1, 1, 24]);
  position_embeddings = new Parameter([1, 1 + 3 * 3, 24]);
  layers = [new Layer(), new Layer()];
  layernorm = new LayerNorm(24, { eps: 1e-12 });

  override forward(pixel_values: Sym): Sym {
    const patches = this.projection.forward(pixel_values);
    const [batch, , height, width] = patches.shape;
    const tokens = patches.flatten(2).transpose(1, 2);
    let x = cat([this.cls_token.sym().expand(batch, -1, -1), tokens], 1).add(this.positions(height, width));
    for (const layer of this.layers) x = layer.forward(x);
    return this.layernorm.forward(x);
  }

  private positions(height: number, width: number): Sym {
    const [first, grid] = this.position_embeddings.sym().split([1, 9], 1);
    const image = grid.reshape(1, 3, 3, 24).permute(0, 3, 1, 2);
    const resized = interpolate(image, { size: [height, width], mode: "bicubic" });
    return cat([first, resized.permute(0, 2, 3, 1).reshape(1, -1, 24)], 1);
  }
}

class Layer extends Module {
  layernorm_before = new LayerNorm(24);
  query = new Linear(24, 24);
  key = new Linear(24, 24);
  value = new Linear(24, 24);
  output = new Linear(24, 24);
  layernorm_after = new LayerNorm(24);
  intermediate = new Linear(24, 60);
  dense = new Linear(60, 24);

  override forward(x: Sym): Sym {
    const [batch, length, size] = x.shape;
    const normed = this.layernorm_before.forward(x);
    const [q, k, v] = [this.query, this.key, this.value].map((layer) =>
      layer.forward(normed).reshape(batch, length, 3, 8).transpose(1, 2),
    );
    const attended = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, size);
    const states = this.output.forward(attended).add(x);
    return this.dense.forward(gelu(this.intermediate.forward(this.layernorm_after.forward(states)))).add(states);
  }
}

class Normed extends Module {
  convolution: Conv2d;
  normalization: BatchNorm2d;

  constructor(inputs: number, outputs: number, kernel: number, stride = 1) {
    super();
    this.convolution = new Conv2d(inputs, outputs, kernel, { stride, padding: kernel >> 1, bias: false });
    this.normalization = new BatchNorm2d(outputs);
  }

  override forward(x: Sym): Sym {
    return this.normalization.forward(this.convolution.forward(x));
  }
}

class Bottleneck extends Module {
  shortcut?: Normed;
  layer: Normed[];

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    if (inputs !== outputs) this.shortcut = new Normed(inputs, outputs, 1, stride);
    this.layer = [new Normed(inputs, 8, 1), new Normed(8, 8, 3, stride), new Normed(8, outputs, 1)];
  }

  override forward(x: Sym): Sym {
    const inner = this.layer[1].forward(this.layer[0].forward(x).relu()).relu();
    return this.layer[2]
      .forward(inner)
      .add(this.shortcut?.forward(x) ?? x)
      .relu();
  }
}

class Residual extends Module {
  embedder = new Normed(3, 12, 7, 2);
  stage = [new Bottleneck(12, 20, 2), new Bottleneck(20, 20, 1)];

  override forward(pixel_values: Sym): Sym {
    let x = max_pool2d(this.embedder.forward(pixel_values).relu(), 3, { stride: 2, padding: 1 });
    for (const block of this.stage) x = block.forward(x);
    return adaptive_avg_pool2d(x, 1).flatten(1);
  }
}

class Waves extends Module {
  conv_layers = [
    new Conv1d(1, 16, 10, { stride: 5, bias: false }),
    new Conv1d(16, 16, 3, { stride: 2, bias: false }),
    new Conv1d(16, 16, 2, { stride: 2, bias: false }),
  ];
  layer_norm = new GroupNorm(16, 16);
  projection = new Linear(16, 24);
  pos_conv_embed = weight_norm(new Conv1d(24, 24, 8, { padding: 4, groups: 4 }), { dim: 2 });

  override forward(input_values: Sym): Sym {
    let x = input_values.unsqueeze(1);
    this.conv_layers.forEach((layer, i) => {
      x = layer.forward(x);
      x = gelu(i === 0 ? this.layer_norm.forward(x) : x);
    });
    const states = this.projection.forward(x.transpose(1, 2));
    const positions = this.pos_conv_embed.forward(states.transpose(1, 2));
    return states.add(gelu(positions.narrow(2, 0, positions.size(2) - 1)).transpose(1, 2));
  }
}

test.each([
  ["patches", new Patches()],
  ["residual", new Residual()],
  ["waves", new Waves()],
])("%s", async (name, network) => {
  const { input, output, ...tensors } = read_tensors("nn", `${name}.safetensors`);
  const parameters = bind(network);
  expect(parameters.map(({ name }) => name).sort()).toEqual(Object.keys(tensors).sort());
  const state = new (native().StateDict)();
  for (const { name, shape } of parameters) {
    expect(tensors[name].shape).toEqual(shape);
    state.set(name, "F32", shape, tensors[name].data);
  }
  const trace = new Trace();
  trace.run(() => {
    const result = network.forward(trace.input("input", input.shape, "f32"));
    expect(result.shape).toEqual(output.shape);
    trace.output("output", result);
  });
  const engine = new (native().GraphEngine)({ state_dict: state, device: "CPU", n_threads: 2 });
  const program = engine.add_program(JSON.stringify(trace.program()));
  for (let run = 0; run < 2; run++) {
    const { outputs } = await engine.run(program, { input: input.data });
    expect(relative_error(outputs["output"], output.data)).toBeLessThan(1e-5);
  }
  await engine.dispose();
});

test("the statistics of batch norm are saved, and count as parameters no more than in torch", () => {
  const parameters = bind({ norm: new BatchNorm2d(3), frozen: new FrozenBatchNorm(3) });
  expect(parameters.map(({ name }) => name)).toContain("frozen.running_mean");
  const counted = parameters.filter(({ spec }) => !spec.buffer);
  expect(counted.map(({ name }) => name)).toEqual(["norm.weight", "norm.bias"]);
});

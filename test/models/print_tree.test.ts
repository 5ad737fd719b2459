import { describe, expect, it } from "vitest";
import { print_tree } from "../../lib/models/print_tree.js";

const parameter = (name: string, shape: number[]) => ({ name, shape, init: "normal" as const });

describe("print_tree", () => {
  it("writes modules as Python does, and equal layers once", () => {
    const parameters = [
      parameter("model.embed_tokens.weight", [10, 4]),
      ...[0, 1].flatMap((i) => [
        parameter(`model.layers.${i}.q_proj.weight`, [6, 4]),
        parameter(`model.layers.${i}.q_proj.bias`, [6]),
        parameter(`model.layers.${i}.norm.weight`, [4]),
      ]),
      parameter("lm_head.weight", [10, 4]),
    ];
    expect(print_tree("TestModel", parameters)).toBe(`TestModel(
  (model): (
    (embed_tokens): Embedding(10, 4)
    (layers): (
      (0-1): 2 x (
        (q_proj): Linear(in_features=4, out_features=6, bias=True)
        (norm): RMSNorm((4,))
      )
    )
  )
  (lm_head): Linear(in_features=4, out_features=10, bias=False)
)`);
  });
});

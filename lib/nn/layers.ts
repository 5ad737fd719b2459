// The layers that models are made of, with torch's names, arguments and tensors.
import { type Initialization, Module, Parameter } from "./module.js";
import { text } from "./shapes.js";
import { type Operand, type Sym, sym } from "./sym.js";
import { Trace } from "./trace.js";

/** x Wᵀ + b over the last axis; weight [out_features, in_features]. */
export class Linear extends Module {
  weight: Parameter;
  bias?: Parameter;

  constructor(in_features: number, out_features: number, { bias = true, std }: { bias?: boolean; std?: number } = {}) {
    super();
    this.weight = new Parameter([out_features, in_features], { init: "normal", std });
    if (bias) this.bias = new Parameter([out_features], "zeros");
  }

  override forward(x: Sym): Sym {
    return linear(x, this.weight, this.bias);
  }
}

/** x W + b over the last axis; weight [in_features, out_features], as GPT-2 has it. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pytorch_utils.py */
export class Conv1D extends Module {
  weight: Parameter;
  bias: Parameter;

  constructor(out_features: number, in_features: number, { std }: { std?: number } = {}) {
    super();
    this.weight = new Parameter([in_features, out_features], { init: "normal", std });
    this.bias = new Parameter([out_features], "zeros");
  }

  override forward(x: Sym): Sym {
    return linear(x, this.weight, this.bias, { transposed: true });
  }
}

/** x Wᵀ + b, or x W + b when `transposed`. The engine takes an activation and a sum that follow into the same operation. */
export function linear(x: Sym, weight: Operand, bias?: Operand, { transposed = false } = {}): Sym {
  const matrix = sym(weight);
  const [out_features, in_features] = transposed ? [matrix.shape[1], matrix.shape[0]] : matrix.shape;
  if (matrix.ndim !== 2 || x.shape[x.ndim - 1] !== in_features)
    throw Trace.current.error(`linear of shape ${text(x.shape)} with a weight of shape ${text(matrix.shape)}`);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== out_features))
    throw Trace.current.error(`linear with ${out_features} outputs and a bias of shape ${text(bias.shape)}`);
  return Trace.current.emit(
    "linear",
    [x, matrix, ...(bias ? [sym(bias)] : [])],
    [...x.shape.slice(0, -1), out_features],
    { transposed, bias: bias !== undefined },
  );
}

/** Rows of a table, by int32 ids. */
export class Embedding extends Module {
  weight: Parameter;

  constructor(
    num_embeddings: number,
    embedding_dim: number,
    {
      padding_idx,
      init = "normal",
      std,
    }: { padding_idx?: number | null } & Partial<Pick<Initialization, "init" | "std">> = {},
  ) {
    super();
    this.weight = new Parameter([num_embeddings, embedding_dim], {
      init,
      std,
      padding_idx: padding_idx ?? undefined,
    });
  }

  override forward(ids: Sym): Sym {
    return this.weight.sym().index_select(ids);
  }
}

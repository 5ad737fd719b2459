// How a model prints: its modules with their sizes, in the manner of Python's `print(model)`.
import type { ParameterSpec } from "./initialization.js";

interface Module {
  [part: string]: Module | number[];
}

/** `Linear(in_features=256, out_features=64, bias=False)`, for a module that holds tensors and no modules. */
function leaf(name: string, { weight, bias, ...others }: Record<string, number[]>): string | undefined {
  if (!weight || Object.keys(others).length > 0) return undefined;
  if (weight.length === 1) return `RMSNorm((${weight[0]},))`;
  if (weight.length !== 2) return undefined;
  if (/embed|^w[tp]e$/.test(name)) return `Embedding(${weight.join(", ")})`;
  return `Linear(in_features=${weight[1]}, out_features=${weight[0]}, bias=${bias ? "True" : "False"})`;
}

function print(module: Module, indent: string): string {
  const entries = Object.entries(module);
  if (entries.length > 1 && entries.every(([part]) => /^\d+$/.test(part))) {
    const bodies = entries.map(([, child]) => print(child as Module, `${indent}  `));
    if (bodies.every((body) => body === bodies[0]))
      return `${indent}(0-${entries.length - 1}): ${entries.length} x (\n${bodies[0]}\n${indent})`;
  }
  return entries
    .map(([part, child]) => {
      if (Array.isArray(child)) return `${indent}${part}: [${child.join(", ")}]`;
      const tensors = Object.values(child).every(Array.isArray);
      const line = tensors ? leaf(part, child as Record<string, number[]>) : undefined;
      return line ? `${indent}(${part}): ${line}` : `${indent}(${part}): (\n${print(child, `${indent}  `)}\n${indent})`;
    })
    .join("\n");
}

/** The module tree of a model of class `name`; equal layers of a list are written once. */
export function print_tree(name: string, parameters: readonly ParameterSpec[]): string {
  const root: Module = {};
  for (const parameter of parameters) {
    const path = parameter.name.split(".");
    const last = path.pop() as string;
    let module = root;
    for (const part of path) {
      module[part] ??= {};
      module = module[part] as Module;
    }
    module[last] = parameter.shape;
  }
  return `${name}(\n${print(root, "  ")}\n)`;
}

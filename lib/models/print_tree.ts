// How a model prints: its modules, as Python's `print(model)`.
import type { ParameterSpec } from "./initialization.js";

/** The module tree with the shapes of its tensors; equal layers of a list are written once. */
export function print_tree(name: string, parameters: ParameterSpec[]): string {
  interface Node {
    [part: string]: Node | string;
  }
  const root: Node = {};
  for (const parameter of parameters) {
    const path = parameter.name.split(".");
    const leaf = path.pop() as string;
    let node = root;
    for (const part of path) {
      node[part] ??= {};
      node = node[part] as Node;
    }
    node[leaf] = `[${parameter.shape.join(", ")}]`;
  }
  const print = (node: Node, indent: string): string => {
    const entries = Object.entries(node);
    const numbered = entries.length > 1 && entries.every(([part]) => /^\d+$/.test(part));
    if (numbered) {
      const bodies = entries.map(([, child]) => print(child as Node, `${indent}  `));
      if (bodies.every((body) => body === bodies[0]))
        return `${indent}(0-${entries.length - 1}): ${entries.length} x (\n${bodies[0]}\n${indent})`;
    }
    return entries
      .map(([part, child]) =>
        typeof child === "string"
          ? `${indent}${part}: ${child}`
          : `${indent}(${part}): (\n${print(child, `${indent}  `)}\n${indent})`,
      )
      .join("\n");
  };
  return `${name}(\n${print(root, "  ")}\n)`;
}

// Makes a traced program shorter: what nobody reads goes, and linear layers and convolutions take in the activation and the
// sum after them, in either order.
import type { Node, Program } from "./trace.js";

/** How often each node is read. */
function count_uses({ nodes, outputs }: Program): Uint32Array {
  const uses = new Uint32Array(nodes.length);
  for (const { node } of outputs) uses[node]++;
  for (let i = nodes.length - 1; i >= 0; i--) if (uses[i] > 0) for (const input of nodes[i].inputs) uses[input]++;
  return uses;
}

const same_shape = (a: Node, b: Node) =>
  a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);

/** The layer that `id` is, if only its reader needs it. */
function own_layer(nodes: Node[], uses: Uint32Array, id: number): Node | undefined {
  const node = nodes[id];
  return (node.op === "linear" || node.op === "convolution") && uses[id] === 1 ? node : undefined;
}

function fuse_node(nodes: Node[], uses: Uint32Array, node: Node): Node {
  if (node.op === "activation") {
    const layer = own_layer(nodes, uses, node.inputs[0]);
    if (layer && !layer.attributes["activation"]) {
      const { residual } = layer.attributes;
      const attributes = { ...layer.attributes, activation: node.attributes["kind"] };
      return { ...layer, attributes: residual ? { ...attributes, residual_first: true } : attributes };
    }
  }
  if (node.op === "add") {
    // The layer moves to the place of the sum, where the other side exists.
    for (const [own, other] of [node.inputs, [...node.inputs].reverse()]) {
      const layer = own_layer(nodes, uses, own);
      if (
        layer &&
        !layer.attributes["residual"] &&
        own !== other &&
        same_shape(layer, node) &&
        same_shape(nodes[other], node)
      )
        return {
          ...layer,
          inputs: [...layer.inputs, other],
          attributes: { ...layer.attributes, residual: true },
        };
    }
  }
  return node;
}

/** The same outputs from fewer operations. */
export function fuse(program: Program): Program {
  const uses = count_uses(program);
  const nodes = [...program.nodes];
  for (let i = 0; i < nodes.length; i++) if (uses[i] > 0) nodes[i] = fuse_node(nodes, uses, nodes[i]);
  const left = count_uses({ nodes, outputs: program.outputs });
  const place = new Map<number, number>();
  const kept: Node[] = [];
  nodes.forEach((node, i) => {
    if (left[i] > 0)
      place.set(i, kept.push({ ...node, inputs: node.inputs.map((input) => place.get(input) as number) }) - 1);
  });
  return { nodes: kept, outputs: program.outputs.map(({ name, node }) => ({ name, node: place.get(node) as number })) };
}

// Where a head reads few tokens, such as the first of each row, the operations before it compute those alone: of the last
// layer little more than keys and values is left to do.
import type { Node, Program } from "./trace.js";

/** Which inputs an operation on [tokens, …] reads token by token: its own tokens alone. */
function inputs_by_token(node: Node, nodes: readonly Node[]): number[] {
  if (node.shape.length !== 2) return [];
  switch (node.op) {
    case "linear":
      return node.attributes["residual"] ? [0, node.inputs.length - 1] : [0];
    case "attention":
      return [0, 3];
    case "cached_attention":
      return [0, 2];
    case "layer_norm":
    case "rms_norm":
    case "activation":
    case "scale":
      return [0];
    case "add":
    case "mul":
      return node.inputs.every((input) => nodes[input].shape.join() === node.shape.join()) ? [0, 1] : [];
    default:
      return [];
  }
}

/** Of each node: "all" of its tokens are read, or those that a node names; undefined: it is not read. */
function wanted_tokens({ nodes, outputs }: Program): (number | "all" | undefined)[] {
  const wanted = new Array<number | "all" | undefined>(nodes.length).fill(undefined);
  const want = (id: number, tokens: number | "all") => {
    wanted[id] = wanted[id] === undefined || wanted[id] === tokens ? tokens : "all";
  };
  for (const { node } of outputs) want(node, "all");
  for (let id = nodes.length - 1; id >= 0; id--) {
    const node = nodes[id];
    const tokens = wanted[id];
    if (tokens === undefined) continue;
    const [table, indices] = node.inputs;
    if (node.op === "rows" && nodes[indices].op === "input" && nodes[indices].shape[0] < nodes[table].shape[0]) {
      wanted[id] = "all";
      want(table, indices);
      continue;
    }
    const by_token = tokens === "all" ? [] : inputs_by_token(node, nodes);
    if (by_token.length === 0) wanted[id] = "all";
    node.inputs.forEach((input, i) => {
      want(input, by_token.includes(i) ? tokens : "all");
    });
  }
  return wanted;
}

/** The same outputs from fewer tokens. */
export function compute_few_tokens(program: Program): Program {
  const { nodes } = program;
  const wanted = wanted_tokens(program);
  if (!wanted.some((tokens) => typeof tokens === "number")) return program;
  const made: Node[] = [];
  const places = new Map<string, number>();
  const add = (key: string, node: Node) => places.set(key, made.push(node) - 1);
  const place = (id: number) => places.get(`${id}`) as number;

  /** The place of those tokens of a value that `indices` names. */
  const few = (id: number, indices: number): number => {
    if (wanted[id] === indices) return place(id);
    const key = `${id} of ${indices}`;
    if (!places.has(key)) {
      const { dtype, shape } = nodes[id];
      const op = dtype === "i32" ? "integer_rows" : "rows";
      const inputs = [place(id), place(indices)];
      add(key, { op, inputs, shape: [nodes[indices].shape[0], ...shape.slice(1)], dtype, attributes: {} });
    }
    return places.get(key) as number;
  };
  const is_input = ({ op }: Node) => op === "input";
  nodes.forEach((node, id) => {
    if (is_input(node)) add(`${id}`, node);
  });
  nodes.forEach((node, id) => {
    const tokens = wanted[id];
    if (is_input(node) || tokens === undefined) return;
    if (typeof tokens === "number") {
      const by_token = inputs_by_token(node, nodes);
      const inputs = node.inputs.map((input, i) => (by_token.includes(i) ? few(input, tokens) : place(input)));
      add(`${id}`, { ...node, inputs, shape: [nodes[tokens].shape[0], ...node.shape.slice(1)] });
    } else if (node.op === "rows" && wanted[node.inputs[0]] === node.inputs[1])
      places.set(`${id}`, place(node.inputs[0]));
    else add(`${id}`, { ...node, inputs: node.inputs.map(place) });
  });
  return { nodes: made, outputs: program.outputs.map(({ name, node }) => ({ name, node: place(node) })) };
}

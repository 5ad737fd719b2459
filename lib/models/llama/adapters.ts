// LoRA adapters on the llama engine: pairs under llama.cpp's names, moved as the matrices that they are added to.
import { TransformersError } from "../../errors.js";
import type { LoraPair } from "../../native.js";
import type { Adapter, Pair } from "../peft/adapter.js";
import type { Parameter } from "./family.js";

/** @throws TransformersError `adapter_unsupported` for tensors that libllama has no adapters of. */
export function lora_pairs(adapter: Adapter, parameters: readonly Parameter[]): LoraPair[] {
  const by_tensor = new Map<string, { parameters: Parameter[]; pairs: Pair[] }>();
  for (const parameter of parameters) {
    const pair = adapter.pairs.get(parameter.name);
    const group = by_tensor.get(parameter.gguf) ?? { parameters: [], pairs: [] };
    by_tensor.set(parameter.gguf, group);
    group.parameters.push(parameter);
    if (pair) group.pairs.push(pair);
  }
  return [...by_tensor]
    .filter(([, { pairs }]) => pairs.length > 0)
    .map(
      ([
        tensor,
        {
          parameters: [first, ...others],
          pairs,
        },
      ]) => {
        const [{ rank, scale, embedding }] = pairs;
        const stacked = first.transform === "stack";
        if (pairs.length !== others.length + 1 || pairs.some((pair) => pair.rank !== rank || pair.scale !== scale))
          throw new TransformersError(
            `An adapter of some experts, or of experts with several ranks or scales, is not supported: ${first.name}`,
            "adapter_unsupported",
          );
        return {
          tensor,
          a: {
            name: "a",
            sources: pairs.map(({ a }) => a),
            ...(stacked ? { transform: "stack" as const } : embedding ? { transform: "transpose" as const } : {}),
          },
          b: {
            name: "b",
            sources: pairs.map(({ b }) => b),
            ...(stacked || first.transform === "permute_heads" ? { transform: first.transform } : {}),
            ...(first.n_head === undefined ? {} : { n_head: first.n_head }),
          },
          scale,
        };
      },
    );
}

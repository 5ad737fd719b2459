import type { Component } from "./tokenizer_json.js";

/** A special token and its id. */
export type Special = [token: string, id: number];

/** `bos text eos`, and the same again for a second text with type 1; null leaves an end out. */
export function bos_eos_processor(bos: Special | null, eos: Special | null): Component {
  const special = (token: Special | null, type_id: number) =>
    token ? [{ SpecialToken: { id: token[0], type_id } }] : [];
  const around = (id: "A" | "B", type_id: number) => [
    ...special(bos, type_id),
    { Sequence: { id, type_id } },
    ...special(eos, type_id),
  ];
  const used = [bos, eos].filter((token) => token !== null);
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries(used.map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }])),
  };
}

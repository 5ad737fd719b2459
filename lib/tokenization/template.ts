import type { Component } from "./tokenizer_json.js";

/**
 * A TemplateProcessing in Python's notation: parts between spaces, `$A` and `$B` for the texts, each with `:type_id`
 * (0 if there is none), such as "[CLS]:0 $A:0 [SEP]:0". `id_of` gives the ids of the tokens; `more` are known to the
 * template and not used.
 */
export function template(
  single: string,
  pair: string,
  id_of: (token: string) => number,
  more: readonly string[] = [],
): Component {
  const tokens = new Set<string>(more);
  const parts = (text: string) =>
    text.split(" ").map((part) => {
      const [, id, type] = /^(.+?)(?::(\d+))?$/.exec(part)!;
      const type_id = Number(type ?? 0);
      if (id === "$A" || id === "$B") return { Sequence: { id: id.slice(1), type_id } };
      tokens.add(id!);
      return { SpecialToken: { id, type_id } };
    });
  const [of_one, of_two] = [parts(single), parts(pair)];
  return {
    type: "TemplateProcessing",
    single: of_one,
    pair: of_two,
    special_tokens: Object.fromEntries([...tokens].map((id) => [id, { id, ids: [id_of(id)], tokens: [id] }])),
  };
}

// The arguments of forward() of a model of texts.
import { expected } from "../errors.js";
import { is_tensor, type Tensor, tensor } from "../tensor/index.js";
import { type Arguments, is_given } from "./batch.js";
import type { GeneratingTextModel } from "./generating_text_model.js";
import type { Head } from "./heads.js";

type TextModelClass = typeof GeneratingTextModel;

const OPTIONS = ["output_hidden_states", "output_attentions", "return_dict", "use_cache"];
const known = new WeakMap<TextModelClass, ReadonlySet<string>>();

/** Names of what forward() of a class takes. */
export function known_arguments(type: TextModelClass): ReadonlySet<string> {
  let names = known.get(type);
  if (!names) {
    const given = ["input_ids", "inputs_embeds", "attention_mask", ...type.token_inputs, ...type.optional_inputs];
    given.push(...type.head.labels, ...OPTIONS);
    if (type.takes_position_ids) given.push("position_ids");
    if (type.head.cached) given.push("past_key_values");
    if (type.takes_logits_to_keep) given.push("logits_to_keep");
    names = new Set(given);
    known.set(type, names);
  }
  return names;
}

/** Whether a call says what the head is to give. */
export const has_labels = (args: Arguments, { labels }: Head): boolean => labels.some((name) => is_given(args[name]));

/** Makes rows of the choices, [rows, choices, length]: the inputs lose an axis. Returns the number of choices. */
export function flatten_choices(args: Arguments): number {
  let choices: number | undefined;
  for (const name of ["input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds"]) {
    const value = args[name];
    if (value === undefined || value === null) continue;
    const all = is_tensor(value) ? (value as Tensor) : tensor(value as number[][][]);
    const axes = name === "inputs_embeds" ? 4 : 3;
    if (all.dims.length !== axes)
      throw expected(`a tensor of ${axes} axes, [rows, choices, length, …]`, name, `dims [${all.dims}]`);
    choices ??= all.dims[1];
    args[name] = all.view(all.dims[0] * all.dims[1], ...all.dims.slice(2));
  }
  return choices ?? 1;
}

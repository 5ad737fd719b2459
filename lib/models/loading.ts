// Brings a checkpoint's tensors under the names that a model expects, and says what did not fit.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_utils.py `_load_pretrained_model`
import { TransformersError, warn_once } from "../errors.js";
import type { NativeStateDict } from "../native.js";
import { initialize, type ParameterSpec } from "./initialization.js";

/** What Python returns with `output_loading_info=True`. */
export interface LoadingInfo {
  missing_keys: string[];
  unexpected_keys: string[];
  mismatched_keys: [string, number[], number[]][];
  error_msgs: string[];
}

export interface LoadingRules {
  class_name: string;
  name_or_path: string;
  base_model_prefix: string;
  parameters: readonly ParameterSpec[];
  /** `[tied, source]`: the first has no tensor of its own. */
  tied: readonly (readonly [string, string])[];
  /** Names that checkpoints carry and no model needs, such as computed buffers. */
  ignore_unexpected: readonly RegExp[];
  ignore_missing: readonly RegExp[];
  key_mapping?: Record<string, string> | undefined;
  ignore_mismatched_sizes: boolean;
  initializer_range: number;
}

/** Names of old checkpoints, and what the same tensors are called now. */
const OLD_NAMES: [RegExp, string][] = [
  [/LayerNorm\.beta$/, "LayerNorm.bias"],
  [/LayerNorm\.gamma$/, "LayerNorm.weight"],
  [/weight_g$/, "parametrizations.weight.original0"],
  [/weight_v$/, "parametrizations.weight.original1"],
];

function renamed(key: string, mapping: Record<string, string>): string {
  let name = key;
  for (const [old, now] of OLD_NAMES) name = name.replace(old, now);
  for (const [pattern, replacement] of Object.entries(mapping))
    if (new RegExp(pattern).test(name)) return name.replace(new RegExp(pattern, "g"), replacement);
  return name;
}

/**
 * Brings the tensors under the model's names: old ones, the caller's mapping, and the prefix of the base model, which a
 * checkpoint of another head has or lacks. Returns what belongs to another head, by its name in the checkpoint.
 */
function rename_keys(state: NativeStateDict, rules: LoadingRules): { strangers: string[]; adds_prefix: boolean } {
  const prefix = `${rules.base_model_prefix}.`;
  const has_prefix = state.keys().some((key) => key.startsWith(rules.base_model_prefix));
  const wants_prefix = rules.parameters.some(({ name }) => name.startsWith(prefix));
  const adds_prefix = wants_prefix && !has_prefix;
  const own = new Set(rules.parameters.filter(({ name }) => !name.startsWith(prefix)).map(({ name }) => name));
  const base = new Set(rules.parameters.map(({ name }) => name).filter((name) => name.startsWith(prefix)));
  const strangers: string[] = [];
  for (const key of state.keys()) {
    let name = renamed(key, rules.key_mapping ?? {});
    if (adds_prefix) {
      if (own.has(name) && !base.has(prefix + name))
        throw new TransformersError(
          "The state dictionary of the model you are trying to load is corrupted. Are you sure it was properly saved?",
          "checkpoint_invalid",
        );
      name = prefix + name;
    } else if (has_prefix && !wants_prefix) {
      if (!name.startsWith(prefix)) {
        strangers.push(key);
        state.delete(key);
        continue;
      }
      name = name.slice(prefix.length);
    }
    if (name !== key) state.rename(key, name);
  }
  return { strangers, adds_prefix };
}

/** The groups of names that share one tensor. */
function tied_groups(tied: LoadingRules["tied"]): Set<string>[] {
  const groups: Set<string>[] = [];
  for (const pair of tied) {
    const group = groups.find((names) => pair.some((name) => names.has(name)));
    if (group) for (const name of pair) group.add(name);
    else groups.push(new Set(pair));
  }
  return groups;
}

/** Makes `state` exactly the model's tensors: repaired, tied, and complete; missing ones are drawn anew. */
export function reconcile(state: NativeStateDict, rules: LoadingRules): LoadingInfo {
  const { strangers, adds_prefix } = rename_keys(state, rules);
  const wanted = new Map(rules.parameters.map((parameter) => [parameter.name, parameter]));
  const unexpected = state.keys().filter((key) => !wanted.has(key));
  for (const key of unexpected) state.delete(key);
  const prefix = adds_prefix ? `${rules.base_model_prefix}.` : "";
  const info: LoadingInfo = {
    missing_keys: [],
    unexpected_keys: [...unexpected, ...strangers]
      .filter((key) => !rules.ignore_unexpected.some((pattern) => pattern.test(key)))
      .map((key) => (key.startsWith(prefix) ? key.slice(prefix.length) : key))
      .sort(),
    mismatched_keys: [],
    error_msgs: [],
  };

  // One of a group brings the others.
  for (const group of tied_groups(rules.tied)) {
    const found = [...group].find((name) => state.has(name));
    if (found) for (const name of group) if (wanted.has(name) && !state.has(name)) state.alias(name, found);
  }
  const tied = new Map(rules.tied);
  const fresh: ParameterSpec[] = [];
  for (const parameter of rules.parameters) {
    const { name, shape } = parameter;
    if (!state.has(name)) {
      if (!rules.ignore_missing.some((pattern) => pattern.test(name))) info.missing_keys.push(name);
      if (!tied.has(name)) fresh.push(parameter);
      continue;
    }
    const found = state.info(name).shape;
    if (found.length !== shape.length || found.some((size, i) => size !== shape[i])) {
      info.mismatched_keys.push([name, found, shape]);
      if (!tied.has(name)) fresh.push(parameter);
    }
  }
  info.missing_keys.sort();
  report(info, rules);
  initialize(state, fresh, { initializer_range: rules.initializer_range });
  for (const [name, source] of tied) state.alias(name, source);
  return info;
}

const size = (shape: number[]) => `torch.Size([${shape.join(", ")}])`;

function report(info: LoadingInfo, { class_name, name_or_path, ignore_mismatched_sizes }: LoadingRules): void {
  const { missing_keys, unexpected_keys, mismatched_keys } = info;
  if (mismatched_keys.length > 0 && !ignore_mismatched_sizes) {
    const lines = mismatched_keys.map(
      ([name, found, shape]) =>
        `\tsize mismatch for ${name}: copying a param with shape ${size(found)} from checkpoint, the shape in current model is ${size(shape)}.`,
    );
    throw new TransformersError(
      `Error(s) in loading state_dict for ${class_name}:\n${lines.join("\n")}\n` +
        "\tYou may consider adding `ignore_mismatched_sizes: true` in the model `from_pretrained` method.",
      "size_mismatch",
    );
  }
  const train =
    "You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.";
  if (unexpected_keys.length > 0)
    warn_once(
      `Some weights of the model checkpoint at ${name_or_path} were not used when initializing ${class_name}: ${unexpected_keys.join(", ")}`,
    );
  if (missing_keys.length > 0)
    warn_once(
      `Some weights of ${class_name} were not initialized from the model checkpoint at ${name_or_path} and are newly initialized: ${missing_keys.join(", ")}\n${train}`,
    );
  if (mismatched_keys.length > 0) {
    const lines = mismatched_keys.map(
      ([name, found, shape]) =>
        `- ${name}: found shape ${size(found)} in the checkpoint and ${size(shape)} in the model instantiated`,
    );
    warn_once(
      `Some weights of ${class_name} were not initialized from the model checkpoint at ${name_or_path} and are newly initialized because the shapes did not match:\n${lines.join("\n")}\n${train}`,
    );
  }
}

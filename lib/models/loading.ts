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
  key_mapping?: Record<string, string> | undefined;
  ignore_mismatched_sizes: boolean;
  initializer_range: number;
}

/** Renames keys: the caller's mapping, then the prefix of the base model, added or taken away as the model wants it. */
function rename_keys(state: NativeStateDict, rules: LoadingRules): void {
  for (const [pattern, replacement] of Object.entries(rules.key_mapping ?? {})) {
    const regex = new RegExp(pattern);
    for (const key of state.keys()) if (regex.test(key)) state.rename(key, key.replace(regex, replacement));
  }
  const wanted = new Set(rules.parameters.map((parameter) => parameter.name));
  const prefix = `${rules.base_model_prefix}.`;
  for (const key of state.keys()) {
    if (wanted.has(key)) continue;
    const other = key.startsWith(prefix) ? key.slice(prefix.length) : prefix + key;
    if (wanted.has(other) && !state.has(other)) state.rename(key, other);
  }
}

/** Makes `state` exactly the model's tensors: repaired, tied, and complete; missing ones are drawn anew. */
export function reconcile(state: NativeStateDict, rules: LoadingRules): LoadingInfo {
  rename_keys(state, rules);
  const tied = new Map(rules.tied);
  const wanted = new Map(rules.parameters.map((parameter) => [parameter.name, parameter]));
  const info: LoadingInfo = { missing_keys: [], unexpected_keys: [], mismatched_keys: [], error_msgs: [] };

  for (const key of state.keys()) {
    if (wanted.has(key)) continue;
    if (!tied.has(key) && !rules.ignore_unexpected.some((pattern) => pattern.test(key))) info.unexpected_keys.push(key);
    state.delete(key);
  }
  const fresh: ParameterSpec[] = [];
  for (const parameter of rules.parameters) {
    const { name, shape } = parameter;
    if (tied.has(name)) continue;
    if (!state.has(name)) {
      info.missing_keys.push(name);
      fresh.push(parameter);
      continue;
    }
    const found = state.info(name).shape;
    if (found.length !== shape.length || found.some((size, i) => size !== shape[i])) {
      info.mismatched_keys.push([name, found, shape]);
      fresh.push(parameter);
    }
  }
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

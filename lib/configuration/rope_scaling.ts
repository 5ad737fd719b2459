// Checks of `rope_scaling`, as `rope_config_validation` of modeling_rope_utils.py: a missing key is an error, the rest warnings.
import { TransformersError, warn_once } from "../errors.js";
import { repr } from "../python.js";
import type { PretrainedConfig } from "./pretrained_config.js";

/** Keys of each kind: required, then optional. */
const KEYS: Record<string, [required: string[], optional?: string[]]> = {
  default: [[]],
  linear: [["factor"]],
  dynamic: [["factor"], ["original_max_position_embeddings"]],
  yarn: [
    ["factor"],
    [
      "attention_factor",
      "beta_fast",
      "beta_slow",
      "original_max_position_embeddings",
      "mscale",
      "mscale_all_dim",
      "truncate",
    ],
  ],
  longrope: [
    ["short_factor", "long_factor"],
    ["attention_factor", "factor", "original_max_position_embeddings"],
  ],
  llama3: [["factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"]],
};

/** Throws TransformersError `config_invalid` for a missing key; warns of unknown keys and values out of range. */
export function check_rope_scaling(config: PretrainedConfig): void {
  const scaling: Record<string, unknown> | null | undefined = config.rope_scaling;
  if (!scaling) return;
  const type = String(scaling.rope_type ?? scaling.type ?? "default");
  const keys = KEYS[type];
  if (!keys) {
    warn_once(`Missing validation function mapping in \`ROPE_VALIDATION_FUNCTIONS\` for 'rope_type'='${type}'`);
    return;
  }
  const required = ["rope_type", ...keys[0]];
  const received = Object.keys(scaling).filter((key) => key !== "type");
  if (!received.includes("rope_type") && "type" in scaling) received.push("rope_type");
  const list = (names: string[]) => `{${names.map((name) => repr(name)).join(", ")}}`;
  const missing = required.filter((key) => !received.includes(key));
  if (missing.length > 0) {
    const message = `Missing required keys in \`rope_scaling\` for 'rope_type'='${type}': ${list(missing)}`;
    throw new TransformersError(message, "config_invalid");
  }
  const unused = received.filter((key) => !required.includes(key) && !keys[1]?.includes(key));
  if (unused.length > 0) warn_once(`Unrecognized keys in \`rope_scaling\` for 'rope_type'='${type}': ${list(unused)}`);

  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings: original } = scaling;
  const is_number = (value: unknown): value is number => typeof value === "number";
  if (keys[0].includes("factor") && !(is_number(factor) && factor >= 1)) {
    warn_once(`\`rope_scaling\`'s factor field must be a float >= 1, got ${repr(factor)}`);
  }
  if (
    type === "llama3" &&
    !(is_number(low_freq_factor) && is_number(high_freq_factor) && high_freq_factor > low_freq_factor)
  ) {
    warn_once(
      "`rope_scaling`'s high_freq_factor field must be greater than low_freq_factor, got high_freq_factor=" +
        `${repr(high_freq_factor)} and low_freq_factor=${repr(low_freq_factor)}`,
    );
  }
  if (type === "llama3" && is_number(original) && original >= config.max_position_embeddings) {
    warn_once(
      "`rope_scaling`'s original_max_position_embeddings field must be less than max_position_embeddings, got " +
        `${original} and max_position_embeddings=${config.max_position_embeddings}`,
    );
  }
  if (type === "yarn" && is_number(original) && config.max_position_embeddings / original !== factor) {
    warn_once(
      `The explicitly set RoPE scaling factor (config.rope_scaling['factor'] = ${repr(factor)}) does not match the ratio ` +
        "config.max_position_embeddings / config.rope_scaling['original_max_position_embeddings'] = " +
        `${config.max_position_embeddings / original}. The explicit factor is used.`,
    );
  }
}

// Configuration classes made from the tables that scripts/generate-configs.py writes.
import { TransformersError } from "../errors.js";
import { parse_json } from "../python_json.js";
import { TABLES } from "./generated/tables.js";
import { type ConfigClass, type ConfigDict, PretrainedConfig } from "./pretrained_config.js";
import { RULES } from "./rules.js";

interface Table {
  class_name: string;
  defaults: ConfigDict;
  attribute_map?: Record<string, string>;
  /** Arguments that take another's value when they are null. */
  fallbacks?: Record<string, string>;
  keys_to_ignore_at_inference?: string[];
  base_config_key?: string;
  sub_configs?: Record<string, string>;
  model_type?: string;
}

const classes = new Map<string, ConfigClass>();

/** The class of a model type that has a table; undefined for others. Its table is parsed when it is first needed. */
export function config_class(model_type: string): ConfigClass | undefined {
  if (!Object.hasOwn(TABLES, model_type)) return undefined;
  const known = classes.get(model_type);
  if (known) return known;
  let parsed: Table | undefined;
  const table = (): Table => (parsed ??= parse_json(TABLES[model_type]!) as Table);
  const fixed: Record<string, () => unknown> = {
    name: () => table().class_name,
    model_type: () => table().model_type ?? model_type,
    defaults: () => table().defaults,
    attribute_map: () => table().attribute_map ?? {},
    sub_configs: () => table().sub_configs ?? {},
    base_config_key: () => table().base_config_key ?? "",
    keys_to_ignore_at_inference: () => table().keys_to_ignore_at_inference ?? [],
  };
  const made = class extends PretrainedConfig {
    protected static override complete(config: PretrainedConfig, given: ConfigDict): void {
      for (const [name, source] of Object.entries(table().fallbacks ?? {})) config[name] ??= config[source];
      RULES[model_type]?.(config, given, make_config);
    }
  };
  for (const [name, get] of Object.entries(fixed)) Object.defineProperty(made, name, { get, configurable: true });
  classes.set(model_type, made);
  return made;
}

function make_config(model_type: string, kwargs: ConfigDict = {}): PretrainedConfig {
  const made = config_class(model_type);
  if (!made) throw new TransformersError(`There is no configuration class for ${model_type} here.`, "config_unknown");
  return new made(kwargs);
}

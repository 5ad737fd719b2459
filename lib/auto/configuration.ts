// AutoConfig: the configuration class that a checkpoint's `model_type` names.
import { config_class } from "../configuration/from_table.js";
import { MODEL_TYPES } from "../configuration/generated/tables.js";
import { type ConfigOptions, get_config_dict } from "../configuration/loading.js";
import { type ConfigClass, type ConfigDict, is_dict, PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError, warn_once } from "../errors.js";

const registered = new Map<string, ConfigClass>();

/** The class for a model type: a registered one, or Python's. */
export function config_class_for(model_type: string): ConfigClass | undefined {
  return registered.get(model_type) ?? config_class(model_type);
}

function model_types(): string[] {
  return [...MODEL_TYPES, ...registered.keys()];
}

function unknown_type(model_type: string): TransformersError {
  const known = MODEL_TYPES.includes(model_type);
  return new TransformersError(
    `The checkpoint you are trying to load has model type \`${model_type}\` but ` +
      (known
        ? "ggml-transformers does not have this architecture yet."
        : "Transformers does not recognize this architecture. This could be because of an issue with the checkpoint, or " +
          "because your version of ggml-transformers is out of date.") +
      ` You can give it a class of your own: AutoConfig.register("${model_type}", MyConfig).`,
    "config_unknown",
  );
}

/** Makes configurations of the right class. Not to be constructed. */
export class AutoConfig {
  constructor() {
    throw new TransformersError(
      "AutoConfig is designed to be instantiated using the " +
        "`AutoConfig.from_pretrained(pretrained_model_name_or_path)` method.",
      "not_constructible",
    );
  }

  /** A configuration of a model type, with its defaults or with `kwargs`. */
  static for_model(model_type: string, kwargs: ConfigDict = {}): PretrainedConfig {
    const cls = config_class_for(model_type);
    if (cls) return new cls(kwargs);
    if (MODEL_TYPES.includes(model_type)) throw unknown_type(model_type);
    throw new TransformersError(
      `Unrecognized model identifier: ${model_type}. Should contain one of ${model_types().join(", ")}`,
      "config_unknown",
    );
  }

  /**
   * Loads the configuration of a checkpoint: of the class that its `model_type` names, or, without one, the longest
   * model type in the path. Options whose names are fields override them; the others are ignored, or come second with
   * `return_unused_kwargs`.
   */
  static from_pretrained(
    name_or_path: string,
    options: ConfigOptions & { return_unused_kwargs: true },
  ): Promise<[PretrainedConfig, ConfigDict]>;
  static from_pretrained(name_or_path: string, options?: ConfigOptions): Promise<PretrainedConfig>;
  static async from_pretrained(name_or_path: string, options: ConfigOptions = {}): Promise<unknown> {
    const [dict, kwargs] = await get_config_dict(name_or_path, options);
    const given = { ...kwargs, name_or_path };
    let model_type = dict.model_type;
    const auto_map = dict.auto_map;
    if (is_dict(auto_map) && "AutoConfig" in auto_map) {
      warn_of_code(name_or_path, options.trust_remote_code, Boolean(config_class_for(String(model_type))));
    }
    if (model_type === "mistral" && "layer_types" in dict) model_type = dict.model_type = "ministral";
    if (model_type !== undefined) {
      const cls = config_class_for(String(model_type));
      if (!cls) throw unknown_type(String(model_type));
      return cls.from_dict(dict, given);
    }
    const longest_first = model_types().sort((a, b) => b.length - a.length);
    const pattern = longest_first.find((type) => name_or_path.includes(type));
    if (pattern !== undefined) {
      const cls = config_class_for(pattern);
      if (!cls) throw unknown_type(pattern);
      return cls.from_dict(dict, given);
    }
    throw new TransformersError(
      `Unrecognized model in ${name_or_path}. Should have a \`model_type\` key in its config.json, or contain one of ` +
        `the following strings in its name: ${model_types().join(", ")}`,
      "config_unknown",
    );
  }

  /** Makes a class of your own known. Its `static model_type` must be the same. */
  static register(model_type: string, config: ConfigClass, options: { exist_ok?: boolean } = {}): void {
    if (typeof config !== "function" || !(config.prototype instanceof PretrainedConfig)) {
      throw expected("a class that extends PretrainedConfig", "config", config);
    }
    if (config.model_type !== model_type) {
      throw new TypeError(
        "The config you are passing has a `model_type` attribute that is not consistent with the model type you passed " +
          `(config has ${config.model_type} and you passed ${model_type}. Fix one of those so they match!`,
      );
    }
    if (model_types().includes(model_type) && !options.exist_ok) {
      throw new TypeError(`'${model_type}' is already used by a Transformers config, pick another name.`);
    }
    registered.set(model_type, config);
  }
}

/** Code of a repository is Python. Where this package has the architecture, its own code is used. */
function warn_of_code(name: string, trust: boolean | undefined, has_own: boolean): void {
  if (!has_own) {
    throw new TransformersError(
      `The repository ${name} contains custom code which must be executed to correctly load the model. It is Python ` +
        "code, which cannot run here: register a class of your own by AutoConfig.register.",
      "remote_code",
    );
  }
  if (trust)
    warn_once(`trust_remote_code: the code of ${name} is Python and cannot run here; the built-in one is used.`);
}

import { expected, TransformersError, warn_once } from "../errors.js";
import { split_hub_options } from "../hub/cached_file.js";
import type { PreTrainedTokenizerBase } from "../tokenization/base.js";
import { TOKENIZER_CLASSES } from "../tokenization/classes.js";
import { PreTrainedTokenizerFast } from "../tokenization/fast.js";
import { CheckpointFiles, load_gguf, type PretrainedOptions } from "../tokenization/loading.js";
import { REFUSED_TOKENIZER_CLASSES, SLOW_TOKENIZER_CLASSES } from "../tokenization/slow_classes.js";
import { MODEL_TYPES_OF_TOKENIZERS } from "./tokenizer_names.js";

type TokenizerClass = typeof PreTrainedTokenizerFast;
/** A class of either kind, as far as loading needs it. */
interface Loadable {
  from_pretrained(name_or_path: string, options?: PretrainedOptions): Promise<unknown>;
}

/** Options of `AutoTokenizer.from_pretrained`. */
export interface AutoTokenizerOptions extends PretrainedOptions {
  /** A configuration to choose the class by, instead of the checkpoint's. */
  config?: { model_type?: string; tokenizer_class?: string | null };
  /** A model type, such as "bert", to choose the class by. */
  tokenizer_type?: string;
  /** Python's slow tokenizers have no counterpart: false warns. */
  use_fast?: boolean;
}

const by_model_type = new Map(
  Object.entries(MODEL_TYPES_OF_TOKENIZERS).flatMap(([name, types]) =>
    types.split(" ").map((type) => [type, name] as const),
  ),
);
const registered = new Map<string, TokenizerClass>();

/** The class of a name in tokenizer_config.json, with or without "Fast". */
function class_of_name(name: string): TokenizerClass | undefined {
  const own = [...registered.values()].find((class_) => class_.name === name || class_.name === `${name}Fast`);
  return own ?? TOKENIZER_CLASSES.get(name.endsWith("Fast") ? name : `${name}Fast`) ?? TOKENIZER_CLASSES.get(name);
}

function class_of_model_type(model_type: string): TokenizerClass | undefined {
  const name = by_model_type.get(model_type);
  return registered.get(model_type) ?? (name === undefined ? undefined : class_of_name(name));
}

/** The class of two tokenizers, which needs AutoTokenizer itself. */
const RAG: Loadable = {
  from_pretrained: async (...args) => (await import("./rag_tokenizer.js")).RagTokenizer.from_pretrained(...args),
};

/** The same with the classes that have no fast form. */
function loadable_of_name(name: string): Loadable | undefined {
  if (name === "RagTokenizer") return RAG;
  const class_ = class_of_name(name) ?? (SLOW_TOKENIZER_CLASSES.get(name) as Loadable | undefined);
  const reason = class_ ? undefined : REFUSED_TOKENIZER_CLASSES.get(name.replace(/Fast$/, ""));
  if (reason === undefined) return class_;
  throw new TransformersError(`Tokenizer class ${name} is not supported: ${reason}.`, "not_supported");
}
function loadable_of_model_type(model_type: string): Loadable | undefined {
  return class_of_model_type(model_type) ?? loadable_of_name(by_model_type.get(model_type) ?? "");
}

function known_types(): string {
  return [...new Set([...by_model_type.keys(), ...registered.keys()])].sort().join(", ");
}

async function choose_class(files: CheckpointFiles, options: AutoTokenizerOptions): Promise<Loadable> {
  const { tokenizer_type, config: given } = options;
  if (tokenizer_type !== undefined) {
    const class_ = loadable_of_model_type(tokenizer_type);
    if (class_) return class_;
    throw new TypeError(
      `Passed \`tokenizer_type\` ${tokenizer_type} does not exist. \`tokenizer_type\` should be one of ${known_types()}.`,
    );
  }
  const tokenizer_config = (await files.json("tokenizer_config.json")) ?? {};
  const config = given ?? (await files.json("config.json")) ?? {};
  const name = tokenizer_config["tokenizer_class"] ?? config.tokenizer_class;
  if (typeof name === "string") {
    const class_ = loadable_of_name(name);
    if (class_) return class_;
    throw new TransformersError(
      `Tokenizer class ${name} does not exist or is not currently imported.`,
      "tokenizer_class_unknown",
    );
  }
  const class_ = typeof config.model_type === "string" ? loadable_of_model_type(config.model_type) : undefined;
  if (class_) return class_;
  throw new TransformersError(
    config.model_type
      ? `Unrecognized model type ${String(config.model_type)} to build an AutoTokenizer.\nModel type should be one of ${known_types()}.`
      : `${files.name} names no tokenizer class: it has neither a tokenizer_config.json with tokenizer_class nor a config.json with model_type`,
    "tokenizer_class_unknown",
  );
}

/** Finds and loads the right tokenizer for a checkpoint. */
export const AutoTokenizer = {
  /**
   * Loads a tokenizer from a local folder, the cache, or the Hub; options that are neither the Hub's nor listed go to the
   * tokenizer's constructor (`padding_side`, `unk_token`, …), as in Python. Marian's and Wav2Vec2's tokenizers have no
   * fast form: they are PreTrainedTokenizers (`is_fast` is false), which share all but what only fast ones have. TypeScript
   * takes the class's name for them: `AutoTokenizer.from_pretrained<MarianTokenizer>("Helsinki-NLP/opus-mt-en-de")`.
   */
  async from_pretrained<T extends PreTrainedTokenizerBase = PreTrainedTokenizerFast>(
    name_or_path: string,
    options: AutoTokenizerOptions = {},
  ): Promise<T> {
    const { config: _config, tokenizer_type: _type, use_fast = true, ...rest } = options;
    if (!use_fast) warn_once("use_fast=false: there are no slow tokenizers here; the fast one is used.");
    const [hub, { gguf_file, ...given }] = split_hub_options(rest as PretrainedOptions);
    const files = new CheckpointFiles(name_or_path, hub);
    if (typeof gguf_file === "string") {
      const class_of = (architecture: string) => class_of_model_type(architecture) ?? PreTrainedTokenizerFast;
      return (await load_gguf(class_of, files, gguf_file, given)) as PreTrainedTokenizerBase as T;
    }
    const class_ = await choose_class(files, options);
    return class_.from_pretrained(name_or_path, rest) as Promise<T>;
  },

  /** Adds a tokenizer class of one's own for a configuration class's model type. */
  register(
    config_class: { model_type?: string; name: string },
    classes: { fast_tokenizer_class?: TokenizerClass; slow_tokenizer_class?: TokenizerClass; exist_ok?: boolean },
  ): void {
    const class_ = classes.fast_tokenizer_class ?? classes.slow_tokenizer_class;
    if (!class_) throw new TypeError("You need to pass either a `slow_tokenizer_class` or a `fast_tokenizer_class`");
    const model_type = config_class.model_type;
    if (!model_type) throw expected("a configuration class with a static model_type", "config_class", config_class);
    if ((registered.has(model_type) || by_model_type.has(model_type)) && !classes.exist_ok) {
      throw new TypeError(
        `'${config_class.name}' is already used by a Transformers tokenizer; pass exist_ok to replace it.`,
      );
    }
    registered.set(model_type, class_);
  },
};

// pipeline(): from a task's name to a pipeline over a model and its tokenizer.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/__init__.py
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import { HUB_OPTION_NAMES, type HubOptions } from "../hub/cached_file.js";
import { PreTrainedModel } from "../models/pretrained.js";
import type { NoOptions, Pipeline } from "../pipelines/base.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import {
  type AllTasks,
  type ConfiguredTasks,
  PIPELINE_REGISTRY,
  type PipelineClass,
  type PipelineType,
  type TaskDefinition,
} from "./tasks.js";
import { AutoTokenizer } from "./tokenizer.js";

/** Options for the model alone. */
const PLACEMENT = ["device", "device_map", "n_threads", "n_gpu_layers", "session_options"] as const;
/** Options for the files of model and tokenizer. */
const FILES = [...HUB_OPTION_NAMES, "trust_remote_code", "gguf_file"] as const;

/** Where model and tokenizer come from; every other option is the pipeline's own, and can be given in its calls too. */
export interface PipelineOptions extends HubOptions {
  model?: string | PreTrainedModel | null;
  /** Default: the model's. */
  tokenizer?: string | PreTrainedTokenizerFast | null;
  /** Default: the model's. */
  config?: string | PretrainedConfig;
  /** Default "auto": as the checkpoint. */
  dtype?: string;
  torch_dtype?: string;
  device?: string | number;
  device_map?: string;
  n_threads?: number;
  n_gpu_layers?: number;
  /** transformers.js's: `intraOpNumThreads` is `n_threads`. */
  session_options?: { intraOpNumThreads?: number };
  gguf_file?: string;
  use_fast?: boolean;
  trust_remote_code?: boolean;
  /** Python's "pt"; there is no other. */
  framework?: "pt";
  /** More arguments for the model's `from_pretrained`. */
  model_kwargs?: Record<string, unknown>;
  /** Instead of the task's. */
  pipeline_class?: PipelineClass;
  batch_size?: number;
  [option: string]: unknown;
}

/** What `pipeline()` makes for a task with the options `O`. */
type PipelineOf<Task extends PipelineType, O> = Task extends keyof ConfiguredTasks<O>
  ? ConfiguredTasks<O>[Task]
  : AllTasks[Task];

function pick(options: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

/** The dtype of the model to load; it may stand in three places. */
function wanted_dtype({ dtype, torch_dtype, model_kwargs = {} }: PipelineOptions): string {
  const named = dtype ?? torch_dtype;
  const inner = (model_kwargs["dtype"] ?? model_kwargs["torch_dtype"]) as string | undefined;
  if (inner !== undefined && named !== undefined && named !== "auto")
    throw new TypeError(
      "You cannot use both `pipeline(... dtype=..., model_kwargs={'dtype':...})` as those arguments might conflict, use only one.",
    );
  return inner ?? named ?? "auto";
}

/** A model that was loaded before: it can still move to a device, and nothing more. */
function place(
  model: PreTrainedModel,
  options: PipelineOptions,
  definition: TaskDefinition,
  task: string,
): PreTrainedModel {
  const { device, dtype, torch_dtype, ...rest } = options;
  const late = [...PLACEMENT, "config", "model_kwargs"].find((name) => rest[name] !== undefined);
  if (late) throw new TypeError(`\`${late}\` is for the loading of a model, and the model given is loaded already`);
  const names = definition.auto_model.class_names?.() ?? [];
  if (names.length > 0 && !names.includes(model.constructor.name))
    warn_once(
      `The model '${model.constructor.name}' is not supported for ${task}. Supported models are ${names.join(", ")}.`,
    );
  const type = dtype ?? torch_dtype ?? "auto";
  if (type !== "auto") model.to({ dtype: type });
  return device === undefined ? model : model.to({ device: device as string });
}

/**
 * A pipeline for a task: `await pipeline("sentiment-analysis")`, `await pipeline("ner", "dslim/bert-base-NER")`,
 * `await pipeline("ner", { model, tokenizer, aggregation_strategy: "simple" })`.
 * Without a model, Python's default checkpoint of the task.
 * @throws TransformersError for an unknown task or missing files, TypeError for options that do not exist.
 */
export async function pipeline<Task extends PipelineType, const O extends PipelineOptions = NoOptions>(
  task: Task,
  model?: string | PreTrainedModel | null,
  options?: O,
): Promise<PipelineOf<Task, O>>;
export async function pipeline<Task extends PipelineType, const O extends PipelineOptions>(
  task: Task,
  options: O,
): Promise<PipelineOf<Task, O>>;
/** A task that `PIPELINE_REGISTRY.register_pipeline` added. */
export async function pipeline(
  task: string,
  model?: string | PreTrainedModel | PipelineOptions | null,
  options?: PipelineOptions,
): Promise<Pipeline & ((inputs: unknown, options?: Record<string, unknown>) => Promise<unknown>)>;
export async function pipeline(
  task: string,
  model?: string | PreTrainedModel | PipelineOptions | null,
  options: PipelineOptions = {},
): Promise<unknown> {
  const all: PipelineOptions =
    typeof model === "object" && model !== null && !(model instanceof PreTrainedModel)
      ? { ...model, ...options }
      : { ...options, ...(model ? { model: model as string | PreTrainedModel } : {}) };
  if (typeof task !== "string") throw expected("a task's name", "task", task);
  const [name, definition] = PIPELINE_REGISTRY.check_task(task);
  const { model: given_model, tokenizer, config, framework = "pt", pipeline_class, ...rest } = all;
  const { dtype: _d, torch_dtype: _t, model_kwargs, use_fast, ...own } = rest;
  if (framework !== "pt") throw expected('"pt"', "framework", framework);
  if (!given_model && tokenizer)
    throw new TransformersError(
      "Impossible to instantiate a pipeline with tokenizer specified but not the model as the provided tokenizer may not be compatible with the default model.",
      "no_model",
    );
  for (const key of [...PLACEMENT, ...FILES]) delete own[key];

  const files = pick(all, FILES);
  const wanted = given_model || default_model(task, definition, files);
  const loaded =
    typeof wanted === "string"
      ? await definition.auto_model.from_pretrained(wanted, {
          ...files,
          ...pick(all, PLACEMENT),
          ...model_kwargs,
          dtype: wanted_dtype(all),
          ...(config ? { config } : {}),
        })
      : place(wanted, all, definition, name);
  const tok =
    tokenizer && typeof tokenizer !== "string"
      ? tokenizer
      : await AutoTokenizer.from_pretrained(tokenizer_name(tokenizer, loaded), {
          ...files,
          ...(use_fast === undefined ? {} : { use_fast }),
        });
  const { progress_callback } = files as { progress_callback?: (event: object) => void };
  progress_callback?.({ status: "ready", task: name, model: loaded.name_or_path });
  const parts = { task: task_of(task, loaded), model: loaded, tokenizer: tok };
  return new (pipeline_class ?? definition.pipeline)(parts, own);
}

/** Of a translation that does not name its languages: the first one that the model's configuration knows. */
function task_of(task: string, { config }: PreTrainedModel): string {
  if (task !== "translation") return task;
  const by_task = (config as unknown as { task_specific_params?: object | null }).task_specific_params ?? {};
  const named = Object.keys(by_task).find((name) => name.startsWith("translation"));
  if (named === undefined) return task;
  warn_once(`"translation" task was used, instead of "translation_XX_to_YY", defaulting to "${named}"`);
  return named;
}

/** The default checkpoint of a task, with Python's warning; sets its revision. */
function default_model(task: string, definition: TaskDefinition, files: Record<string, unknown>): string {
  const model = definition.models ? named_model(task, definition.models) : definition.model;
  if (!model) throw new TransformersError(`The task ${task} has no default model. Please provide one`, "no_model");
  const [checkpoint, revision] = model;
  files["revision"] ??= revision;
  warn_once(
    `No model was supplied, defaulted to ${checkpoint} and revision ${files["revision"]} (https://huggingface.co/${checkpoint}).\n` +
      "Using a pipeline without specifying a model name and revision in production is not recommended.",
  );
  return checkpoint;
}

/** … of a task whose name says what it is asked. */
function named_model(task: string, models: NonNullable<TaskDefinition["models"]>): TaskDefinition["model"] {
  const [, source, , target] = task.split("_");
  if (!target)
    throw new TransformersError(
      'The task defaults can\'t be correctly selected. You probably meant "translation_xx_to_yy"',
      "no_model",
    );
  const model = models[`${source}_to_${target}`];
  if (model) return model;
  throw new TransformersError(
    `The task does not provide any default models for options ('${source}', '${target}')`,
    "no_model",
  );
}

function tokenizer_name(given: string | null | undefined, model: PreTrainedModel): string {
  const name = given ?? model.name_or_path;
  if (name) return name;
  throw new TransformersError(
    "Impossible to guess which tokenizer to use. Please provide a PreTrainedTokenizer class or a path/identifier to a pretrained tokenizer.",
    "no_tokenizer",
  );
}

// pipeline(): from a task's name to a pipeline over a model and its tokenizer.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/__init__.py
import { expected, TransformersError, warn_once } from "../errors.js";
import { HUB_OPTION_NAMES } from "../hub/cached_file.js";
import { PreTrainedModel } from "../models/pretrained.js";
import type { Pipeline, PipelineParts } from "../pipelines/base.js";
import { type Chat, type TextGenerationOutput, TextGenerationPipeline } from "../pipelines/text_generation.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import type { AutoModelFactory } from "./factory.js";
import { AutoModelForCausalLM } from "./model.js";
import { AutoTokenizer } from "./tokenizer.js";

/** What a task needs. `model`: the default checkpoint and its revision, as in Python. */
export interface TaskDefinition {
  pipeline: new (parts: PipelineParts, options?: Record<string, unknown>) => Pipeline<never, unknown>;
  auto_model: AutoModelFactory<PreTrainedModel>;
  model: readonly [name: string, revision: string];
}

/** The known tasks and their aliases; `register_pipeline` adds to them. */
export class PipelineRegistry {
  private readonly tasks = new Map<string, TaskDefinition>();
  private readonly aliases = new Map<string, string>();

  constructor(tasks: Record<string, TaskDefinition>, aliases: Record<string, string> = {}) {
    for (const [name, task] of Object.entries(tasks)) this.tasks.set(name, task);
    for (const [name, target] of Object.entries(aliases)) this.aliases.set(name, target);
  }

  get_supported_tasks(): string[] {
    return [...this.tasks.keys(), ...this.aliases.keys()].sort();
  }

  register_pipeline(name: string, task: TaskDefinition): void {
    this.tasks.set(name, task);
  }

  /** @throws TransformersError that lists the tasks, for an unknown one. */
  check_task(name: string): [string, TaskDefinition] {
    const plain = this.aliases.get(name) ?? name;
    const task = this.tasks.get(plain);
    if (task) return [plain, task];
    throw new TransformersError(
      `Unknown task ${name}, available tasks are ${this.get_supported_tasks().join(", ")}`,
      "unknown_task",
    );
  }
}

export const PIPELINE_REGISTRY = new PipelineRegistry({
  "text-generation": {
    pipeline: TextGenerationPipeline as unknown as TaskDefinition["pipeline"],
    auto_model: AutoModelForCausalLM as unknown as AutoModelFactory<PreTrainedModel>,
    model: ["openai-community/gpt2", "607a30d"],
  },
});

/** Options that go to the loading of model and tokenizer; all others are the pipeline's. */
const LOADING = [
  ...HUB_OPTION_NAMES,
  ...["device", "device_map", "n_threads", "n_gpu_layers", "torch_dtype", "trust_remote_code", "gguf_file"],
  "session_options",
];

export interface PipelineOptions {
  model?: string | PreTrainedModel;
  tokenizer?: string | PreTrainedTokenizerFast;
  config?: unknown;
  /** Default "auto": as the checkpoint. */
  dtype?: string;
  device?: string | number;
  batch_size?: number;
  /** More arguments for the model's `from_pretrained`. */
  model_kwargs?: Record<string, unknown>;
  [option: string]: unknown;
}

type TextGeneration = TextGenerationPipeline & {
  (text_inputs: string | Chat, options?: Record<string, unknown>): Promise<TextGenerationOutput>;
  (text_inputs: string[] | Chat[], options?: Record<string, unknown>): Promise<TextGenerationOutput[]>;
};

/** The pipeline type of each task. */
export interface Pipelines {
  "text-generation": TextGeneration;
}

/**
 * A pipeline for a task: `pipeline("text-generation", "Qwen/Qwen2.5-0.5B-Instruct")`.
 * Without a model, Python's default checkpoint of the task.
 * @throws TransformersError for an unknown task or missing files.
 */
export async function pipeline<Task extends keyof Pipelines>(
  task: Task,
  model?: string | PreTrainedModel | PipelineOptions | null,
  options: PipelineOptions = {},
): Promise<Pipelines[Task]> {
  const all: PipelineOptions =
    typeof model === "object" && model !== null && !(model instanceof PreTrainedModel)
      ? { ...model, ...options }
      : { ...options, ...(model ? { model: model as string | PreTrainedModel } : {}) };
  if (typeof task !== "string") throw expected("a task's name", "task", task);
  const [name, definition] = PIPELINE_REGISTRY.check_task(task);
  const { model: given_model, tokenizer, config, dtype = "auto", model_kwargs, ...rest } = all;
  if (!given_model && tokenizer)
    throw new TransformersError(
      "Impossible to instantiate a pipeline with tokenizer specified but not the model as the provided tokenizer may not be compatible with the default model.",
      "no_model",
    );
  const loading = Object.fromEntries(LOADING.filter((key) => rest[key] !== undefined).map((key) => [key, rest[key]]));
  for (const key of LOADING) delete rest[key];

  let wanted = given_model;
  if (!wanted) {
    const [checkpoint, revision] = definition.model;
    wanted = checkpoint;
    loading["revision"] ??= revision;
    warn_once(
      `No model was supplied, defaulted to ${checkpoint} and revision ${loading["revision"]} (https://huggingface.co/${checkpoint}).\n` +
        "Using a pipeline without specifying a model name and revision in production is not recommended.",
    );
  }
  const loaded =
    wanted instanceof PreTrainedModel
      ? wanted
      : await definition.auto_model.from_pretrained(wanted, {
          ...loading,
          ...model_kwargs,
          dtype,
          ...(config ? { config: config as string } : {}),
        });
  const {
    device: _d,
    device_map: _m,
    n_threads: _t,
    n_gpu_layers: _g,
    torch_dtype: _y,
    session_options: _s,
    ...files
  } = loading;
  const from = typeof tokenizer === "string" ? tokenizer : loaded.name_or_path;
  const tok =
    typeof tokenizer === "object" || typeof tokenizer === "function"
      ? tokenizer
      : await AutoTokenizer.from_pretrained(from, files);
  const { progress_callback } = loading as { progress_callback?: (event: object) => void };
  progress_callback?.({ status: "ready", task: name, model: loaded.name_or_path });
  return new definition.pipeline(
    { task, model: loaded, tokenizer: tok as PreTrainedTokenizerFast },
    rest,
  ) as unknown as Pipelines[Task];
}

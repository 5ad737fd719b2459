// The tasks of pipeline(): which pipeline and models each needs, and its default checkpoint, as Python has them.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/__init__.py `SUPPORTED_TASKS`
import { expected, TransformersError, warn_once } from "../errors.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { Pipeline, PipelineParts } from "../pipelines/base.js";
import { FeatureExtractionPipeline } from "../pipelines/feature_extraction.js";
import { FillMaskPipeline } from "../pipelines/fill_mask.js";
import { QuestionAnsweringPipeline } from "../pipelines/question_answering.js";
import { TextClassificationPipeline } from "../pipelines/text_classification.js";
import { TextGenerationPipeline } from "../pipelines/text_generation.js";
import { TokenClassificationPipeline } from "../pipelines/token_classification.js";
import { ZeroShotClassificationPipeline } from "../pipelines/zero_shot_classification.js";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
} from "./model.js";

/** An Auto class, or anything that loads a model as they do. */
export interface ModelLoader {
  // biome-ignore lint/suspicious/noExplicitAny: each Auto class has its own options
  from_pretrained(name_or_path: string, options?: any): Promise<PreTrainedModel>;
  /** The names of the classes that it loads, if it knows them. */
  class_names?(): string[];
}

// biome-ignore lint/suspicious/noExplicitAny: inputs and results are the task's
export type PipelineClass = new (parts: PipelineParts, options?: Record<string, unknown>) => Pipeline<any, any, any>;

/** What a task needs. `model`: the default checkpoint and its revision. */
export interface TaskDefinition {
  pipeline: PipelineClass;
  auto_model: ModelLoader;
  model?: readonly [name: string, revision: string] | undefined;
}

export interface RegisterOptions {
  /** What loads the models of the task. */
  pt_model?: ModelLoader;
  /** The checkpoint for calls without a model. */
  default?: { pt: readonly [name: string, revision: string] };
}

/** The known tasks and their aliases; `register_pipeline` adds to them. */
export class PipelineRegistry {
  private readonly tasks: Map<string, TaskDefinition>;
  private readonly aliases: Map<string, string>;

  constructor(tasks: Record<string, TaskDefinition>, aliases: Record<string, string>) {
    this.tasks = new Map(Object.entries(tasks));
    this.aliases = new Map(Object.entries(aliases));
  }

  get_supported_tasks(): string[] {
    return [...this.tasks.keys(), ...this.aliases.keys()].sort();
  }

  /** Adds a task of one's own: afterwards `pipeline(task, …)` makes a `pipeline_class`. */
  register_pipeline(task: string, pipeline_class: PipelineClass, options: RegisterOptions = {}): void {
    if (typeof task !== "string" || task === "") throw expected("a task's name", "task", task);
    if (typeof pipeline_class !== "function") throw expected("a class", "pipeline_class", pipeline_class);
    const { pt_model, default: checkpoint } = options;
    if (typeof pt_model?.from_pretrained !== "function")
      throw expected("an Auto class, such as AutoModelForSequenceClassification,", "pt_model", pt_model);
    if (this.tasks.has(task)) warn_once(`${task} is already registered. Overwriting pipeline for task ${task}...`);
    this.tasks.set(task, { pipeline: pipeline_class, auto_model: pt_model, model: checkpoint?.pt });
  }

  /**
   * The task's name without aliases, and what it needs.
   * @throws TransformersError that lists the tasks, for an unknown one.
   */
  check_task(task: string): [string, TaskDefinition] {
    const name = this.aliases.get(task) ?? task;
    const definition = this.tasks.get(name);
    if (definition) return [name, definition];
    throw new TransformersError(
      `Unknown task ${task}, available tasks are ${this.get_supported_tasks().join(", ")}`,
      "unknown_task",
    );
  }
}

const SUPPORTED_TASKS = {
  "feature-extraction": {
    pipeline: FeatureExtractionPipeline,
    auto_model: AutoModel,
    model: ["distilbert/distilbert-base-cased", "6ea8117"],
  },
  "fill-mask": {
    pipeline: FillMaskPipeline,
    auto_model: AutoModelForMaskedLM,
    model: ["distilbert/distilroberta-base", "fb53ab8"],
  },
  "question-answering": {
    pipeline: QuestionAnsweringPipeline,
    auto_model: AutoModelForQuestionAnswering,
    model: ["distilbert/distilbert-base-cased-distilled-squad", "564e9b5"],
  },
  "text-classification": {
    pipeline: TextClassificationPipeline,
    auto_model: AutoModelForSequenceClassification,
    model: ["distilbert/distilbert-base-uncased-finetuned-sst-2-english", "714eb0f"],
  },
  "text-generation": {
    pipeline: TextGenerationPipeline,
    auto_model: AutoModelForCausalLM,
    model: ["openai-community/gpt2", "607a30d"],
  },
  "token-classification": {
    pipeline: TokenClassificationPipeline,
    auto_model: AutoModelForTokenClassification,
    model: ["dbmdz/bert-large-cased-finetuned-conll03-english", "4c53496"],
  },
  "zero-shot-classification": {
    pipeline: ZeroShotClassificationPipeline,
    auto_model: AutoModelForSequenceClassification,
    model: ["facebook/bart-large-mnli", "d7645e1"],
  },
} satisfies Record<string, TaskDefinition>;

/** Python's, and transformers.js's "embeddings". */
const TASK_ALIASES = {
  "sentiment-analysis": "text-classification",
  ner: "token-classification",
  embeddings: "feature-extraction",
} as const satisfies Record<string, keyof typeof SUPPORTED_TASKS>;

export type SupportedTasks = {
  [Task in keyof typeof SUPPORTED_TASKS]: InstanceType<(typeof SUPPORTED_TASKS)[Task]["pipeline"]>;
};
export type AliasTasks = { [Alias in keyof typeof TASK_ALIASES]: SupportedTasks[(typeof TASK_ALIASES)[Alias]] };
/** The tasks whose results have another type when options of the construction, `O`, say so. */
export interface ConfiguredTasks<O> {
  "token-classification": TokenClassificationPipeline<O>;
  ner: TokenClassificationPipeline<O>;
  "feature-extraction": FeatureExtractionPipeline<O>;
  embeddings: FeatureExtractionPipeline<O>;
}
/** The pipeline type of each task. */
export type AllTasks = SupportedTasks & AliasTasks;
export type TaskType = keyof SupportedTasks;
export type AliasType = keyof AliasTasks;
export type PipelineType = keyof AllTasks;

export const PIPELINE_REGISTRY = new PipelineRegistry(SUPPORTED_TASKS, TASK_ALIASES);

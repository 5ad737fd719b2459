// The tasks of pipeline(): which pipeline and models each needs, and its default checkpoint, as Python has them.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/__init__.py `SUPPORTED_TASKS`
import { expected, TransformersError, warn_once } from "../errors.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { Pipeline, PipelineParts } from "../pipelines/base.js";
import { FeatureExtractionPipeline } from "../pipelines/feature_extraction.js";
import { FillMaskPipeline } from "../pipelines/fill_mask.js";
import { QuestionAnsweringPipeline } from "../pipelines/question_answering.js";
import { SummarizationPipeline } from "../pipelines/summarization.js";
import { TextClassificationPipeline } from "../pipelines/text_classification.js";
import { TextGenerationPipeline } from "../pipelines/text_generation.js";
import { Text2TextGenerationPipeline } from "../pipelines/text2text_generation.js";
import { TokenClassificationPipeline } from "../pipelines/token_classification.js";
import { TranslationPipeline } from "../pipelines/translation.js";
import { ZeroShotClassificationPipeline } from "../pipelines/zero_shot_classification.js";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForQuestionAnswering,
  AutoModelForSeq2SeqLM,
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

type Checkpoint = readonly [name: string, revision: string];

/** What a task needs. `model`: the default checkpoint and its revision. */
export interface TaskDefinition {
  pipeline: PipelineClass;
  auto_model: ModelLoader;
  model?: Checkpoint | undefined;
  /** Of a task that is named after what it is asked, `task_xx_to_yy`: the default checkpoints by the ends of the names. */
  models?: Record<string, Checkpoint>;
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
    if (task.startsWith("translation")) {
      const translation = this.tasks.get("translation");
      if (translation && /^translation_[^_]*_to_[^_]*$/.test(task)) return ["translation", translation];
      throw new TransformersError(
        `Invalid translation task ${task}, use 'translation_XX_to_YY' format`,
        "unknown_task",
      );
    }
    throw new TransformersError(
      `Unknown task ${task}, available tasks are ${[...this.get_supported_tasks(), "translation_XX_to_YY"].join(", ")}`,
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
  summarization: {
    pipeline: SummarizationPipeline,
    auto_model: AutoModelForSeq2SeqLM,
    model: ["sshleifer/distilbart-cnn-12-6", "a4f8f3e"],
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
  "text2text-generation": {
    pipeline: Text2TextGenerationPipeline,
    auto_model: AutoModelForSeq2SeqLM,
    model: ["google-t5/t5-base", "a9723ea"],
  },
  "token-classification": {
    pipeline: TokenClassificationPipeline,
    auto_model: AutoModelForTokenClassification,
    model: ["dbmdz/bert-large-cased-finetuned-conll03-english", "4c53496"],
  },
  translation: {
    pipeline: TranslationPipeline,
    auto_model: AutoModelForSeq2SeqLM,
    models: {
      en_to_fr: ["google-t5/t5-base", "a9723ea"],
      en_to_de: ["google-t5/t5-base", "a9723ea"],
      en_to_ro: ["google-t5/t5-base", "a9723ea"],
    },
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
/** A translation between two languages by its name: "translation_en_to_fr". */
export type TranslationTasks = { [task: `translation_${string}_to_${string}`]: TranslationPipeline };
/** The tasks whose results have another type when options of the construction, `O`, say so. */
export interface ConfiguredTasks<O> {
  "token-classification": TokenClassificationPipeline<O>;
  ner: TokenClassificationPipeline<O>;
  "feature-extraction": FeatureExtractionPipeline<O>;
  embeddings: FeatureExtractionPipeline<O>;
}
/** The pipeline type of each task. */
export type AllTasks = SupportedTasks & AliasTasks & TranslationTasks;
export type TaskType = keyof SupportedTasks;
export type AliasType = keyof AliasTasks;
export type PipelineType = keyof AllTasks;

export const PIPELINE_REGISTRY = new PipelineRegistry(SUPPORTED_TASKS, TASK_ALIASES);

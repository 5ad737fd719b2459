// What pipelines that call `generate` share.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/base.py `Pipeline.__init__`
import { TransformersError } from "../errors.js";
import { GenerationConfig } from "../generation/configuration.js";
import type { GenerationMixin } from "../generation/mixin.js";
import { prepare_generation_config } from "../generation/prepare.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { Kwargs, PipelineParts } from "./base.js";

/**
 * The generation config of a pipeline (its `defaults` under the model's config, under `kwargs`), the prefix that the
 * model's configuration has for the task, and the arguments that are no generation parameters.
 */
export function generation_of(
  { task, model, tokenizer }: PipelineParts,
  defaults: Kwargs,
  kwargs: Kwargs,
): { config: GenerationConfig; prefix: string | undefined; rest: Kwargs } {
  const [config, rest] = prepare_generation_config(model.generation_config, new GenerationConfig(defaults), kwargs, {
    use_model_defaults: true,
  });
  if (config.max_new_tokens === defaults["max_new_tokens"] && config.max_length !== null && config.max_length !== 20)
    config.max_new_tokens = null;
  const model_config = model.config as unknown as Kwargs;
  let prefix = (model_config["prefix"] as string | null | undefined) ?? undefined;
  const by_task = model_config["task_specific_params"] as Record<string, Kwargs> | null | undefined;
  if (by_task?.[task]) {
    const { prefix: own, ...parameters } = by_task[task];
    if (typeof own === "string") prefix = own;
    config.update(parameters);
  }
  const pad = tokenizer?.pad_token_id;
  if (pad !== undefined && pad !== null && config.pad_token_id === null) config.pad_token_id = pad;
  return { config, prefix, rest };
}

/** The model of a pipeline that generates. */
export function generative(model: PreTrainedModel): GenerationMixin {
  if (model.can_generate()) return model as GenerationMixin;
  throw new TransformersError(`The model '${model.constructor.name}' cannot generate`, "wrong_model");
}

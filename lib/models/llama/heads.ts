// What stands on a decoder: what forward() gives of its states, and the losses.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_layers.py `GenericForSequenceClassification`, …
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { TransformersError } from "../../errors.js";
import { Tensor } from "../../tensor/index.js";
import type { ParameterSpec } from "../initialization.js";
import {
  classification_loss,
  next_token_loss,
  question_answering_loss,
  sequence_classification_loss,
} from "../loss.js";
import * as outputs from "../outputs.js";
import { last_token_positions } from "../pooling.js";
import type { DecoderInputs, Kept } from "./arguments.js";
import type { Padding } from "./padding.js";

/** One call of forward(), computed by the engine. */
export interface Pass {
  model_name: string;
  config: PretrainedConfig;
  ids: Int32Array[];
  padding: Padding;
  keep: Kept;
  args: DecoderInputs;
  /** [kept tokens of all rows, vocabulary], flat. */
  logits: Float32Array | undefined;
  /** After the last norm: [tokens of all rows, hidden], flat. */
  states: Float32Array | undefined;
  /** A tensor of the head, flat. */
  tensor(name: string): Float32Array;
}

export interface DecoderHead {
  /** `Qwen2ForCausalLM` less `Qwen2`. */
  suffix: string;
  /** The engine gives logits of tokens; else hidden states, which the head reads. */
  logits: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: each output class has fields of its own
  output: outputs.OutputClass<any>;
  /** Names of the targets that forward() takes. */
  labels: readonly string[];
  /** The head's own tensors, that the engine does not have. */
  parameters(config: PretrainedConfig): ParameterSpec[];
  compute(pass: Pass): { loss?: number | undefined; [field: string]: unknown };
}

/** Values [tokens, width] as [batch, length, width], zeros for padding. */
function spread({ ids, padding }: Pass, values: Float32Array): Tensor {
  const width = values.length / padding.count;
  return new Tensor("float32", padding.spread(values, width), [ids.length, ids[0].length, width]);
}

/** A Linear layer over rows of `size` values, flat. */
function linear(rows: Float32Array, size: number, weight: Float32Array, bias?: Float32Array): Float32Array {
  const outputs = weight.length / size;
  const result = new Float32Array((rows.length / size) * outputs);
  for (let at = 0, row = 0; row < rows.length; row += size)
    for (let i = 0; i < outputs; i++) {
      let sum = bias ? bias[i] : 0;
      for (let k = 0; k < size; k++) sum += rows[row + k] * weight[i * size + k];
      result[at++] = sum;
    }
  return result;
}

const normal = (name: string, shape: number[]): ParameterSpec => ({ name, shape, init: "normal" });
const zeros = (name: string, shape: number[]): ParameterSpec => ({ name, shape, init: "zeros" });

/** Logits of the next token at each position, [batch, length, vocabulary]. Their matrix is the engine's. */
export const causal_lm: DecoderHead = {
  suffix: "ForCausalLM",
  logits: true,
  output: outputs.CausalLMOutputWithPast,
  labels: ["labels"],
  parameters: () => [],
  compute(pass) {
    const { ids, padding, keep, args } = pass;
    const length = ids[0].length;
    const values = pass.logits as Float32Array;
    if (keep.by_engine > 0 && keep.by_engine < length) {
      const width = values.length / padding.kept_count(keep.by_engine);
      return {
        logits: new Tensor("float32", padding.spread_last(values, width, keep.by_engine), [
          ids.length,
          keep.by_engine,
          width,
        ]),
      };
    }
    const logits = spread(pass, values);
    return {
      loss: "labels" in args.targets ? next_token_loss(logits, args.targets["labels"]) : undefined,
      logits:
        keep.positions > 0 && keep.positions < length
          ? logits.slice(null, [length - keep.positions, length], null)
          : logits,
    };
  },
};

/** The hidden states after the last norm: `last_hidden_state` [batch, length, hidden]. */
export const base: DecoderHead = {
  suffix: "Model",
  logits: false,
  output: outputs.BaseModelOutputWithPast,
  labels: [],
  parameters: () => [],
  compute: (pass) => ({ last_hidden_state: spread(pass, pass.states as Float32Array) }),
};

/** Logits [batch, labels] of the last token that is no padding. */
export const sequence_classification: DecoderHead = {
  suffix: "ForSequenceClassification",
  logits: false,
  output: outputs.SequenceClassifierOutputWithPast,
  labels: ["labels"],
  parameters: (config) => [normal("score.weight", [config.num_labels, config["hidden_size"] as number])],
  compute(pass) {
    const { config, ids, padding, args, model_name } = pass;
    const size = config["hidden_size"] as number;
    const pooled = new Float32Array(ids.length * size);
    last_token_positions(model_name, config, ids).forEach((position, row) => {
      const token = padding.token_at(row, position);
      if (token === undefined)
        throw new TransformersError(
          `${model_name} reads the last token of row ${row} that is not pad_token_id (${config["pad_token_id"]}), and attention_mask hides it`,
          "hidden_token",
        );
      pooled.set((pass.states as Float32Array).subarray(token * size, (token + 1) * size), row * size);
    });
    const scores = linear(pooled, size, pass.tensor("score.weight"));
    const logits = new Tensor("float32", scores, [ids.length, scores.length / ids.length]);
    return {
      loss: "labels" in args.targets ? sequence_classification_loss(config, logits, args.targets["labels"]) : undefined,
      logits,
    };
  },
};

/** Logits [batch, length, labels]. */
export const token_classification: DecoderHead = {
  suffix: "ForTokenClassification",
  logits: false,
  output: outputs.TokenClassifierOutput,
  labels: ["labels"],
  parameters: (config) => [
    normal("score.weight", [config.num_labels, config["hidden_size"] as number]),
    zeros("score.bias", [config.num_labels]),
  ],
  compute(pass) {
    const { config, args } = pass;
    const size = config["hidden_size"] as number;
    const scores = linear(pass.states as Float32Array, size, pass.tensor("score.weight"), pass.tensor("score.bias"));
    const logits = spread(pass, scores);
    return {
      loss: "labels" in args.targets ? classification_loss(logits, args.targets["labels"]) : undefined,
      logits,
    };
  },
};

/** Logits [batch, length] of an answer's first and last token. */
export const question_answering: DecoderHead = {
  suffix: "ForQuestionAnswering",
  logits: false,
  output: outputs.QuestionAnsweringModelOutput,
  labels: ["start_positions", "end_positions"],
  parameters: (config) => [
    normal("qa_outputs.weight", [2, config["hidden_size"] as number]),
    zeros("qa_outputs.bias", [2]),
  ],
  compute(pass) {
    const { config, args } = pass;
    const size = config["hidden_size"] as number;
    const ends = linear(
      pass.states as Float32Array,
      size,
      pass.tensor("qa_outputs.weight"),
      pass.tensor("qa_outputs.bias"),
    );
    const all = spread(pass, ends);
    const column = (i: number) => all.slice(null, null, [i, i + 1]).squeeze(2);
    const fields = { start_logits: column(0), end_logits: column(1) };
    return { loss: question_answering_loss(fields, args.targets), ...fields };
  },
};

export const HEADS = { base, causal_lm, sequence_classification, token_classification, question_answering };

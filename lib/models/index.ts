// The architectures of the graph engine: which class is which kind of model, by `model_type`.
import * as bert from "./bert.js";
import type { GraphModel } from "./graph_model.js";

type GraphModelClass = typeof GraphModel & { new (...args: never[]): GraphModel };

/** The kinds of models that the Auto classes load. */
export type ModelKind =
  | "base"
  | "pretraining"
  | "causal_lm"
  | "masked_lm"
  | "next_sentence"
  | "multiple_choice"
  | "question_answering"
  | "sequence_classification"
  | "token_classification";

const ARCHITECTURES: Record<string, Partial<Record<ModelKind, unknown>>> = {
  bert: {
    base: bert.BertModel,
    pretraining: bert.BertForPreTraining,
    causal_lm: bert.BertLMHeadModel,
    masked_lm: bert.BertForMaskedLM,
    next_sentence: bert.BertForNextSentencePrediction,
    multiple_choice: bert.BertForMultipleChoice,
    question_answering: bert.BertForQuestionAnswering,
    sequence_classification: bert.BertForSequenceClassification,
    token_classification: bert.BertForTokenClassification,
  },
};

/** The classes of one kind by `model_type`. */
export function models_of(kind: ModelKind): Record<string, GraphModelClass> {
  return Object.fromEntries(
    Object.entries(ARCHITECTURES)
      .filter(([, classes]) => classes[kind])
      .map(([type, classes]) => [type, classes[kind] as GraphModelClass]),
  );
}

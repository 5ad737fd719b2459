// The architectures of the graph engine: which class is which kind of model, by `model_type`.
import * as bart from "./bart.js";
import * as bert from "./bert.js";
import * as bert_heads from "./bert_heads.js";
import * as camembert from "./camembert.js";
import * as distilbert from "./distilbert.js";
import * as gpt2 from "./gpt2.js";
import type { GraphModel } from "./graph_model.js";
import * as marian from "./marian.js";
import * as mbart from "./mbart.js";
import * as pegasus from "./pegasus.js";
import * as roberta from "./roberta.js";
import * as t5 from "./t5.js";
import * as xlm_roberta from "./xlm_roberta.js";

type GraphModelClass = typeof GraphModel & { new (...args: never[]): GraphModel };

/** The kinds of models that the Auto classes load. */
export type ModelKind =
  | "base"
  | "pretraining"
  | "causal_lm"
  | "seq2seq_lm"
  | "masked_lm"
  | "next_sentence"
  | "multiple_choice"
  | "question_answering"
  | "sequence_classification"
  | "text_encoding"
  | "token_classification";

const ARCHITECTURES: Record<string, Partial<Record<ModelKind, unknown>>> = {
  bart: {
    base: bart.BartModel,
    pretraining: bart.BartForConditionalGeneration,
    causal_lm: bart.BartForCausalLM,
    masked_lm: bart.BartForConditionalGeneration,
    question_answering: bart.BartForQuestionAnswering,
    seq2seq_lm: bart.BartForConditionalGeneration,
    sequence_classification: bart.BartForSequenceClassification,
  },
  bert: {
    base: bert.BertModel,
    pretraining: bert_heads.BertForPreTraining,
    causal_lm: bert_heads.BertLMHeadModel,
    masked_lm: bert_heads.BertForMaskedLM,
    next_sentence: bert_heads.BertForNextSentencePrediction,
    multiple_choice: bert_heads.BertForMultipleChoice,
    question_answering: bert_heads.BertForQuestionAnswering,
    sequence_classification: bert_heads.BertForSequenceClassification,
    text_encoding: bert.BertModel,
    token_classification: bert_heads.BertForTokenClassification,
  },
  camembert: {
    base: camembert.CamembertModel,
    pretraining: camembert.CamembertForMaskedLM,
    causal_lm: camembert.CamembertForCausalLM,
    masked_lm: camembert.CamembertForMaskedLM,
    multiple_choice: camembert.CamembertForMultipleChoice,
    question_answering: camembert.CamembertForQuestionAnswering,
    sequence_classification: camembert.CamembertForSequenceClassification,
    token_classification: camembert.CamembertForTokenClassification,
  },
  distilbert: {
    base: distilbert.DistilBertModel,
    pretraining: distilbert.DistilBertForMaskedLM,
    masked_lm: distilbert.DistilBertForMaskedLM,
    multiple_choice: distilbert.DistilBertForMultipleChoice,
    question_answering: distilbert.DistilBertForQuestionAnswering,
    sequence_classification: distilbert.DistilBertForSequenceClassification,
    text_encoding: distilbert.DistilBertModel,
    token_classification: distilbert.DistilBertForTokenClassification,
  },
  gpt2: {
    base: gpt2.GPT2Model,
    pretraining: gpt2.GPT2LMHeadModel,
    causal_lm: gpt2.GPT2LMHeadModel,
    question_answering: gpt2.GPT2ForQuestionAnswering,
    sequence_classification: gpt2.GPT2ForSequenceClassification,
    token_classification: gpt2.GPT2ForTokenClassification,
  },
  marian: {
    base: marian.MarianModel,
    causal_lm: marian.MarianForCausalLM,
    seq2seq_lm: marian.MarianMTModel,
  },
  mbart: {
    base: mbart.MBartModel,
    causal_lm: mbart.MBartForCausalLM,
    masked_lm: mbart.MBartForConditionalGeneration,
    question_answering: mbart.MBartForQuestionAnswering,
    seq2seq_lm: mbart.MBartForConditionalGeneration,
    sequence_classification: mbart.MBartForSequenceClassification,
  },
  pegasus: {
    base: pegasus.PegasusModel,
    causal_lm: pegasus.PegasusForCausalLM,
    seq2seq_lm: pegasus.PegasusForConditionalGeneration,
  },
  roberta: {
    base: roberta.RobertaModel,
    pretraining: roberta.RobertaForMaskedLM,
    causal_lm: roberta.RobertaForCausalLM,
    masked_lm: roberta.RobertaForMaskedLM,
    multiple_choice: roberta.RobertaForMultipleChoice,
    question_answering: roberta.RobertaForQuestionAnswering,
    sequence_classification: roberta.RobertaForSequenceClassification,
    text_encoding: roberta.RobertaModel,
    token_classification: roberta.RobertaForTokenClassification,
  },
  t5: {
    base: t5.T5Model,
    pretraining: t5.T5ForConditionalGeneration,
    question_answering: t5.T5ForQuestionAnswering,
    seq2seq_lm: t5.T5ForConditionalGeneration,
    sequence_classification: t5.T5ForSequenceClassification,
    text_encoding: t5.T5EncoderModel,
    token_classification: t5.T5ForTokenClassification,
  },
  "xlm-roberta": {
    base: xlm_roberta.XLMRobertaModel,
    pretraining: xlm_roberta.XLMRobertaForMaskedLM,
    causal_lm: xlm_roberta.XLMRobertaForCausalLM,
    masked_lm: xlm_roberta.XLMRobertaForMaskedLM,
    multiple_choice: xlm_roberta.XLMRobertaForMultipleChoice,
    question_answering: xlm_roberta.XLMRobertaForQuestionAnswering,
    sequence_classification: xlm_roberta.XLMRobertaForSequenceClassification,
    text_encoding: xlm_roberta.XLMRobertaModel,
    token_classification: xlm_roberta.XLMRobertaForTokenClassification,
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

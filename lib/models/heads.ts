// The kinds of heads: what forward() of each returns, which labels it takes, and its loss.
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { out_of_range } from "../errors.js";
import type { Sym } from "../nn/index.js";
import type { Tensor } from "../tensor/index.js";
import { classification_loss, next_token_loss, question_answering_loss, sequence_classification_loss } from "./loss.js";
import * as outputs from "./outputs.js";

type Fields = Record<string, Tensor>;
type Labels = Record<string, unknown>;

export interface Head {
  output: outputs.OutputClass;
  /** Names of the targets that forward() takes. */
  labels: readonly string[];
  /** It gives `past_key_values`, if the model is causal. */
  cached?: boolean;
  /** Its logits are of the tokens that come next: generate() works with it. */
  generates?: boolean;
  loss?(fields: Fields, labels: Labels, config: PretrainedConfig): number | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: each output class has fields of its own
function head(output: outputs.OutputClass<any>, loss?: Head["loss"], labels = loss ? ["labels"] : []): Head {
  return { output, labels, ...(loss ? { loss } : {}) };
}

const class_loss: Head["loss"] = ({ logits }, { labels }) => classification_loss(logits, labels);
const token_loss: Head["loss"] = ({ logits }, { labels }) => next_token_loss(logits, labels);
const sequence_loss: Head["loss"] = ({ logits }, { labels }, config) =>
  sequence_classification_loss(config, logits, labels);

const cached = (one: Head): Head => ({ ...one, cached: true });
const generating = (one: Head): Head => ({ ...one, cached: true, generates: true });

/** The logits of an answer's first and last token, [tokens] each, of what a `qa_outputs` layer gives, [tokens, 2]. */
export function answer_ends(logits: Sym) {
  if (logits.size(1) !== 2)
    throw out_of_range("2 labels: where an answer begins and ends", "num_labels", logits.size(1));
  return { start_logits: logits.select(1, 0), end_logits: logits.select(1, 1) };
}

export const base = head(outputs.BaseModelOutput);
export const base_with_pooling = cached(head(outputs.BaseModelOutputWithPooling));
export const base_with_past = cached(head(outputs.BaseModelOutputWithPast));
export const masked_lm = head(outputs.MaskedLMOutput, class_loss);
export const causal_lm = generating(head(outputs.CausalLMOutputWithCrossAttentions, token_loss));
/** Its labels are the tokens that come next already, as decoders of encoder-decoders want them. */
export const causal_lm_unshifted = generating(head(outputs.CausalLMOutputWithCrossAttentions, class_loss));
export const token_classification = head(outputs.TokenClassifierOutput, class_loss);
export const sequence_classification = head(outputs.SequenceClassifierOutput, sequence_loss);
export const sequence_classification_with_past = cached(head(outputs.SequenceClassifierOutputWithPast, sequence_loss));
/** Its inputs have an axis more, [rows, choices, length], and so have its logits, [rows, choices]. */
export const multiple_choice = head(outputs.MultipleChoiceModelOutput, class_loss);
export const next_sentence = head(outputs.NextSentencePredictorOutput, class_loss);
export const question_answering = head(outputs.QuestionAnsweringModelOutput, question_answering_loss, [
  "start_positions",
  "end_positions",
]);
export const pretraining = head(
  outputs.BertForPreTrainingOutput,
  ({ prediction_logits, seq_relationship_logits }, { labels, next_sentence_label }) =>
    labels === undefined || next_sentence_label === undefined
      ? undefined
      : classification_loss(prediction_logits, labels) +
        classification_loss(seq_relationship_logits, next_sentence_label, "next_sentence_label"),
  ["labels", "next_sentence_label"],
);

export const seq2seq_base = cached(head(outputs.Seq2SeqModelOutput));
/** Its labels are what the decoder is to say: it reads them one place to the right. */
export const seq2seq_lm = generating(head(outputs.Seq2SeqLMOutput, class_loss));
export const seq2seq_sequence_classification = cached(head(outputs.Seq2SeqSequenceClassifierOutput, sequence_loss));
export const seq2seq_question_answering = cached(
  head(outputs.Seq2SeqQuestionAnsweringModelOutput, question_answering_loss, ["start_positions", "end_positions"]),
);

// BART. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bart/modeling_bart.py
import {
  BartFamilyForCausalLM,
  BartFamilyForConditionalGeneration,
  BartFamilyForQuestionAnswering,
  BartFamilyForSequenceClassification,
  BartFamilyModel,
} from "./bart_family.js";
import { type BartFamily, learned_positions } from "./bart_layers.js";

const BART: BartFamily = {
  pre_norm: false,
  norms_embeddings: true,
  scales_decoder_embeds: false,
  positions: learned_positions,
  repeats_text: true,
  unties_sides: true,
  starts_with_last: false,
};

export class BartModel extends BartFamilyModel {
  static override family = BART;
}

export class BartForConditionalGeneration extends BartFamilyForConditionalGeneration {
  static override family = BART;
}

export class BartForSequenceClassification extends BartFamilyForSequenceClassification {
  static override family = BART;
}

export class BartForQuestionAnswering extends BartFamilyForQuestionAnswering {
  static override family = BART;
}

/** The decoder alone. */
export class BartForCausalLM extends BartFamilyForCausalLM {
  static override family = BART;
}

// mBART: BART with norms before each part. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/mbart/modeling_mbart.py
import {
  BartFamilyForCausalLM,
  BartFamilyForConditionalGeneration,
  BartFamilyForQuestionAnswering,
  BartFamilyForSequenceClassification,
  BartFamilyModel,
} from "./bart_family.js";
import { type BartFamily, learned_positions } from "./bart_layers.js";

const MBART: BartFamily = {
  pre_norm: true,
  norms_embeddings: true,
  scales_decoder_embeds: false,
  positions: learned_positions,
  repeats_text: true,
  unties_sides: true,
  starts_with_last: true,
};

export class MBartModel extends BartFamilyModel {
  static override family = MBART;
}

export class MBartForConditionalGeneration extends BartFamilyForConditionalGeneration {
  static override family = MBART;
}

export class MBartForSequenceClassification extends BartFamilyForSequenceClassification {
  static override family = MBART;
}

export class MBartForQuestionAnswering extends BartFamilyForQuestionAnswering {
  static override family = MBART;
}

/** The decoder alone. */
export class MBartForCausalLM extends BartFamilyForCausalLM {
  static override family = MBART;
}

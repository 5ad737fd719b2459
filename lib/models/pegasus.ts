// Pegasus: mBART with sinusoids. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/pegasus/modeling_pegasus.py
import { BartFamilyForCausalLM, BartFamilyForConditionalGeneration, BartFamilyModel } from "./bart_family.js";
import { type BartFamily, sinusoidal_positions } from "./bart_layers.js";

const PEGASUS: BartFamily = {
  pre_norm: true,
  norms_embeddings: false,
  scales_decoder_embeds: true,
  positions: sinusoidal_positions,
  repeats_text: false,
  unties_sides: false,
  starts_with_last: false,
};

export class PegasusModel extends BartFamilyModel {
  static override family = PEGASUS;
}

export class PegasusForConditionalGeneration extends BartFamilyForConditionalGeneration {
  static override family = PEGASUS;
}

/** The decoder alone. */
export class PegasusForCausalLM extends BartFamilyForCausalLM {
  static override family = PEGASUS;
}

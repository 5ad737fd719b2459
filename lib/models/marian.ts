// Marian: BART with sinusoids, and vocabularies that the two sides may have each for itself. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/marian/modeling_marian.py
import { BartFamilyForCausalLM, BartFamilyForConditionalGeneration, BartFamilyModel } from "./bart_family.js";
import { type BartFamily, sinusoidal_positions } from "./bart_layers.js";

const MARIAN: BartFamily = {
  pre_norm: false,
  norms_embeddings: false,
  scales_decoder_embeds: true,
  positions: sinusoidal_positions,
  repeats_text: false,
  starts_with_last: false,
};

export class MarianModel extends BartFamilyModel {
  override family(): BartFamily {
    return MARIAN;
  }
}

export class MarianMTModel extends BartFamilyForConditionalGeneration {
  /** Older checkpoints leave out what can be computed. */
  static override keys_to_ignore_on_load_missing = [/final_logits_bias/, /(en|de)coder\.embed_positions\.weight/];

  protected override make_model(): MarianModel {
    return new MarianModel(this.config, this.name_or_path);
  }
}

/** The decoder alone. */
export class MarianForCausalLM extends BartFamilyForCausalLM {
  override family(): BartFamily {
    return MARIAN;
  }
}

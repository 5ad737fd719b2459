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
  starts_with_last: false,
};

export class BartModel extends BartFamilyModel {
  override family(): BartFamily {
    return BART;
  }
}

export class BartForConditionalGeneration extends BartFamilyForConditionalGeneration {
  protected override make_model(): BartModel {
    return new BartModel(this.config, this.name_or_path);
  }
}

export class BartForSequenceClassification extends BartFamilyForSequenceClassification {
  protected override make_model(): BartModel {
    return new BartModel(this.config, this.name_or_path);
  }
}

export class BartForQuestionAnswering extends BartFamilyForQuestionAnswering {
  protected override make_model(): BartModel {
    return new BartModel(this.config, this.name_or_path);
  }
}

/** The decoder alone. */
export class BartForCausalLM extends BartFamilyForCausalLM {
  override family(): BartFamily {
    return BART;
  }
}

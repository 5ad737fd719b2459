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
  starts_with_last: true,
};

export class MBartModel extends BartFamilyModel {
  override family(): BartFamily {
    return MBART;
  }
}

export class MBartForConditionalGeneration extends BartFamilyForConditionalGeneration {
  protected override make_model(): MBartModel {
    return new MBartModel(this.config, this.name_or_path);
  }
}

export class MBartForSequenceClassification extends BartFamilyForSequenceClassification {
  protected override make_model(): MBartModel {
    return new MBartModel(this.config, this.name_or_path);
  }
}

export class MBartForQuestionAnswering extends BartFamilyForQuestionAnswering {
  protected override make_model(): MBartModel {
    return new MBartModel(this.config, this.name_or_path);
  }
}

/** The decoder alone. */
export class MBartForCausalLM extends BartFamilyForCausalLM {
  override family(): BartFamily {
    return MBART;
  }
}

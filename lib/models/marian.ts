// Marian: BART with sinusoids, and vocabularies that the two sides may have each for itself. https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/marian/modeling_marian.py
import { BartFamilyForCausalLM, BartFamilyForConditionalGeneration, BartFamilyModel } from "./bart_family.js";
import { type BartFamily, sinusoidal_positions } from "./bart_layers.js";

const MARIAN: BartFamily = {
  pre_norm: false,
  norms_embeddings: false,
  scales_decoder_embeds: true,
  positions: sinusoidal_positions,
  repeats_text: false,
  unties_sides: false,
  starts_with_last: false,
};

export class MarianModel extends BartFamilyModel {
  static override family = MARIAN;
}

export class MarianMTModel extends BartFamilyForConditionalGeneration {
  /** Older checkpoints leave out what can be computed. */
  static override keys_to_ignore_on_load_missing = [/final_logits_bias/, /(en|de)coder\.embed_positions\.weight/];
  static override keys_to_ignore_on_save = [/(en|de)coder\.embed_positions\.weight$/];
  static override family = MARIAN;

  /**
   * `resize_token_embeddings` for what the decoder reads and says, where that is a vocabulary of its own.
   * @throws TypeError where both sides share one.
   */
  async resize_decoder_token_embeddings(new_num_tokens?: number | null): Promise<{ name: string; shape: number[] }> {
    const { decoder, shared } = this.model;
    if (shared)
      throw new TypeError(
        "`resize_decoder_token_embeddings` should not be called if `config.share_encoder_decoder_embeddings` is `True`. Please use `resize_token_embeddings` instead.",
      );
    this.parameters(); // names them
    const [embeddings, head] = [decoder.embed_tokens.weight, this.lm_head.weight];
    return this.resize_tokens({ embeddings: embeddings.name, head: head.name }, new_num_tokens, {}, (count) => {
      embeddings.shape[0] = count;
      head.shape[0] = count;
      this.config["decoder_vocab_size"] = count;
      this.resize_final_logits_bias(count);
    });
  }
}

/** The decoder alone. */
export class MarianForCausalLM extends BartFamilyForCausalLM {
  static override family = MARIAN;
}

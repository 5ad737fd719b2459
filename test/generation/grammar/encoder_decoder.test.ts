// response_format where the first and the last token are forced, as BART's configurations do.
import { expect, test } from "vitest";
import { AutoTokenizer, BartConfig, BartForConditionalGeneration, type Tensor } from "../../../lib/index.js";

test("encoder-decoders keep to the form behind a forced first token, and are cut before a forced last one", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained("models/kjv-llama-5m");
  const config = new BartConfig({
    vocab_size: 4096,
    d_model: 32,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: 32,
    decoder_ffn_dim: 32,
    max_position_embeddings: 64,
    bos_token_id: 0,
    eos_token_id: 1,
    pad_token_id: 2,
    decoder_start_token_id: 1,
    forced_bos_token_id: 0,
    forced_eos_token_id: 1,
  });
  const model = await BartForConditionalGeneration.from_config(config, { seed: 3 });
  const ids = tokenizer.encode("In the beginning");
  const run = async (regex: string, options: object) => {
    const output = (await model.generate([ids, ids], {
      response_format: { type: "regex", regex },
      tokenizer,
      max_new_tokens: 30,
      ...options,
    })) as Tensor;
    return output.tolist() as number[][];
  };
  for (const options of [
    {},
    { do_sample: true, seed: 1 },
    { num_beams: 3 },
    { num_beams: 3, do_sample: true, seed: 2 },
  ])
    for (const row of await run("(yes|no), [a-z]{2}", options)) {
      expect(row.slice(0, 2)).toEqual([1, 0]);
      expect(tokenizer.decode(row, { skip_special_tokens: true })).toMatch(/^(yes|no), [a-z]{2}$/);
    }
  for (const row of await run("[a-c]{500}", { max_new_tokens: 6 })) {
    expect(row.at(-1)).toBe(1);
    expect(tokenizer.decode(row, { skip_special_tokens: true })).toMatch(/^[a-c]+$/);
  }
  await model.dispose();
});

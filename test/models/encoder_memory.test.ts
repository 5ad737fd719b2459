// What the engine keeps of an encoder's tokens for the decoder: its life, its misuse.
import { afterAll, beforeAll, expect, test } from "vitest";
import { AutoModelForSeq2SeqLM, AutoModelForSequenceClassification, type Seq2SeqLM } from "../../lib/index.js";
import { fixture } from "../fixtures.js";

const TEXT = [
  [0, 41, 52, 63, 2],
  [0, 44, 2, 1, 1],
];
const MASK = TEXT.map((row) => row.map((id) => (id === 1 ? 0 : 1)));
const START = [[2], [2]];

interface Cache {
  dispose(): void;
  lengths: number[];
}

let model: Seq2SeqLM;
const load = () => AutoModelForSeq2SeqLM.from_pretrained(fixture("seq2seq", "bart-cnn"), { n_threads: 1 });
beforeAll(async () => {
  model = await load();
});
afterAll(() => model.dispose());

const begin = async (with_model = model) =>
  (await with_model({ input_ids: TEXT, attention_mask: MASK, decoder_input_ids: START })).past_key_values as Cache;

test("a cache goes on without the text", async () => {
  const past_key_values = await begin();
  const next = [[40], [41]];
  const output = await model({ decoder_input_ids: next, past_key_values });
  const whole = await model({
    input_ids: TEXT,
    attention_mask: MASK,
    decoder_input_ids: [
      [2, 40],
      [2, 41],
    ],
    use_cache: false,
  });
  const last = whole.logits.slice(null, [1, 2]).data as Float32Array;
  for (const [i, value] of (output.logits.data as Float32Array).entries()) expect(value).toBeCloseTo(last[i], 4);
  expect(past_key_values.lengths).toEqual([2, 2]);
});

test("a released cache is refused", async () => {
  const past_key_values = await begin();
  past_key_values.dispose();
  const inputs = { decoder_input_ids: [[40], [41]], past_key_values };
  await expect(model(inputs)).rejects.toThrow(/not released/);
  await expect(
    model.generate(undefined, {
      ...inputs,
      decoder_input_ids: [
        [2, 40],
        [2, 41],
      ],
    }),
  ).rejects.toThrow(/not released/);
});

test("a cache of another model is refused", async () => {
  const other = await load();
  const past_key_values = await begin(other);
  await expect(model({ decoder_input_ids: START, past_key_values })).rejects.toThrow(/that this model returned/);
  await other.dispose();
});

test("a cache is refused with a mask that shows other tokens of the text", async () => {
  const past_key_values = await begin();
  const attention_mask = MASK.map((row) => row.map(() => 1));
  await expect(model({ decoder_input_ids: START, attention_mask, past_key_values })).rejects.toThrow(/other tokens/);
});

test("text and decoder have as many rows", async () => {
  await expect(model({ input_ids: TEXT, decoder_input_ids: [[2]] })).rejects.toThrow(/2 rows/);
  await expect(model.generate(TEXT, { decoder_input_ids: [[2, 5]] })).rejects.toThrow(/2 rows/);
  await expect(model.generate(TEXT, { decoder_start_token_id: [2, 3, 4] })).rejects.toThrow(/length 2 but got 3/);
});

test("ids and states that do not fit are refused, and the model stays usable", async () => {
  await expect(model({ input_ids: [[0, 1000]], decoder_input_ids: [[2]] })).rejects.toThrow(/1000/);
  await expect(model({ input_ids: TEXT, decoder_input_ids: [[-1], [2]] })).rejects.toThrow(/decoder_input_ids/);
  await expect(model({ input_ids: [new Array(60).fill(5)], decoder_input_ids: [[2]] })).rejects.toThrow(/60 tokens/);
  await expect(model({ encoder_outputs: [5], decoder_input_ids: [[2]] })).rejects.toThrow(/encoder_outputs/);
  await expect(model.generate(TEXT, { guidance_scale: 2, use_cache: false })).rejects.toThrow(/guidance_scale/);
  const tokens = await model.generate(TEXT, { attention_mask: MASK, max_new_tokens: 3, num_beams: 2 });
  expect(tokens.dims).toEqual([2, 4]);
});

test("rows with unequal numbers of end tokens have no common place to classify", async () => {
  const classifier = await AutoModelForSequenceClassification.from_pretrained(fixture("seq2seq", "bart-seqcls"));
  await expect(
    classifier({
      input_ids: [
        [0, 5, 2],
        [0, 2, 2],
      ],
    }),
  ).rejects.toThrow("same number of <eos> tokens");
  await classifier.dispose();
});

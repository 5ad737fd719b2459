// Batches of many tokens are computed in runs of rows: no row may notice.
import { afterAll, describe, expect, test } from "vitest";
import {
  BertConfig,
  BertForMultipleChoice,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertModel,
  GPT2Config,
  GPT2LMHeadModel,
  RobertaConfig,
  RobertaModel,
} from "../../lib/index.js";
import { pack, runs_of } from "../../lib/models/packing.js";
import { Tensor } from "../../lib/tensor/index.js";

const SIZES = { vocab_size: 50, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 48 };
const CONFIG = new BertConfig({ ...SIZES, max_position_embeddings: 160, num_labels: 2 });

/** Rows of 1 to 150 tokens, about 3,500 together. */
const ROWS = Array.from({ length: 47 }, (_, i) =>
  Array.from({ length: 1 + ((i * 89) % 150) }, (_, j) => 3 + ((i * 31 + j * 17) % 40)),
);
const LONGEST = Math.max(...ROWS.map((row) => row.length));

function padded(side: "left" | "right") {
  const fill = (row: number[], value: number) => {
    const padding = new Array<number>(LONGEST - row.length).fill(value);
    return side === "left" ? [...padding, ...row] : [...row, ...padding];
  };
  return {
    input_ids: ROWS.map((row) => fill(row, 0)),
    attention_mask: ROWS.map((row) =>
      fill(
        row.map(() => 1),
        0,
      ),
    ),
  };
}

const data = (tensor: unknown) => Array.from((tensor as Tensor).data as Float32Array);

function expect_close(ours: number[], wanted: number[], what: string): void {
  expect(ours.length).toBe(wanted.length);
  const difference = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i])), 0);
  expect([what, difference]).toSatisfy(() => difference < 1e-5);
}

describe("rows are cut", () => {
  test.each<[string, number, number, number[] | undefined, number[]]>([
    ["few tokens stay together", 8, 128, undefined, [8]],
    ["equal rows, equally", 16, 128, undefined, [8, 16]],
    ["many equal rows", 50, 100, undefined, [10, 20, 30, 40, 50]],
    ["long rows stay whole", 3, 5000, undefined, [1, 2, 3]],
    ["hidden tokens do not count", 64, 64, new Array(64).fill(8), [64]],
    ["rows of nothing but padding", 64, 64, new Array(64).fill(0), [64]],
    ["where a half of the tokens is", 4, 1024, [900, 50, 500, 450], [2, 4]],
  ])("%s", (_, rows, length, counts, ends) => {
    const mask = counts?.map((count) => new Uint8Array(length).fill(1, 0, count));
    const runs = runs_of(rows, length, mask);
    expect(runs.map(([, end]) => end)).toEqual(ends);
    expect(runs.map(([first]) => first)).toEqual([0, ...ends.slice(0, -1)]);
  });

  test("programs are of at most 1/32 more tokens than wanted, exact for few", () => {
    for (let length = 1; length < 700; length++) {
      const { size, count, spans, columns } = pack({ rows: 3, length, rounds: true });
      expect(count).toBe(3 * length);
      expect(size).toBeGreaterThanOrEqual(count);
      expect(size).toBeLessThanOrEqual(count <= 64 ? count : (count * 33) / 32);
      expect([spans.length, columns.length]).toEqual([3 * size, size]);
      expect(spans.subarray(3 * count).every((value) => value === 0)).toBe(true);
    }
  });
});

describe("rows of a large batch are as they are alone", async () => {
  const bert = await BertModel.from_config(CONFIG, { seed: 1 });
  const positions = { pad_token_id: 1, max_position_embeddings: 160 };
  const roberta = await RobertaModel.from_config(new RobertaConfig({ ...SIZES, ...positions }), { seed: 2 });
  const alone = await Promise.all(
    ROWS.map((row) => bert([row], { output_hidden_states: true, output_attentions: true })),
  );
  afterAll(() => Promise.all([bert.dispose(), roberta.dispose()]));

  test.each(["right", "left"] as const)("padded on the %s", async (side) => {
    const batch = padded(side);
    const position_ids = batch.attention_mask.map((row) => {
      let seen = 0;
      return row.map((bit) => (bit ? seen++ : 0));
    });
    const output = await bert({ ...batch, position_ids });
    const states = output["last_hidden_state"] as Tensor;
    expect(states.dims).toEqual([ROWS.length, LONGEST, 32]);
    for (const [i, row] of ROWS.entries()) {
      const start = side === "left" ? LONGEST - row.length : 0;
      expect_close(data(states[i].slice([start, start + row.length])), data(alone[i]["last_hidden_state"]), `row ${i}`);
    }
    if (side === "left") return; // its first tokens are padding
    const pooled = output["pooler_output"] as Tensor;
    expect(pooled.dims).toEqual([ROWS.length, 32]);
    for (const i of ROWS.keys()) expect_close(data(pooled[i]), data(alone[i]["pooler_output"]), `pooled ${i}`);
  });

  test("with hidden states and attentions", async () => {
    const output = await bert(padded("right"), { output_hidden_states: true, output_attentions: true });
    const hidden = output["hidden_states"] as Tensor[];
    const attentions = output["attentions"] as Tensor[];
    expect([hidden.length, attentions.length]).toEqual([3, 2]);
    expect(attentions[0].dims).toEqual([ROWS.length, 2, LONGEST, LONGEST]);
    for (const [i, row] of ROWS.entries()) {
      const own = alone[i]["hidden_states"] as Tensor[];
      for (const [layer, states] of hidden.entries())
        expect_close(data(states[i].slice([0, row.length])), data(own[layer]), `layer ${layer} of row ${i}`);
      const weights = attentions[1][i].slice(null, [0, row.length], [0, row.length]);
      expect_close(data(weights), data((alone[i]["attentions"] as Tensor[])[1]), `attention of row ${i}`);
    }
  });

  test("without padding, by embeddings", async () => {
    const input_ids = Array.from({ length: 30 }, (_, i) => Array.from({ length: 70 }, (_, j) => (i * 7 + j) % 50));
    const [whole, half] = [await bert(input_ids), await bert(input_ids.slice(15))];
    const states = data(whole["last_hidden_state"]);
    expect_close(states.slice(states.length / 2), data(half["last_hidden_state"]), "second half");
    const table = new Float32Array(50 * 32);
    bert.state_dict().read("embeddings.word_embeddings.weight", table);
    const vectors = Float32Array.from(input_ids.flat().flatMap((id) => [...table.subarray(id * 32, id * 32 + 32)]));
    const inputs_embeds = new Tensor("float32", vectors, [30, 70, 32]);
    expect_close(data((await bert({ inputs_embeds }))["last_hidden_state"]), states, "embeddings");
  });

  test("where positions follow from the ids", async () => {
    const output = await roberta(padded("right"));
    for (const [i, row] of ROWS.entries()) {
      const [wanted] = [await roberta([row])];
      const ours = (output["last_hidden_state"] as Tensor)[i].slice([0, row.length]);
      expect_close(data(ours), data(wanted["last_hidden_state"]), `row ${i}`);
    }
  });

  test("GPT-2, with and without a cache, its last logits alone", async () => {
    const config = new GPT2Config({ vocab_size: 50, n_embd: 32, n_layer: 2, n_head: 2, n_positions: 160 });
    const gpt2 = await GPT2LMHeadModel.from_config(config, { seed: 3 });
    const input_ids = Array.from({ length: 20 }, (_, i) => Array.from({ length: 90 }, (_, j) => (i * 7 + j) % 50));
    const cached = await gpt2(input_ids);
    const output = await gpt2(input_ids, { use_cache: false });
    expect(output.keys()).toEqual(["logits"]);
    expect_close(data(output["logits"]), data(cached["logits"]), "logits");
    const last = await gpt2(input_ids, { use_cache: false, logits_to_keep: 2 });
    expect((last["logits"] as Tensor).dims).toEqual([20, 2, 50]);
    expect_close(data(last["logits"]), data((cached["logits"] as Tensor).slice(null, [88, 90], null)), "last logits");
    await gpt2.dispose();
  });
});

test("heads over rows and over tokens give what they give for a part of the rows", async () => {
  const batch = padded("right");
  const part = { input_ids: batch.input_ids.slice(-5), attention_mask: batch.attention_mask.slice(-5) };
  const classes = await BertForSequenceClassification.from_config(CONFIG, { seed: 4 });
  const logits = (await classes(batch))["logits"] as Tensor;
  expect(logits.dims).toEqual([ROWS.length, 2]);
  expect_close(data(logits.slice([ROWS.length - 5, ROWS.length])), data((await classes(part))["logits"]), "classes");
  const labels = ROWS.map((_, i) => i % 2);
  const { loss } = await classes({ ...batch, labels });
  const softmax = logits.softmax(-1).tolist() as number[][];
  const wanted = softmax.reduce((sum, row, i) => sum - Math.log(row[labels[i]]), 0) / ROWS.length;
  expect((loss as Tensor).item()).toBeCloseTo(wanted, 5);
  await classes.dispose();

  const answers = await BertForQuestionAnswering.from_config(CONFIG, { seed: 5 });
  const starts = (await answers(batch))["start_logits"] as Tensor;
  expect(starts.dims).toEqual([ROWS.length, LONGEST]);
  const own = (await answers(part))["start_logits"] as Tensor;
  for (const [i, row] of ROWS.slice(-5).entries()) {
    const ours = starts[ROWS.length - 5 + i].slice([0, row.length]);
    expect_close(data(ours), data(own[i].slice([0, row.length])), `answers in row ${i}`);
  }
  await answers.dispose();

  const choices = await BertForMultipleChoice.from_config(CONFIG, { seed: 6 });
  const questions = Array.from({ length: 15 }, (_, i) => batch.input_ids.slice(3 * i, 3 * i + 3));
  const chosen = (await choices({ input_ids: questions }))["logits"] as Tensor;
  expect(chosen.dims).toEqual([15, 3]);
  expect_close(data(chosen[14]), data((await choices({ input_ids: questions.slice(14) }))["logits"]), "choices");
  await choices.dispose();
});

test("an error in a run is the call's error, and the model goes on", async () => {
  const bert = await BertModel.from_config(CONFIG, { seed: 1 });
  const batch = padded("right");
  const running = bert(batch);
  const disposed = bert.dispose();
  await expect(running).rejects.toThrow(/disposed/);
  await disposed;
  await expect(bert(batch)).rejects.toThrow(/disposed/);
});

// Settings that are saved, loaded and handed to the processors that they are for.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../../lib/index.js";
import { GenerationConfig, WatermarkingConfig } from "../../lib/index.js";

type Config = GenerationConfig;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "generation-"));
});
afterAll(() => rm(folder, { recursive: true }));

const { BuiltInLogitsProcessor } = library;
const EOS = 0;

/** Settings, and the processor that they make. */
const ROWS: [settings: Record<string, unknown>, make?: (config: Config) => library.LogitsProcessor][] = [
  [
    {
      sequence_bias: [
        [[45, 67], -0.6],
        [[89], 1.2],
      ],
    },
    (c) => new library.SequenceBiasLogitsProcessor(c["sequence_bias"]),
  ],
  [{ min_length: 10, eos_token_id: EOS }, (c) => new library.MinLengthLogitsProcessor(c.min_length, EOS)],
  [
    { min_new_tokens: 5, eos_token_id: EOS },
    (c) => new library.MinNewTokensLengthLogitsProcessor(3, c.min_new_tokens as number, EOS),
  ],
  [{ temperature: 2.0, do_sample: true }, (c) => new library.TemperatureLogitsWarper(c["temperature"])],
  [{ repetition_penalty: 2.0 }, (c) => new library.RepetitionPenaltyLogitsProcessor(c["repetition_penalty"])],
  [
    { encoder_repetition_penalty: 2.0 },
    (c) => new library.EncoderRepetitionPenaltyLogitsProcessor(c["encoder_repetition_penalty"], [[0]]),
  ],
  [{ top_p: 0.8, do_sample: true }, (c) => new library.TopPLogitsWarper(c["top_p"])],
  [{ top_k: 2, do_sample: true }, (c) => new library.TopKLogitsWarper(c["top_k"])],
  [{ min_p: 0.8, do_sample: true }, (c) => new library.MinPLogitsWarper(c["min_p"])],
  [{ typical_p: 0.8, do_sample: true }, (c) => new library.TypicalLogitsWarper(c["typical_p"])],
  [{ epsilon_cutoff: 0.8, do_sample: true }, (c) => new library.EpsilonLogitsWarper(c["epsilon_cutoff"])],
  [{ eta_cutoff: 0.8, do_sample: true }, (c) => new library.EtaLogitsWarper(c["eta_cutoff"])],
  [{ no_repeat_ngram_size: 2 }, (c) => new library.NoRepeatNGramLogitsProcessor(c["no_repeat_ngram_size"])],
  [
    { encoder_no_repeat_ngram_size: 2 },
    (c) => new library.EncoderNoRepeatNGramLogitsProcessor(c["encoder_no_repeat_ngram_size"], [[0]]),
  ],
  [{ bad_words_ids: [[1, 2], [4]] }, (c) => new library.NoBadWordsLogitsProcessor(c["bad_words_ids"], EOS)],
  [{ num_beams: 1 }, (c) => new library.PrefixConstrainedLogitsProcessor(() => [1], c.num_beams)],
  [
    { num_beams: 4, num_beam_groups: 2, diversity_penalty: 2.0 },
    (c) => new library.HammingDiversityLogitsProcessor(c["diversity_penalty"], c.num_beams, c["num_beam_groups"]),
  ],
  [{ forced_bos_token_id: 3 }, (c) => new library.ForcedBOSTokenLogitsProcessor(c["forced_bos_token_id"])],
  [{ forced_eos_token_id: 3 }, (c) => new library.ForcedEOSTokenLogitsProcessor(20, c["forced_eos_token_id"])],
  [
    { exponential_decay_length_penalty: [5, 1.1] },
    (c) => new library.ExponentialDecayLengthPenalty(c["exponential_decay_length_penalty"], EOS, 2),
  ],
  [
    { begin_suppress_tokens: [7, 8] },
    (c) => new library.SuppressTokensAtBeginLogitsProcessor(c["begin_suppress_tokens"], 1),
  ],
  [{ suppress_tokens: [7, 8] }, (c) => new library.SuppressTokensLogitsProcessor(c["suppress_tokens"])],
  [{ guidance_scale: 2.0 }, (c) => new library.ClassifierFreeGuidanceLogitsProcessor(c["guidance_scale"])],
  [
    {
      watermarking_config: {
        bias: 1.5,
        greenlist_ratio: 0.5,
        hashing_key: 10,
        seeding_scheme: "lefthash",
        context_width: 10,
      },
    },
    (c) => new library.WatermarkLogitsProcessor(40, c["watermarking_config"].to_dict()),
  ],
  [{ stop_strings: ["a", "b"], max_time: 1.5, early_stopping: "never", num_beams: 2 }],
];

describe("A generation config", () => {
  it.each(ROWS)("saved with %j is loaded and makes its processor", async (settings, make) => {
    await new GenerationConfig(settings).save_pretrained(folder);
    const loaded = await GenerationConfig.from_pretrained(folder);
    const own = (value: unknown) => (value instanceof WatermarkingConfig ? value.to_dict() : value);
    for (const [name, value] of Object.entries(settings)) expect(own(loaded[name]), name).toEqual(value);
    const processor = make?.(loaded);
    if (!(processor instanceof BuiltInLogitsProcessor)) return;
    const scores = new library.Tensor(
      "float32",
      Float32Array.from({ length: 100 }, (_, i) => Math.sin(i)),
      [1, 100],
    );
    expect((processor([[1, 2, 1]], scores) as library.Tensor).dims).toEqual([1, 100]);
  });

  it("given as an object, its fields overridden by the call's, is not changed", async () => {
    const config = new GenerationConfig({ max_new_tokens: 5, do_sample: true, temperature: 0.7, bos_token_id: 3 });
    const before = config.to_json_string();
    const copy = GenerationConfig.from_dict(config.to_dict());
    expect(copy.to_json_string()).toBe(before);
    expect(copy.update({ max_new_tokens: 7, foo: "bar" })).toEqual({ foo: "bar" });
    expect(copy.max_new_tokens).toBe(7);
    expect(config.to_json_string()).toBe(before);
    expect(copy.to_diff_dict()).toMatchObject({
      max_new_tokens: 7,
      do_sample: true,
      temperature: 0.7,
      bos_token_id: 3,
    });
    const [loaded, unused] = GenerationConfig.from_dict(config.to_dict(), {
      top_k: 3,
      bar: 1,
      return_unused_kwargs: true,
    });
    // The constructor takes what it does not know, so that nothing is left over: as in Python.
    expect([loaded["top_k"], loaded["bar"], unused]).toEqual([3, 1, {}]);
  });
});

// Embeddings: the feature-extraction pipeline with transformers.js's options. Expected vectors come from Python, which pools
// as sentence-transformers does.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FeatureExtractionPipeline, pipeline, Tensor } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";
import { close_to, count_calls } from "./cases.js";

interface Embeddings {
  model: string;
  texts: string[];
  cases: {
    options: { pooling: "mean" | "cls" | "last_token"; quantize?: boolean; precision?: "binary" | "ubinary" };
    expected: number[][];
  }[];
}
const { model, texts, cases } = read_json<Embeddings>("language", "embeddings.json");
const plain_mean = cases.find(({ options }) => Object.keys(options).join() === "pooling" && options.pooling === "mean");

let extractor: FeatureExtractionPipeline;
beforeAll(async () => {
  extractor = await pipeline("embeddings", fixture("language", "checkpoints", model), { n_threads: 1 });
});
afterAll(() => extractor.dispose());

describe.each(cases)("$options", ({ options, expected }) => {
  it("gives Python's vectors, one row for each text", async () => {
    const result = await extractor(texts, options);
    expect(result.dims).toEqual([texts.length, expected[0].length]);
    expect(result.type).toBe(
      options.quantize ? { binary: "int8", ubinary: "uint8" }[options.precision ?? "binary"] : "float32",
    );
    close_to(result.tolist(), expected);
  });

  it("gives the same for one text", async () => {
    close_to((await extractor(texts[2], options)).tolist(), [expected[2]]);
  });
});

describe("a call with pooling", () => {
  it("is one call of the model for a list", async () => {
    const calls = count_calls(extractor.model);
    await extractor(texts, { pooling: "mean" });
    expect(calls()).toEqual([texts.length]);
  });

  it("keeps to batch_size", async () => {
    const calls = count_calls(extractor.model);
    close_to((await extractor(texts, { pooling: "mean", batch_size: 4 })).tolist(), plain_mean?.expected);
    expect(calls()).toEqual([4, 2]);
  });

  it("knows transformers.js's other names", async () => {
    close_to(
      (await extractor(texts, { pooling: "first_token" })).tolist(),
      (await extractor(texts, { pooling: "cls" })).tolist(),
    );
    close_to(
      (await extractor(texts, { pooling: "eos" })).tolist(),
      (await extractor(texts, { pooling: "last_token" })).tolist(),
    );
  });

  it("gives the vectors of all tokens without pooling, filled up with zeros", async () => {
    const all = await extractor(texts.slice(0, 2), { pooling: "none" });
    const [long, short] = await Promise.all(texts.slice(0, 2).map((text) => extractor(text)));
    expect(all.dims).toEqual([2, long[0].length, long[0][0].length]);
    close_to(all[0].tolist(), long[0]);
    close_to(all[1].slice([0, short[0].length]).tolist(), short[0]);
    expect(
      all[1]
        .slice([short[0].length, null])
        .tolist()
        .flat()
        .every((value: number) => value === 0),
    ).toBe(true);
  });

  it("joins batches of tokens of several lengths", async () => {
    const together = await extractor(texts.slice(0, 3), { pooling: "none" });
    const apart = await extractor(texts.slice(0, 3), { pooling: "none", batch_size: 1 });
    expect(apart.dims).toEqual(together.dims);
    close_to(apart.tolist(), together.tolist());
  });

  it("does not depend on the tokenizer's padding side", async () => {
    const tokenizer = extractor.tokenizer as NonNullable<typeof extractor.tokenizer>;
    tokenizer.padding_side = "left";
    try {
      close_to((await extractor(texts, { pooling: "mean" })).tolist(), plain_mean?.expected);
    } finally {
      tokenizer.padding_side = "right";
    }
  });

  it("gives a Tensor for each text of an iterable", async () => {
    const source = (async function* () {
      yield* texts;
    })();
    const rows: number[][] = [];
    for await (const row of await extractor(source, { pooling: "mean" })) {
      expect(row).toBeInstanceOf(Tensor);
      rows.push(row.tolist()[0]);
    }
    close_to(rows, plain_mean?.expected);
  });

  it("takes its options from the construction too", async () => {
    const configured = await pipeline("feature-extraction", {
      model: extractor.model,
      tokenizer: extractor.tokenizer ?? null,
      pooling: "mean",
    });
    const result: Tensor = await configured(texts);
    close_to(result.tolist(), plain_mean?.expected);
  });

  it.each([
    [{ pooling: "max" }, "pooling"],
    [{ pooling: "mean", quantize: true, precision: "int4" }, "precision"],
    [{ pooling: "none", quantize: true }, "2"],
    [{ pooling: "mean", normalise: true }, "normalise"],
  ])("refuses %j", async (options, message) => {
    await expect((async () => extractor(texts, options as object))()).rejects.toThrow(message);
  });

  it.each([[[]], [[1]], [null]])("refuses the input %j", async (input) => {
    await expect((async () => extractor(input as never, { pooling: "mean" }))()).rejects.toThrow();
  });
});

// The same checkpoint in every type that weights can be loaded as: m29, whose rows fit the blocks of quantised types.
import { afterAll, describe, expect, it } from "vitest";
import { AutoModelForCausalLM, type CausalLM, type Tensor } from "../../lib/index.js";
import { QUANTIZED_DTYPES } from "../../lib/models/dtype.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";

const NAME = "m29-llama-aligned-f16";
const { inputs } = read_json<{ inputs: { input_ids: number[][] } }>("models", NAME, "case.json");
const { logits: expected } = read_tensors("models", NAME, "expected.safetensors");

describe("weights", () => {
  const loaded: CausalLM[] = [];
  afterAll(() => Promise.all(loaded.map((model) => model.dispose())));
  const load = async (options: Record<string, unknown>) => {
    const model = await AutoModelForCausalLM.from_pretrained(fixture("models", NAME), { n_threads: 1, ...options });
    loaded.push(model);
    return model;
  };
  const logits = async (model: CausalLM) => ((await model(inputs.input_ids)).logits as Tensor).data as Float32Array;
  const cosine = (a: Float32Array, b: Float32Array) => {
    let [dot, aa, bb] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      dot += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return dot / Math.sqrt(aa * bb);
  };

  it.each([
    ["float32", 1e-4],
    ["float16", 2e-2],
    ["bfloat16", 5e-2],
  ])("as %s stay within %d of Python's float32", async (dtype, tolerance) => {
    const model = await load({ dtype });
    expect(model.dtype).toBe(dtype);
    expect(relative_error(await logits(model), expected.data)).toBeLessThan(tolerance);
  });

  it("as auto have the checkpoint's type, and without a word float32", async () => {
    expect((await load({ dtype: "auto" })).dtype).toBe("float16");
    expect((await load({})).dtype).toBe("float32");
    expect((await load({ torch_dtype: "torch.bfloat16" })).dtype).toBe("bfloat16");
  });

  // Bits for each weight decide how close a type can come.
  const closeness = (dtype: string) =>
    /8/.test(dtype) ? 0.999 : /6/.test(dtype) ? 0.998 : /5/.test(dtype) ? 0.99 : /4/.test(dtype) ? 0.97 : 0.75;
  it.each(QUANTIZED_DTYPES)("quantised while loading, as %s, point the same way", async (dtype) => {
    const model = await load({ dtype });
    expect(model.dtype).toBe(dtype);
    expect(cosine(await logits(model), expected.data)).toBeGreaterThan(closeness(dtype));
  });

  it("take transformers.js's names", async () => {
    expect((await load({ dtype: "q8" })).dtype).toBe("q8_0");
    expect((await load({ dtype: "q4" })).dtype).toBe("q4_k_m");
    expect((await load({ dtype: "fp32" })).dtype).toBe("float32");
  });

  it("change their type with to()", async () => {
    const model = await load({});
    const before = await logits(model);
    expect(model.to("q8_0").dtype).toBe("q8_0");
    const after = await logits(model);
    expect(relative_error(after, before)).toBeGreaterThan(0);
    expect(cosine(after, before)).toBeGreaterThan(0.999);
  });
});

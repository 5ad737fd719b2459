// What a caller's own processors, criteria and streamers may do to a generation, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AutoModelForCausalLM,
  BaseStreamer,
  type CausalLM,
  InterruptableStoppingCriteria,
  LogitsProcessor,
  StoppingCriteria,
  type Tensor,
} from "../../lib/index.js";
import { fixture } from "../fixtures.js";

const PROMPT = [[43, 58, 61, 11]];
const LONG = { max_new_tokens: 30, eos_token_id: null, do_sample: false, pad_token_id: 0 };

describe.each([
  ["llama", "models", "m27-llama"],
  ["graph", "graph", "gpt2-lm"],
])("on the %s engine, a generation", (_engine, folder, name) => {
  let model: CausalLM;
  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(fixture(folder, name), { n_threads: 1 });
  });
  afterAll(() => model.dispose());
  /** The model still answers. */
  const works = async () => expect((await model.generate(PROMPT, { ...LONG, max_new_tokens: 3 })).dims).toEqual([1, 7]);

  it("stops when a criterion of the caller says so", async () => {
    class AtEight extends StoppingCriteria {
      override _call(input_ids: bigint[][]) {
        return input_ids.map((row) => row.length >= 8);
      }
    }
    const output = await model.generate(PROMPT, { ...LONG, stopping_criteria: new AtEight() });
    expect(output.dims).toEqual([1, 8]);
    const interrupt = new InterruptableStoppingCriteria();
    interrupt.interrupt();
    expect((await model.generate(PROMPT, { ...LONG, stopping_criteria: interrupt })).dims).toEqual([1, 5]);
  });

  it("runs a caller's logits processor, in place or by its result", async () => {
    class Only extends LogitsProcessor {
      constructor(
        readonly token: number,
        readonly in_place: boolean,
      ) {
        super();
      }
      override _call(_ids: bigint[][], logits: Tensor) {
        const target = this.in_place ? logits : logits.clone();
        (target.data as Float32Array).fill(-Infinity);
        (target.data as Float32Array)[this.token] = 0;
        return this.in_place ? undefined : target;
      }
    }
    for (const in_place of [true, false]) {
      const output = await model.generate(PROMPT, {
        ...LONG,
        max_new_tokens: 2,
        logits_processor: [new Only(42, in_place)],
      });
      expect(output.tolist()[0]).toEqual([...PROMPT[0], 42, 42]);
    }
  });

  it("rejects with what a hook or a streamer threw, and the model stays usable", async () => {
    class Throws extends LogitsProcessor {
      override _call(): undefined {
        throw new Error("from the processor");
      }
    }
    await expect(model.generate(PROMPT, { ...LONG, logits_processor: new Throws() })).rejects.toThrow(
      "from the processor",
    );
    await works();
    class Broken extends BaseStreamer {
      calls = 0;
      override put() {
        if (++this.calls === 3) throw new Error("from the streamer");
      }
      override end() {}
    }
    await expect(model.generate(PROMPT, { ...LONG, streamer: new Broken() })).rejects.toThrow("from the streamer");
    await works();
  });

  it("rejects when a processor gives scores of the wrong size", async () => {
    class Short extends LogitsProcessor {
      override _call(_ids: bigint[][], logits: Tensor) {
        return logits.slice(null, [0, 5]);
      }
    }
    await expect(model.generate(PROMPT, { ...LONG, logits_processor: new Short() })).rejects.toThrow(
      /float32 logits of shape/,
    );
    await works();
  });

  it.each([
    ["nothing that is one", () => 7],
    ["a promise", async () => undefined],
    ["numbers of another type", (_: bigint[][], logits: Tensor) => logits.to("float64")],
  ])("rejects when a processor gives %s", async (_what, processor) => {
    const logits_processor = [processor as unknown as LogitsProcessor];
    await expect(model.generate(PROMPT, { ...LONG, logits_processor })).rejects.toThrow(/float32 logits of shape/);
    await works();
  });

  it("rejects when a processor, a criterion or a function of the caller aborts", async () => {
    for (const name of ["logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "generator"]) {
      const controller = new AbortController();
      const abort = () => {
        controller.abort();
        return name === "prefix_allowed_tokens_fn" ? [1, 2] : name === "generator" ? 0.5 : false;
      };
      const hook = name === "logits_processor" ? { _call: () => void abort() } : abort;
      const options = { ...LONG, do_sample: name === "generator", signal: controller.signal, [name]: hook };
      await expect(model.generate(PROMPT, options), name).rejects.toMatchObject({ code: "aborted" });
      await works();
    }
  });
});

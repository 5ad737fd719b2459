// What is generated keeps to `response_format`, on both engines and in every mode.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLM,
  type GenerateDecoderOnlyOutput,
  GPT2Config,
  GPT2LMHeadModel,
  GrammarLogitsProcessor,
  LogitsProcessor,
  type PreTrainedTokenizerFast,
  pipeline,
  type ResponseFormat,
  type Tensor,
} from "../../../lib/index.js";
import { valid } from "./validate.js";

const SHIPPED = "models/kjv-llama-5m";
const EOS = [1, 4];
const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 12 },
    age: { type: "integer", minimum: 0, maximum: 150 },
    score: { type: "number", exclusiveMinimum: -1, maximum: 1 },
    tags: { type: "array", items: { enum: ["a", "bé", '"'] }, maxItems: 2 },
    born: { type: "string", format: "date" },
    next: { anyOf: [{ type: "null" }, { type: "boolean" }] },
  },
  required: ["name", "age", "next"],
};
const as_schema: ResponseFormat = { type: "json_schema", json_schema: { name: "person", schema } };
const as_regex: ResponseFormat = { type: "regex", regex: "(é|[a-z]{2,5}|中文)(, [0-9]{1,3})? 😀" };
const as_list: ResponseFormat = {
  type: "grammar",
  grammar: 'root ::= "- " item ("\\n- " item){0,2}\nitem ::= [a-z]{1,4} | "日本"',
};
const FORMATS: [string, ResponseFormat, (text: string) => boolean][] = [
  ["json_schema", as_schema, (text) => valid(JSON.parse(text), schema)],
  ["regex", as_regex, (text) => /^(é|[a-z]{2,5}|中文)(, [0-9]{1,3})? 😀$/u.test(text)],
  ["grammar", as_list, (text) => /^- ([a-z]{1,4}|日本)(\n- ([a-z]{1,4}|日本)){0,2}$/.test(text)],
];
const MODES: [string, Record<string, unknown>][] = [
  ["greedy", { do_sample: false }],
  ["sampling", { do_sample: true, top_k: 0 }],
  ["sampling hot", { do_sample: true, temperature: 3, top_p: 0.99, top_k: 500 }],
  ["several sequences", { do_sample: true, num_return_sequences: 3 }],
  ["beams", { do_sample: false, num_beams: 3, num_return_sequences: 2 }],
  ["sampled beams", { do_sample: true, num_beams: 3 }],
  ["a penalty and guidance", { do_sample: true, repetition_penalty: 1.3, guidance_scale: 1.5 }],
];

let tokenizer: PreTrainedTokenizerFast;
const models: Record<string, CausalLM> = {};
beforeAll(async () => {
  tokenizer = await AutoTokenizer.from_pretrained(SHIPPED);
  models["llama engine"] = await AutoModelForCausalLM.from_pretrained(SHIPPED, { n_threads: 1 });
  const config = new GPT2Config({
    vocab_size: 4096,
    n_positions: 400,
    n_embd: 32,
    n_head: 2,
    n_layer: 2,
    bos_token_id: 0,
    eos_token_id: EOS,
    pad_token_id: 2,
  });
  models["graph engine"] = (await GPT2LMHeadModel.from_config(config, { seed: 5 })) as unknown as CausalLM;
});
afterAll(async () => {
  for (const model of Object.values(models)) await model.dispose();
});

const prompts = () =>
  tokenizer(["In the beginning", "And he said unto them,"], { padding: true, padding_side: "left" });

/** The new text of each row that came to an end, and how many rows there were. */
async function answers(model: CausalLM, format: ResponseFormat, options: Record<string, unknown>) {
  const inputs = prompts();
  const output = await model.generate(inputs, {
    response_format: format,
    tokenizer,
    max_new_tokens: 300,
    pad_token_id: 2,
    ...options,
  });
  const length = (inputs.input_ids as number[][])[0].length;
  const rows = (output as Tensor).tolist() as number[][];
  const ended = rows.filter((row) => row.slice(length).some((id) => EOS.includes(id)));
  return {
    rows: rows.length,
    texts: ended.map((row) => tokenizer.decode(row.slice(length), { skip_special_tokens: true })),
  };
}

describe.each(["llama engine", "graph engine"])("%s", (engine) => {
  test.each(
    FORMATS.flatMap(([name, format, holds]) =>
      MODES.map(([mode, options]) => [name, mode, format, holds, options] as const),
    ),
  )(
    "%s, %s",
    async (_, mode, format, holds, options) => {
      for (const seed of mode.includes("sampl") || mode.includes("several") ? [1, 2] : [1]) {
        const { rows, texts } = await answers(models[engine], format, { ...options, seed });
        expect(texts.length).toBe(rows); // nothing here needs 300 tokens
        for (const text of texts) expect(holds(text), text).toBe(true);
      }
    },
    60_000,
  );

  test("any JSON object", async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { texts } = await answers(
        models[engine],
        { type: "json_object" },
        { do_sample: true, seed, max_new_tokens: 300 },
      );
      for (const text of texts) expect(JSON.parse(text)).toBeTypeOf("object");
    }
  });

  test("the answer ends where nothing can follow, and what has fewer answers than are asked for says so or repeats them", async () => {
    const model = models[engine];
    const yes_or_no: ResponseFormat = { type: "regex", regex: "yes|no" };
    const { texts } = await answers(model, yes_or_no, { do_sample: false });
    for (const text of texts) expect(["yes", "no"]).toContain(text);
    for (const options of [
      { do_sample: false },
      { do_sample: true, seed: 1 },
      { do_sample: false, renormalize_logits: true },
    ]) {
      const many = await answers(model, yes_or_no, { num_beams: 4, num_return_sequences: 4, ...options }).catch(
        (error) => error,
      );
      if (many instanceof Error) expect(many.message).toMatch(/fewer answers than num_return_sequences/);
      else for (const text of many.texts) expect(["yes", "no"]).toContain(text);
    }
  });

  test("scores of what the format forbids are -inf, and no token is chosen among them", async () => {
    const ids = tokenizer.encode("And God said");
    const output = (await models[engine].generate([ids], {
      response_format: { type: "regex", regex: "[ab]{2}" },
      tokenizer,
      do_sample: false,
      max_new_tokens: 8,
      return_dict_in_generate: true,
      output_scores: true,
    })) as GenerateDecoderOnlyOutput;
    const [first] = output.scores!;
    const possible = Array.from(first.data as Float32Array).flatMap((score, id) => (score > -Infinity ? [id] : []));
    const texts = possible.map((id) => tokenizer.decode([id]));
    expect(texts).toContain("a");
    for (const text of texts) expect(text).toMatch(/^[ab]{1,2}$/);
  });

  test("an error leaves the model as it was", async () => {
    const model = models[engine];
    const generate = (options: Record<string, unknown>) =>
      Promise.resolve(model.generate([[5, 6]], { tokenizer, max_new_tokens: 30, ...options }));
    const regex: ResponseFormat = { type: "regex", regex: "abc" };
    await expect(generate({ response_format: regex, min_new_tokens: 20 })).rejects.toMatchObject({
      code: "no_tokens",
      message: /forbidden by other options/,
    });
    await expect(generate({ response_format: regex, tokenizer: undefined })).rejects.toThrow(
      /tokenizer.*response_format/,
    );
    await expect(generate({ response_format: { type: "json" } })).rejects.toThrow(/response_format/);
    await expect(generate({ response_format: { type: "json_schema", json_schema: {} } })).rejects.toThrow(TypeError);
    await expect(
      generate({ response_format: { type: "json_schema", json_schema: { schema: { not: {} } } } }),
    ).rejects.toThrow(RangeError);
    await expect(
      generate({ response_format: { type: "grammar", grammar: 'root ::= root "a" | "b"' } }),
    ).rejects.toThrow(/left recursion/);
    await expect(generate({ response_format: { type: "grammar", grammar: 5 } })).rejects.toThrow(TypeError);
    await expect(generate({ response_format: "json_object" })).rejects.toThrow(TypeError);
    const controller = new AbortController();
    let steps = 0;
    class Stop extends LogitsProcessor {
      override _call() {
        if (++steps === 5) controller.abort();
      }
    }
    const endless: ResponseFormat = { type: "regex", regex: "[ab]*c{200}" };
    await expect(
      generate({
        response_format: endless,
        max_new_tokens: 300,
        logits_processor: new Stop(),
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ code: "aborted" });
    const result = await generate({ response_format: regex, do_sample: false });
    expect(tokenizer.decode((result.tolist() as number[][])[0].slice(2), { skip_special_tokens: true })).toBe("abc");
  });

  test("calls side by side share a grammar", async () => {
    const many = await Promise.all(
      [1, 2, 3, 4].map((seed) => answers(models[engine], as_schema, { do_sample: true, seed })),
    );
    for (const { texts } of many) for (const text of texts) expect(valid(JSON.parse(text), schema)).toBe(true);
    const [again] = await Promise.all([answers(models[engine], as_schema, { do_sample: true, seed: 3 })]);
    expect(again.texts).toEqual(many[2].texts);
  });

  test("assisted: what is guessed keeps to the format, and the answer is that of the model alone", async () => {
    const model = models[engine];
    const other = models[engine === "llama engine" ? "graph engine" : "llama engine"];
    const prompt = [tokenizer.encode('In the beginning {"name": "abc", "age": 7, "next": null}')];
    const generate = async (format: ResponseFormat, options: Record<string, unknown>) => {
      const output = await model.generate(prompt, {
        response_format: format,
        tokenizer,
        max_new_tokens: 150,
        pad_token_id: 2,
        ...options,
      });
      return (output.tolist() as number[][])[0].slice(prompt[0].length);
    };
    for (const [name, format, holds] of FORMATS) {
      const alone = await generate(format, { do_sample: false });
      for (const help of [{ prompt_lookup_num_tokens: 4 }, { assistant_model: other }, { assistant_model: model }]) {
        expect(await generate(format, { do_sample: false, ...help }), name).toEqual(alone);
        for (const seed of [1, 2]) {
          const row = await generate(format, { do_sample: true, top_k: 0, seed, ...help });
          const text = tokenizer.decode(row, { skip_special_tokens: true });
          expect(EOS.includes(row.at(-1) as number) && holds(text), text).toBe(true);
        }
      }
    }
  });

  test("as a processor among others", async () => {
    class NoA extends LogitsProcessor {
      override _call(_: bigint[][], logits: Tensor) {
        const id = tokenizer.convert_tokens_to_ids("a") as number;
        for (let row = 0; row < logits.dims[0]; row++) logits.data[row * logits.dims[1] + id] = -Infinity;
      }
    }
    const format: ResponseFormat = { type: "regex", regex: "[ab]" };
    const [ids] = [tokenizer.encode("And")];
    const run = async (options: Record<string, unknown>) => {
      const output = (await models[engine].generate([ids, ids], {
        max_new_tokens: 5,
        do_sample: false,
        ...options,
      })) as Tensor;
      return (output.tolist() as number[][]).map((row) =>
        tokenizer.decode(row.slice(ids.length), { skip_special_tokens: true }),
      );
    };
    const processor = () => new GrammarLogitsProcessor(format, tokenizer, { eos_token_id: EOS });
    expect(await run({ logits_processor: [processor(), new NoA()] })).toEqual(["b", "b"]);
    expect(await run({ response_format: format, tokenizer, logits_processor: new NoA() })).toEqual(["b", "b"]);
    for (const text of await run({ logits_processor: processor(), num_beams: 1 })) expect(text).toMatch(/^[ab]$/);
  });
});

test("both engines and the pipeline take the option, chats too", async () => {
  const generator = await pipeline("text-generation", SHIPPED);
  const options = { response_format: as_schema, max_new_tokens: 150, return_full_text: false } as const;
  const [{ generated_text }] = await generator("In the beginning", options);
  expect(valid(JSON.parse(generated_text), schema)).toBe(true);
  const [chat] = await generator([{ role: "user", content: "Who?" }], { ...options, return_full_text: true });
  expect(valid(JSON.parse((chat.generated_text as { content: string }[])[1].content), schema)).toBe(true);
  await generator.dispose();
  const [response] = await models["llama engine"].chat({
    tokenizer,
    query: "Who?",
    response_format: as_schema,
    max_new_tokens: 150,
  });
  expect(valid(JSON.parse(response), schema)).toBe(true);
});

test("without an end token an answer could not end", async () => {
  const model = models["graph engine"];
  const { eos_token_id } = model.generation_config;
  model.generation_config.eos_token_id = null;
  await expect(
    Promise.resolve(model.generate([[5]], { response_format: { type: "json_object" }, tokenizer, max_new_tokens: 5 })),
  ).rejects.toThrow(/eos_token_id with response_format/);
  model.generation_config.eos_token_id = eos_token_id;
});

// Calls of tools: what real templates write is read back, what models write wrongly does no harm, chat() goes round.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tool_choice_grammar } from "../../lib/generation/tool_calls.js";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLM,
  type PreTrainedTokenizerFast,
  parse_response,
  parse_tool_calls,
  pipeline,
} from "../../lib/index.js";
import { grammar_of } from "./grammar/bytes.js";

const SHIPPED = "models/kjv-llama-5m";
const templates = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const template = (name: string) => readFileSync(new URL(`${name}.jinja`, templates), "utf8");

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather of a city",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string", description: "its name", maxLength: 10 },
          days: { $ref: "#/$defs/days", type: "integer", description: "how many" },
        },
        required: ["city"],
        $defs: { days: { type: "integer", description: "how many", minimum: 1, maximum: 7 } },
      },
    },
  },
  {
    type: "function",
    function: { name: "now", description: "The time", parameters: { type: "object", properties: {} } },
  },
];
const call = (name: string, given: object) => ({ type: "function", function: { name, arguments: given } });
const zurich = call("get_weather", { city: 'Zü"rich\n{', days: 2 });

let tokenizer: PreTrainedTokenizerFast;
beforeAll(async () => {
  tokenizer = await AutoTokenizer.from_pretrained(SHIPPED);
});

describe.skipIf(!existsSync(templates))("what a real template writes for calls is read back", () => {
  test.each([
    ["Qwen-Qwen2.5-7B-Instruct", 2],
    ["Qwen-Qwen3-0.6B", 2],
    ["NousResearch-Hermes-3-Llama-3.1-8B-tool_use", 1],
    ["ibm-granite-granite-4.0", 2],
    ["Qwen3-Coder", 2],
    ["meta-llama-Llama-3.1-8B-Instruct", 1],
    ["meta-llama-Llama-3.2-3B-Instruct", 1],
    ["meta-llama-Llama-3.3-70B-Instruct", 1],
    ["mistralai-Mistral-Nemo-Instruct-2407", 2],
    ["Mistral-Small-3.2-24B-Instruct-2506", 2],
  ])("%s", (name, count) => {
    const source = template(name);
    const calls = [zurich, call("now", {})].slice(0, count);
    const named = calls.map((one, i) => ({ ...one, id: `call0000${i}` }));
    const user = { role: "user", content: "What is the weather?" };
    const render = (messages: object[], add_generation_prompt: boolean) =>
      tokenizer.apply_chat_template(messages as never, {
        chat_template: source,
        tools,
        add_generation_prompt,
        tokenize: false,
      }) as string;
    const before = render([user], true);
    const whole = render([user, { role: "assistant", content: "", tool_calls: named }], false);
    let same = 0;
    while (same < before.length && before[same] === whole[same]) same++;
    const answer = whole.slice(same).replaceAll(/<\|im_end\|>|<\|eot_id\|>|<\|eom_id\|>|<\|end_of_text\|>|<\/s>/g, "");
    const parsed = parse_tool_calls(answer, { chat_template: source });
    expect(parsed.map(({ type, function: f }) => ({ type, function: f }))).toEqual(calls);
    // Without a tokenizer the notation is found by its marks.
    expect(parse_tool_calls(answer)).toEqual(parsed);
  });
});

test.each([
  ["text alone", "It is warm.", "It is warm.", []],
  [
    "text around",
    'Let me see.\n<tool_call>{"name": "now", "arguments": {}}</tool_call>\nDone',
    "Let me see.\n\nDone",
    [call("now", {})],
  ],
  [
    "no end mark",
    '<tool_call>\n{"name": "now", "arguments": {"a": [1, {"b": "}"}]}}',
    "",
    [call("now", { a: [1, { b: "}" }] })],
  ],
  [
    "arguments as a string",
    '<tool_call>{"name": "now", "arguments": "{\\"a\\": 1}"}</tool_call>',
    "",
    [call("now", { a: 1 })],
  ],
  ["without arguments", '<tool_call>{"name": "now"}</tool_call>', "", [call("now", {})]],
  ["cut in the middle", '<tool_call>{"name": "now", "argum', '<tool_call>{"name": "now", "argum', []],
  ["no JSON", "<tool_call>now()</tool_call>", "<tool_call>now()</tool_call>", []],
  ["no name", '<tool_call>{"arguments": {}}</tool_call>', '<tool_call>{"arguments": {}}</tool_call>', []],
  [
    "one good, one bad",
    '<tool_call>{"name": "a"}</tool_call><tool_call>{</tool_call>',
    "<tool_call>{</tool_call>",
    [call("a", {})],
  ],
  [
    "Llama's built-in tools",
    '<|python_tag|>brave_search.call(query="the \\"best\\" tea", n=3)',
    "",
    [call("brave_search", { query: 'the "best" tea', n: 3 })],
  ],
  [
    "Llama, several",
    '{"name": "a", "parameters": {}}; {"name": "b", "parameters": {"x": 1}}',
    "",
    [call("a", {}), call("b", { x: 1 })],
  ],
  ["JSON that is no call", '{"a": 1}', '{"a": 1}', []],
  [
    "a call inside of text is none for Llama",
    'Use {"name": "a", "parameters": {}}',
    'Use {"name": "a", "parameters": {}}',
    [],
  ],
  [
    "Granite 3, Phi 4",
    '<|tool_call|>[{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]<|/tool_call|>',
    "",
    [call("a", {}), call("b", {})],
  ],
  [
    "Mistral, with ids",
    '[TOOL_CALLS][{"name": "a", "arguments": {"x": 1}, "id": "abc123def"}]',
    "",
    [{ ...call("a", { x: 1 }), id: "abc123def" }],
  ],
  [
    "Mistral, newer",
    '[TOOL_CALLS]a[CALL_ID]abc123def[ARGS]{"x": 1}[TOOL_CALLS]b[ARGS]{}',
    "",
    [{ ...call("a", { x: 1 }), id: "abc123def" }, call("b", {})],
  ],
  ["Mistral, text before", 'Well.[TOOL_CALLS][{"name": "a", "arguments": {}}]', "Well.", [call("a", {})]],
])("%s", (_, text, content, calls) => {
  const response = parse_response(text);
  expect(response).toEqual({ role: "assistant", content, ...(calls.length > 0 ? { tool_calls: calls } : {}) });
  expect(parse_tool_calls(text)).toEqual(calls);
});

test.each([
  ["<think>\nHm.\n</think>\n\nYes.", "Hm.", "Yes."],
  ["begun in the prompt</think>Yes.", "begun in the prompt", "Yes."],
  ["<think>cut", "cut", ""],
  ["<think></think>Yes.", undefined, "Yes."],
  ["I <think> so", undefined, "I <think> so"],
])("thoughts stand apart: %j", (text, reasoning_content, content) => {
  expect(parse_response(text)).toEqual({
    role: "assistant",
    content,
    ...(reasoning_content ? { reasoning_content } : {}),
  });
  const inside = parse_response('<think><tool_call>{"name": "a"}</tool_call></think>No.');
  expect(inside.tool_calls).toBeUndefined();
});

test("hostile answers are text", () => {
  for (const text of [
    "<tool_call>".repeat(20_000),
    `[TOOL_CALLS]${"[".repeat(50_000)}`,
    "{".repeat(50_000),
    '{"a":"\\',
  ])
    expect(parse_response(text).tool_calls).toBeUndefined();
  expect(() => parse_response(5 as never)).toThrow(/text/);
  const names = parse_tool_calls('<tool_call>{"name": "x", "arguments": {"__proto__": {"polluted": 1}}}</tool_call>');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(names).toHaveLength(1);
});

const hermes = "{{ '<tool_call>' }}";
const llama = '{{ "Environment: ipython" }}{{ \'"parameters": \' }}';
test.each([
  ["hermes", hermes, '<tool_call>\n{"name":"get_weather","arguments":{"city":"Bern","days":3}}\n</tool_call>'],
  ["llama", llama, '{"name": "get_weather", "parameters": {"city": "Bern"}}'],
  [
    "mistral",
    "[TOOL_CALLS]",
    '[TOOL_CALLS][{"name": "now", "arguments": {}}, {"name": "get_weather", "arguments": {"city": "B"}}]',
  ],
  ["granite", "<|tool_call|>", '<|tool_call|>[{"name": "now", "arguments": {}}]'],
])("a forced call in the notation of %s", (_, chat_template, text) => {
  const holder = { chat_template, all_special_ids: [], decode: () => "" };
  const grammar = grammar_of(tool_choice_grammar(tools, "required", holder));
  expect(grammar.matches(text)).toBe(true);
  expect(grammar.matches(text.replace("Bern", "Bern to the very end"))).toBe(!text.includes("Bern"));
  expect(grammar.matches(text.replace(/"(city|now)"/, '"other"'))).toBe(false);
  expect(grammar.matches("Hello")).toBe(false);
  const named = grammar_of(tool_choice_grammar(tools, { type: "function", function: { name: "now" } }, holder));
  expect(named.matches(text)).toBe(text === '<|tool_call|>[{"name": "now", "arguments": {}}]');
  expect(() => tool_choice_grammar(tools, { type: "function", function: { name: "none" } }, holder)).toThrow(
    /tool_choice/,
  );
  expect(() => tool_choice_grammar([{}], "required", holder)).toThrow(/tools\[0\]/);
});

describe("chat", () => {
  let model: CausalLM;
  const chat_template =
    "{% if tools %}{{ tools | tojson }}<tool_call>{% endif %}{% for m in messages %}{{ m.role }}: {% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}{% endif %}{{ m.content }}\n{% endfor %}assistant:";
  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(SHIPPED, { n_threads: 1 });
    tokenizer = await AutoTokenizer.from_pretrained(SHIPPED);
    tokenizer.chat_template = chat_template;
  });
  afterAll(() => model.dispose());
  const query = "What is the weather?";

  test("a required call comes, the tool answers, the conversation goes on", async () => {
    for (const seed of [1, 2]) {
      const [response, history] = await model.chat({
        tokenizer,
        query,
        tools,
        tool_choice: { type: "function", function: { name: "get_weather" } },
        max_new_tokens: 200,
        do_sample: true,
        seed,
      });
      expect(response).toBe("");
      const [, answer] = history;
      const [{ function: asked }] = answer["tool_calls"] as [
        { function: { name: string; arguments: { city: string } } },
      ];
      expect(asked.name).toBe("get_weather");
      expect(asked.arguments.city.length).toBeLessThanOrEqual(10);
      const again = [...history, { role: "tool", name: asked.name, content: "21 °C" }];
      const [text, longer] = await model.chat({
        tokenizer,
        messages: again,
        tools,
        tool_choice: "none",
        max_new_tokens: 10,
        do_sample: false,
      });
      expect(longer.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
      expect(longer.at(-1)).toEqual({ role: "assistant", content: text });
    }
  });

  test("without a call the answer is text, in the pipeline too", async () => {
    const options = { tools, max_new_tokens: 8, do_sample: false };
    const [response, history] = await model.chat({ tokenizer, query, ...options });
    expect(history.at(-1)).toEqual({ role: "assistant", content: response });
    const generator = await pipeline("text-generation", SHIPPED);
    generator.tokenizer!.chat_template = chat_template;
    const [{ generated_text }] = await generator([{ role: "user", content: query }], options);
    expect((generated_text as object[]).at(-1)).toEqual({ role: "assistant", content: response });
    await generator.dispose();
  });

  test("wrong choices are refused", async () => {
    const ask = (options: object) => model.chat({ tokenizer, query, max_new_tokens: 5, ...options });
    await expect(ask({ tools, tool_choice: "always" })).rejects.toThrow(/tool_choice/);
    await expect(ask({ tool_choice: "required" })).rejects.toThrow(/tools/);
    await expect(ask({ tools: "now" })).rejects.toThrow(/tools/);
    await expect(ask({ tools, tool_choice: "required", response_format: { type: "json_object" } })).rejects.toThrow(
      /exclude each other/,
    );
    tokenizer.chat_template = "{{ messages[0].content }}";
    await expect(ask({ tools, tool_choice: "required" })).rejects.toMatchObject({ code: "unsupported" });
    tokenizer.chat_template = chat_template;
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { Tensor } from "../../lib/tensor/index.js";
import type { BatchEncoding } from "../../lib/tokenization/batch_encoding.js";
import { compile } from "../../lib/tokenization/jinja.js";
import { folder_of, read_fixture } from "./fixtures.js";

const source = (name: string) => readFileSync(new URL(`../fixtures/chat/${name}.jinja`, import.meta.url), "utf8");
const render = (template: string, variables: Record<string, unknown> = {}) => compile(template).render(variables).text;

describe("apply_chat_template", async () => {
  const tokenizers = new Map(
    await Promise.all(
      ["qwen2", "llama2-legacy", "llama3", "gpt2", "llama2-metaspace"].map(
        async (name) => [name, await AutoTokenizer.from_pretrained(folder_of(name))] as const,
      ),
    ),
  );

  test("gives Python's texts, ids, masks and errors", () => {
    for (const row of read_fixture("chat", "cases.json").cases) {
      const tokenizer = tokenizers.get(row.tokenizer)!;
      const options = { ...row.options, chat_template: source(row.template) };
      const what = JSON.stringify(row);
      if (row.error) {
        expect(() => tokenizer.apply_chat_template(row.messages, options), what).toThrow(row.error);
        continue;
      }
      expect(tokenizer.apply_chat_template(row.messages, { ...options, tokenize: false }), what).toEqual(row.text);
      expect(tokenizer.apply_chat_template(row.messages, options), what).toEqual(row.ids);
      if (!row.assistant_masks) continue;
      const asked = { ...options, return_dict: true, return_assistant_tokens_mask: true } as const;
      const out = tokenizer.apply_chat_template(row.messages, asked) as unknown as BatchEncoding;
      expect(out.assistant_masks, what).toEqual(row.assistant_masks);
    }
  });

  test("chooses among named templates as Python does", () => {
    const tokenizer = tokenizers.get("llama2-legacy")!;
    const own = tokenizer.chat_template;
    for (const row of read_fixture("chat", "named.json")) {
      tokenizer.chat_template = row.templates;
      const call = () => tokenizer.apply_chat_template(row.messages, { ...row.options, tokenize: false });
      if (row.error) expect(call).toThrow(row.error);
      else expect(call()).toBe(row.text);
    }
    tokenizer.chat_template = own;
  });

  test("takes batches, tensors and truncation", () => {
    const tokenizer = tokenizers.get("qwen2")!;
    const chats = ["Hi", "Hello there"].map((content) => [{ role: "user", content }]);
    const ids = chats.map((chat) => tokenizer.apply_chat_template(chat));
    expect(tokenizer.apply_chat_template(chats)).toEqual(ids);
    const out = tokenizer.apply_chat_template(chats as never, {
      return_dict: true,
      padding: true,
      return_tensors: "pt",
    });
    expect(out.input_ids).toBeInstanceOf(Tensor);
    expect(out.input_ids.dims).toEqual([2, Math.max(...ids.map((row) => row.length))]);
    expect(tokenizer.apply_chat_template(chats[0]!, { truncation: true, max_length: 4 })).toEqual(ids[0].slice(0, 4));
  });

  test("gives the ids of one more message", () => {
    const tokenizer = tokenizers.get("qwen2")!;
    const chat = ["Hello", "Good day", "Bye"].map((content, i) => ({ role: i % 2 ? "assistant" : "user", content }));
    const parts = chat.map((message, i) => tokenizer.encode_message_with_chat_template(message, chat.slice(0, i)));
    expect(parts.flat()).toEqual(tokenizer.apply_chat_template(chat));
    expect(() => tokenizer.encode_message_with_chat_template(chat[0]!, [], { add_generation_prompt: true })).toThrow(
      TypeError,
    );
  });

  test("a mask is cut where the text is cut", () => {
    const tokenizer = tokenizers.get("qwen2")!;
    const chat = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Good day" },
    ];
    const options = {
      chat_template: source("generation"),
      return_dict: true,
      return_assistant_tokens_mask: true,
    } as const;
    const whole = tokenizer.apply_chat_template(chat, options);
    const cut = tokenizer.apply_chat_template(chat, { ...options, truncation: true, max_length: 5 });
    expect(whole.assistant_masks).toContain(1);
    expect(cut.assistant_masks).toEqual([0, 0, 0, 0, 0]);
  });

  test("refuses what cannot be meant", () => {
    const tokenizer = tokenizers.get("qwen2")!;
    const chat = [{ role: "user", content: "Hello" }];
    expect(() => tokenizer.apply_chat_template(chat, { tokenize: false, return_dict: true } as never)).toThrow(
      "`return_dict=True` is incompatible with `tokenize=False`",
    );
    expect(() => tokenizer.apply_chat_template(chat, { return_assistant_tokens_mask: true })).toThrow("incompatible");
    expect(() => tokenizer.apply_chat_template("Hello" as never)).toThrow(TypeError);
    expect(() => tokenizer.apply_chat_template(chat, { tools: [() => 1] as never })).toThrow(
      "a JSON schema for a tool",
    );
    expect(() => tokenizers.get("gpt2")!.apply_chat_template(chat)).toThrow("tokenizer.chat_template is not set");
  });
});

describe("templates print values as Python does", () => {
  test.each([
    ["{{ true }} {{ none }} {{ 2.0 }} {{ 10 / 4 }}", "True None 2.0 2.5"],
    ["{{ ['a', 1, {'k': none}] }} {{ ('x', 2) }}", "['a', 1, {'k': None}] ('x', 2)"],
    [`{{ ["it's", 'say "x"', '\\n'] }}`, `["it's", 'say "x"', '\\n']`],
    ["{{ 'n: ' ~ 3 ~ false ~ missing }}", "n: 3False"],
    ["{{ '\\n x \\n'.strip('\\n') }}|{{ 'xxaxx'.rstrip('x') }}", " x |xxa"],
    ["{{ {'b': 1, 'a': [true, none]} | tojson }}", '{"b": 1, "a": [true, null]}'],
    ["{{ 'ÉCOLE d'.title() }} {{ 'hELLO'.capitalize() }}", "École D Hello"],
    [
      "{% for c in 'abcd' %}{{ c }}{% if c == 'b' %}!{% continue %}{% endif %}{% if c == 'c' %}?{% break %}{% endif %}-{% endfor %}",
      "a-b!c?",
    ],
    ["{{ {'a': 1} == {'a': 1} }} {{ [1] in [[1], 2] }} {{ 1 == true }}", "True True True"],
  ])("%s", (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test("strftime_now knows Python's fields", () => {
    expect(render("{{ strftime_now('%Y-%m-%d %H:%M') }}")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(render("{{ strftime_now('%d %b %Y') }}")).toMatch(/^\d\d [A-Z][a-z]{2} \d{4}$/);
  });
});

describe("hostile templates end in an error", () => {
  test.each([
    ["nested loops", "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}", "steps"],
    ["a huge range", "{{ range(1000000000) }}", "Range too big"],
    [
      "a growing text",
      "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(50) %}{% set n.x = n.x + n.x %}{% endfor %}",
      "characters",
    ],
    [
      "a growing list",
      "{% set n = namespace(x=[1]) %}{% for i in range(50) %}{% set n.x = n.x + n.x %}{% endfor %}",
      "items",
    ],
    ["endless recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "chat template failed"],
    ["a way out", "{{ ''.constructor.constructor('return process')() }}", "not a function"],
    ["half a statement", "{% if", "malformed"],
    ["an exception", "{{ raise_exception('no such role') }}", "no such role"],
  ])("%s", (_, template, message) => {
    expect(() => render(template, { x: {} })).toThrow(message);
  });
});

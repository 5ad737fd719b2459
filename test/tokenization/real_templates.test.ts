import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/tokenization/jinja.js";

interface Case {
  template: string;
  conversation: string;
  tools: boolean;
  prompt: boolean;
  length?: number;
  sha256?: string;
  error?: string;
}

const folder = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const { conversations, tools, variables, strftime_now, cases } = JSON.parse(
  readFileSync(new URL("../fixtures/templates/real.json", import.meta.url), "utf8"),
);

/** Where Python does what no template can mean: it escapes HTML after `|safe`, or refuses a generator in `|tojson`. */
const NOT_COPIED = new Set(["meetkai-functionary-medium-v3.1.jinja", "llama-cpp-deepseek-r1.jinja"]);

function render({ template, conversation, tools: with_tools, prompt }: Case): string {
  return compile(readFileSync(new URL(template, folder), "utf8")).render({
    messages: conversations[conversation],
    tools: with_tools ? tools : null,
    documents: null,
    add_generation_prompt: prompt,
    ...variables,
    strftime_now: () => strftime_now,
  }).text;
}

const templates = [...new Set((cases as Case[]).map(({ template }) => template))];

describe("real chat templates render as in Python", () => {
  for (const template of templates.filter((name) => !NOT_COPIED.has(name))) {
    test(template, () => {
      for (const item of (cases as Case[]).filter((row) => row.template === template)) {
        const what = `${item.conversation}, tools ${item.tools}, prompt ${item.prompt}`;
        if (item.error) {
          expect(() => render(item), what).toThrow(/chat template failed/);
        } else {
          const sha256 = createHash("sha256").update(render(item)).digest("hex");
          expect(sha256, what).toBe(item.sha256);
        }
      }
    });
  }
});

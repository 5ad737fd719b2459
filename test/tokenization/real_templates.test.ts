import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/tokenization/jinja.js";
import { read_fixture } from "./fixtures.js";

const folder = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const { conversations, tools, variables, strftime_now, cases } = read_fixture("templates", "real.json");

/** Where Python does what no template can mean: it escapes HTML after `|safe`, or refuses a generator in `|tojson`. */
const NOT_COPIED = new Set(["meetkai-functionary-medium-v3.1.jinja", "llama-cpp-deepseek-r1.jinja"]);

const WAYS = [
  { tools: null, add_generation_prompt: false },
  { tools: null, add_generation_prompt: true },
  { tools, add_generation_prompt: false },
  { tools, add_generation_prompt: true },
];

describe("real chat templates render as in Python", () => {
  for (const { template, hashes } of cases) {
    if (NOT_COPIED.has(template)) continue;
    test(template, () => {
      const compiled = compile(readFileSync(new URL(template, folder), "utf8"));
      for (const [conversation, expected] of Object.entries<(string | null)[]>(hashes)) {
        expected.forEach((hash, i) => {
          const render = () =>
            compiled.render({
              messages: conversations[conversation],
              documents: null,
              ...WAYS[i],
              ...variables,
              strftime_now: () => strftime_now,
            }).text;
          const what = `${conversation} ${JSON.stringify(WAYS[i])}`;
          if (hash === null) expect(render, what).toThrow(/chat template failed/);
          else expect(createHash("sha256").update(render()).digest("hex").slice(0, 32), what).toBe(hash);
        });
      }
    });
  }
});

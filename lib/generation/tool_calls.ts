// Tools: which calls a model's answer asks for, in the notations that chat templates teach, and answers that must be calls.
import { expected, out_of_range, TransformersError } from "../errors.js";
import type { Message } from "../tokenization/chat_template.js";
import { literal } from "./grammar/char_set.js";
import { json_schema_to_grammar } from "./grammar/json_schema.js";

/** A call of a tool, as chat templates take it back. */
export interface ToolCall {
  type: "function";
  function: { name: string; arguments: Record<string, unknown> };
  /** Where the model gave one. */
  id?: string;
}

/** What an answer says, apart from each other. */
export interface ParsedResponse extends Message {
  role: "assistant";
  content: string;
  /** What stood in `<think>` before it. */
  reasoning_content?: string;
  tool_calls?: ToolCall[];
}

/** A tool, as OpenAI's API describes it, or its function alone. */
export interface ToolDefinition {
  type?: "function";
  function: { name: string; description?: string; parameters?: object };
}

/** As in OpenAI's API. */
export type ToolChoice = "auto" | "none" | "required" | { type: "function"; function: { name: string } };

/** What is needed of a tokenizer. */
interface TemplateHolder {
  chat_template?: string | Record<string, string> | null;
}

/** A notation of calls. */
interface Notation {
  /** Whether a chat template teaches it. */
  taught(template: string): boolean;
  /** Tokens that it needs, though they may be control tokens. */
  markers: string[];
  /** What is left of the text, and the calls. */
  parse(text: string): { content: string; calls: ToolCall[] };
  /** The rule `root`, given a rule `call` (name and arguments in an object) and how the markers are written. */
  grammar?(marker: (text: string) => string, several: boolean): string;
  /** The key of the arguments in `call`. */
  key?: "arguments" | "parameters";
}

const is_object = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The JSON object or list that begins at `at`: its value and where it ends. */
function read_json(text: string, at: number): { value: unknown; end: number } | undefined {
  if (text[at] !== "{" && text[at] !== "[") return undefined;
  let depth = 0;
  let quoted = false;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === "\\") i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "{" || c === "[")) depth++;
    else if (!quoted && (c === "}" || c === "]") && --depth === 0) {
      try {
        return { value: JSON.parse(text.slice(at, i + 1)), end: i + 1 };
      } catch {
        return undefined;
      }
    }
  }
  return undefined;
}

const skip_space = (text: string, at: number): number => at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);

/** `{name, arguments}` under the names that models use; undefined if it is no call. */
function call_of(value: unknown): ToolCall | undefined {
  if (!is_object(value)) return undefined;
  if (is_object(value["function"])) return call_of({ ...value["function"], id: value["id"] });
  const { name, id } = value;
  let given = value["arguments"] ?? value["parameters"] ?? {};
  if (typeof given === "string") {
    try {
      given = JSON.parse(given);
    } catch {
      return undefined;
    }
  }
  if (typeof name !== "string" || name === "" || !is_object(given)) return undefined;
  return { type: "function", function: { name, arguments: given }, ...(typeof id === "string" ? { id } : {}) };
}

/** The calls of a JSON object or list; undefined if something in it is none. */
function calls_of(value: unknown): ToolCall[] | undefined {
  const calls = (Array.isArray(value) ? value : [value]).map(call_of);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? (calls as ToolCall[]) : undefined;
}

/** Takes out whatever `read` finds behind each `open`; what it does not understand stays. */
function take_out(
  text: string,
  open: string,
  read: (at: number) => { calls: ToolCall[]; end: number } | undefined,
): { content: string; calls: ToolCall[] } {
  const calls: ToolCall[] = [];
  let content = "";
  let at = 0;
  for (;;) {
    const found = text.indexOf(open, at);
    if (found < 0) break;
    const one = read(found + open.length);
    content += text.slice(at, one ? found : found + open.length);
    if (one) calls.push(...one.calls);
    at = one ? one.end : found + open.length;
  }
  return { content: content + text.slice(at), calls };
}

/** JSON behind `open`, then `close` if it is there. */
function take_json(text: string, open: string, close?: string) {
  return take_out(text, open, (at) => {
    const json = read_json(text, skip_space(text, at));
    const calls = json && calls_of(json.value);
    if (!json || !calls) return undefined;
    const after = skip_space(text, json.end);
    return { calls, end: close && text.startsWith(close, after) ? after + close.length : json.end };
  });
}

/** A value of Qwen3-Coder's notation: JSON if it is some, else the text. */
function loose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `<function=name><parameter=key>value</parameter>…</function>` */
function tagged_call(text: string, at: number): { calls: ToolCall[]; end: number } | undefined {
  const end = text.indexOf("</function>", at);
  const head = /^\s*<function=([^>\n]+)>/.exec(text.slice(at));
  if (!head || end < 0) return undefined;
  const given: [string, unknown][] = [];
  for (const [, key, value] of text.slice(at, end).matchAll(/<parameter=([^>\n]+)>\n?([\s\S]*?)\n?<\/parameter>/g))
    given.push([key.trim(), loose(value)]);
  const close = skip_space(text, end + "</function>".length);
  return {
    calls: [{ type: "function", function: { name: head[1].trim(), arguments: Object.fromEntries(given) } }],
    end: text.startsWith("</tool_call>", close) ? close + "</tool_call>".length : close,
  };
}

/** `name[ARGS]{…}` or `name{…}`, once or several times. */
function named_calls(text: string, at: number): { calls: ToolCall[]; end: number } | undefined {
  const head = /^\s*([\w.-]+)(?:\[CALL_ID\]([\w-]+))?(?:\[ARGS\])?\s*(?=\{)/.exec(text.slice(at, at + 300));
  const json = head && read_json(text, at + head[0].length);
  if (!head || !json || !is_object(json.value)) return undefined;
  const call: ToolCall = {
    type: "function",
    function: { name: head[1], arguments: json.value },
    ...(head[2] ? { id: head[2] } : {}),
  };
  return { calls: [call], end: json.end };
}

/** `brave_search.call(query="…")`: what Llama 3.1 writes for the tools it knows by itself. */
function python_call(text: string): ToolCall | undefined {
  const found = /^\s*([A-Za-z_]\w*)\.call\(([\s\S]*)\)\s*$/.exec(text);
  if (!found) return undefined;
  const given: [string, unknown][] = [];
  const rest = found[2].replaceAll(
    /([A-Za-z_]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|[\w.+-]+)\s*(?:,\s*|$)/g,
    (_, key: string, value: string) => {
      given.push([key, loose(value)]);
      return "";
    },
  );
  if (rest.trim() !== "") return undefined;
  return { type: "function", function: { name: found[1], arguments: Object.fromEntries(given) } };
}

const list_of_calls = (several: boolean) => `"[" call${several ? ' (", " call)*' : ""} "]"`;

/** From the most telling to the least. */
const NOTATIONS: Record<string, Notation> = {
  mistral: {
    taught: (template) => template.includes("[TOOL_CALLS]"),
    markers: ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"],
    parse: (text) =>
      take_out(text, "[TOOL_CALLS]", (at) => {
        const json = read_json(text, skip_space(text, at));
        const calls = json && calls_of(json.value);
        if (calls) return { calls, end: json.end };
        return named_calls(text, at);
      }),
    grammar: (marker, several) => `${marker("[TOOL_CALLS]")} ${list_of_calls(several)}`,
  },
  granite: {
    taught: (template) => template.includes("<|tool_call|>"),
    markers: ["<|tool_call|>", "<|/tool_call|>"],
    parse: (text) => take_json(text, "<|tool_call|>", "<|/tool_call|>"),
    grammar: (marker, several) => `${marker("<|tool_call|>")} ${list_of_calls(several)}`,
  },
  // Qwen3-Coder
  tagged: {
    taught: (template) => template.includes("<tool_call>") && template.includes("<function="),
    markers: ["<tool_call>", "</tool_call>"],
    parse: (text) => take_out(text, "<tool_call>", (at) => tagged_call(text, at)),
  },
  // Hermes, Qwen
  hermes: {
    taught: (template) => template.includes("<tool_call>"),
    markers: ["<tool_call>", "</tool_call>"],
    parse: (text) => take_json(text, "<tool_call>", "</tool_call>"),
    grammar: (marker, several) => {
      const one = `${marker("<tool_call>")} "\\n" call "\\n" ${marker("</tool_call>")}`;
      return several ? `${one} ("\\n" ${one})*` : one;
    },
  },
  // Llama 3.1 and later: an object that stands alone, or several between semicolons
  llama: {
    taught: (template) => template.includes('"parameters": ') && /ipython|python_tag/.test(template),
    markers: ["<|python_tag|>"],
    parse: (text) => {
      const bare = text.replace(/^\s*<\|python_tag\|>/, "");
      const known = bare === text ? undefined : python_call(bare);
      if (known) return { content: "", calls: [known] };
      const calls: ToolCall[] = [];
      let at = skip_space(bare, 0);
      for (;;) {
        const json = read_json(bare, at);
        const found = json && calls_of(json.value);
        if (!json || !found) return { content: text, calls: [] };
        calls.push(...found);
        at = skip_space(bare, json.end);
        if (at >= bare.length) return { content: "", calls };
        at = skip_space(bare, bare[at] === ";" ? at + 1 : at);
      }
    },
    grammar: () => "call",
    key: "parameters",
  },
};

/** The text of the chat template that is used with tools. */
function template_of(tokenizer: TemplateHolder | undefined | null): string | undefined {
  const template = tokenizer?.chat_template;
  if (typeof template === "string") return template;
  return is_object(template) ? String(template["tool_use"] ?? template["default"] ?? "") : undefined;
}

function notation_of(tokenizer: TemplateHolder | undefined | null): Notation | undefined {
  const template = template_of(tokenizer);
  return template === undefined ? undefined : Object.values(NOTATIONS).find(({ taught }) => taught(template));
}

/**
 * The calls that an answer asks for, `[]` if none. The notation is the one that the tokenizer's chat template teaches;
 * without a tokenizer, whichever is found. Calls that are not well-formed are none.
 */
export function parse_tool_calls(text: string, tokenizer?: TemplateHolder | null): ToolCall[] {
  return parse_response(text, tokenizer).tool_calls ?? [];
}

/**
 * An answer as a message for the conversation: the thoughts between `<think>` and `</think>` at its start, the calls of
 * tools, and the text that is left. What a text has not, the message has not.
 */
export function parse_response(text: string, tokenizer?: TemplateHolder | null): ParsedResponse {
  if (typeof text !== "string") throw expected("a string", "text", text);
  const { reasoning, rest } = split_reasoning(text);
  const known = notation_of(tokenizer);
  let content = rest;
  let calls: ToolCall[] = [];
  for (const notation of known ? [known] : Object.values(NOTATIONS)) {
    ({ content, calls } = notation.parse(rest));
    if (calls.length > 0) break;
  }
  return {
    role: "assistant",
    content: content.trim(),
    ...(reasoning ? { reasoning_content: reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** Thoughts may begin in the prompt, and may be cut before their end. */
function split_reasoning(text: string): { reasoning: string; rest: string } {
  const open = /^\s*<think>/.exec(text)?.[0].length ?? 0;
  const end = text.indexOf("</think>");
  if (end >= 0) return { reasoning: text.slice(open, end).trim(), rest: text.slice(end + "</think>".length) };
  return open > 0 ? { reasoning: text.slice(open).trim(), rest: "" } : { reasoning: "", rest: text };
}

/** What is needed of a tokenizer to decode an answer with its markers. */
export interface MarkerTokenizer extends TemplateHolder {
  readonly all_special_ids: readonly number[];
  readonly added_tokens_decoder?: Record<number, { content: string; special: boolean }>;
  decode(ids: number[], options: Record<string, unknown>): string;
}

const KEPT = new Set([...Object.values(NOTATIONS).flatMap(({ markers }) => markers), "<think>", "</think>"]);

/** An answer as `parse_response` takes it: special tokens are left out, but not those that mark calls and thoughts. */
export function decode_response(ids: number[], tokenizer: MarkerTokenizer): string {
  const special = new Set(tokenizer.all_special_ids);
  for (const [id, token] of Object.entries(tokenizer.added_tokens_decoder ?? {})) {
    if (KEPT.has(token.content)) special.delete(Number(id));
    else if (token.special) special.add(Number(id));
  }
  const shown = ids.filter((id) => !special.has(id));
  return tokenizer.decode(shown, { skip_special_tokens: false }).trim();
}

function functions_of(tools: readonly unknown[]): ToolDefinition["function"][] {
  return tools.map((tool, i) => {
    const definition = is_object(tool) && is_object(tool["function"]) ? tool["function"] : tool;
    if (!is_object(definition) || typeof definition["name"] !== "string")
      throw expected('{type: "function", function: {name, description, parameters}}', `tools[${i}]`, tool);
    return definition as unknown as ToolDefinition["function"];
  });
}

/** A schema whose references point to it where it stands now. */
function moved_references(schema: unknown, to: string): unknown {
  if (Array.isArray(schema)) return schema.map((one) => moved_references(one, to));
  if (!is_object(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === "$ref" && typeof value === "string" && value.startsWith("#")
        ? to + value.slice(1)
        : moved_references(value, to),
    ]),
  );
}

/**
 * The grammar (GBNF) of answers that are calls of the tools, for `tool_choice`.
 * @throws TransformersError `unsupported` if the chat template teaches no notation that can be forced; RangeError for a
 * choice that is none of the tools.
 */
export function tool_choice_grammar(
  tools: readonly unknown[],
  choice: "required" | { type: "function"; function: { name: string } },
  tokenizer: MarkerTokenizer,
): string {
  const notation = notation_of(tokenizer);
  if (!notation?.grammar)
    throw new TransformersError(
      "The chat template teaches no notation of tool calls that tool_choice can force",
      "unsupported",
    );
  const functions = functions_of(tools);
  const wanted = choice === "required" ? undefined : choice?.function?.name;
  if (choice !== "required" && typeof wanted !== "string")
    throw expected('"auto", "none", "required" or {type: "function", function: {name}}', "tool_choice", choice);
  const chosen = functions.filter(({ name }) => wanted === undefined || name === wanted);
  if (chosen.length === 0) throw out_of_range("the name of one of the tools", "tool_choice", wanted);

  const key = notation.key ?? "arguments";
  const $defs: Record<string, unknown> = {};
  const anyOf = chosen.map(({ name, parameters = { type: "object", properties: {} } }, i) => {
    const $ref = `#/$defs/${i}`;
    $defs[i] = moved_references(parameters, $ref);
    return { type: "object", properties: { name: { const: name }, [key]: { $ref } }, required: ["name", key] };
  });
  const grammar = json_schema_to_grammar({ anyOf, $defs }, "tools", "call");
  const special = new Map(
    Object.entries(tokenizer.added_tokens_decoder ?? {}).flatMap(([id, token]) =>
      token.special ? [[token.content, Number(id)] as const] : [],
    ),
  );
  const marker = (text: string) => (special.has(text) ? `<[${special.get(text)}]>` : literal(text));
  return `root ::= ${notation.grammar(marker, choice === "required")}\n${grammar}`;
}

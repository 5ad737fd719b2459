import { expected, warn_once } from "../errors.js";
import { repr } from "../python.js";
import { is_tensor } from "../tensor/index.js";
import type { PreTrainedTokenizerBase } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import { compile } from "./jinja.js";
import type { EncodeOptions } from "./options.js";
import { type Nested, to_lists, to_tensor } from "./tensors.js";

/** A message of a chat; templates may use further fields (`tool_calls`, …). */
export interface Message {
  role: string;
  content?: string | readonly Record<string, unknown>[] | null;
  [field: string]: unknown;
}
export type Conversation = readonly Message[] | { messages: readonly Message[] };

type TokenizerOptions = Pick<
  EncodeOptions,
  "padding" | "truncation" | "max_length" | "return_tensors" | "return_tensor"
>;

export interface ChatOptions extends TokenizerOptions {
  /** JSON schemas of functions. */
  tools?: readonly object[] | null;
  documents?: readonly object[] | null;
  /** A template, or the name of one of the tokenizer's. */
  chat_template?: string | null;
  add_generation_prompt?: boolean;
  /** Leaves the last message open, so that the model goes on with it. */
  continue_final_message?: boolean;
  /** false: the prompt as a string. */
  tokenize?: boolean;
  return_dict?: boolean;
  /** Adds `assistant_masks`: 1 for tokens inside `{% generation %}`. Needs `return_dict`. */
  return_assistant_tokens_mask?: boolean;
  /** Further options of the tokenizer's call. */
  tokenizer_kwargs?: EncodeOptions;
  /** Variables of the template. */
  [variable: string]: unknown;
}

/** Python's get_chat_template. */
export function choose_template(
  own: string | Record<string, string> | null,
  asked?: string | null,
  tools?: readonly object[] | null,
): string {
  if (own !== null && typeof own === "object") {
    if (asked !== undefined && asked !== null) return own[asked] ?? asked;
    const chosen = (tools && own["tool_use"]) || own["default"];
    if (chosen !== undefined) return chosen;
    throw new TypeError(
      "This model has multiple chat templates with no default specified! Please either pass a chat template or the name" +
        ` of the template you wish to use to the \`chat_template\` argument. Available template names are ${repr(Object.keys(own).sort())}.`,
    );
  }
  const template = asked ?? own;
  if (template !== null && template !== undefined) return template;
  throw new TypeError(
    "Cannot use chat template functions because tokenizer.chat_template is not set and no template argument was passed!" +
      " For information about writing templates and setting the tokenizer.chat_template attribute, please see the" +
      " documentation at https://huggingface.co/docs/transformers/main/en/chat_templating",
  );
}

const is_list = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const has_messages = (value: unknown): value is { messages: readonly Message[] } =>
  typeof value === "object" && value !== null && "messages" in value;
const messages_of = (chat: Conversation): readonly Message[] =>
  has_messages(chat) ? chat.messages : (chat as readonly Message[]);

const CONTINUE_TAG = "CONTINUE_FINAL_MESSAGE_TAG ";

/** Puts the tag at the end of the last message; returns the new chat and the text that was there. */
function tag_final_message(chat: readonly Message[]): [Message[], string] {
  const last = chat.at(-1);
  if (!last) throw expected("at least one message", "conversation", chat);
  if (!is_list(last.content)) {
    if (typeof last.content !== "string") throw expected("a text", "the content of the final message", last.content);
    return [[...chat.slice(0, -1), { ...last, content: last.content + CONTINUE_TAG }], last.content];
  }
  const index = last.content.findLastIndex((block) => "text" in block);
  if (index < 0)
    throw new TypeError(
      "continue_final_message is set but we could not find any text to continue in the final message!",
    );
  const text = String(last.content[index]!["text"]);
  const content = last.content.map((block, i) => (i === index ? { ...block, text: text + CONTINUE_TAG } : block));
  return [[...chat.slice(0, -1), { ...last, content }], text];
}

function cut_at_tag(rendered: string, final_message: string): string {
  const tag = rendered.lastIndexOf(CONTINUE_TAG.trim());
  if (tag < 0 || !rendered.includes(final_message.trim())) {
    throw new TypeError(
      "continue_final_message is set but the final message does not appear in the chat after applying the chat template!" +
        " This can happen if the chat template deletes portions of the final message. Please verify the chat template and" +
        " final message in your chat to ensure they are compatible.",
    );
  }
  const head = rendered.slice(0, tag);
  // A template that trims messages took the tag's own space away too.
  return rendered.startsWith(CONTINUE_TAG, tag) ? head : head.trimEnd();
}

/** Python's apply_chat_template; the tokenizer's method of this name says what it takes. */
export function apply_chat_template(
  tokenizer: PreTrainedTokenizerBase,
  conversation: Conversation | readonly Conversation[],
  options: ChatOptions,
): unknown {
  const {
    tools = null,
    documents = null,
    chat_template,
    add_generation_prompt = false,
    continue_final_message = false,
    tokenize = true,
    padding = false,
    truncation = false,
    max_length = null,
    return_tensors,
    return_tensor,
    return_dict = false,
    return_assistant_tokens_mask = false,
    tokenizer_kwargs = {},
    ...variables
  } = options;
  if (return_dict && !tokenize) {
    throw new TypeError(
      "`return_dict=True` is incompatible with `tokenize=False`, because there is no dict of tokenizer outputs to return.",
    );
  }
  if (return_assistant_tokens_mask && !return_dict) {
    throw new TypeError("`return_assistant_tokens_mask=True` is incompatible with `return_dict=False`");
  }
  const source = tokenizer.get_chat_template(chat_template, tools);
  if (continue_final_message && add_generation_prompt) {
    throw new TypeError(
      "continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you want the" +
        " model to continue the final message, and add_generation_prompt when you want to add a header that will prompt it" +
        " to start a new assistant message instead.",
    );
  }
  if (continue_final_message && return_assistant_tokens_mask) {
    throw new TypeError("continue_final_message is not compatible with return_assistant_tokens_mask.");
  }
  if (!is_list(conversation) && !has_messages(conversation)) {
    throw expected("a list of messages, or of such lists,", "conversation", conversation);
  }
  if (is_list(conversation) && conversation.length === 0)
    throw expected("at least one message", "conversation", conversation);
  for (const tool of tools ?? []) {
    if (typeof tool !== "object" || tool === null) throw expected("a JSON schema", "a tool", tool);
  }
  for (const document of documents ?? []) {
    if (typeof document !== "object" || document === null || is_list(document)) {
      throw new TypeError("Documents should be a list of dicts with 'title' and 'text' keys!");
    }
  }
  if (return_assistant_tokens_mask && !/{%-?\s*generation\s*-?%}/.test(source)) {
    warn_once("return_assistant_tokens_mask==True but chat template does not contain `{% generation %}` keyword.");
  }
  const batched = is_list(conversation) && (is_list(conversation[0]) || has_messages(conversation[0]));
  const chats = (batched ? conversation : [conversation]) as readonly Conversation[];
  const template = compile(source);
  const rendered = chats.map((chat) => {
    const [messages, final] = continue_final_message ? tag_final_message(messages_of(chat)) : [messages_of(chat), ""];
    const scope = { ...tokenizer.special_tokens_map, messages, tools, documents, add_generation_prompt, ...variables };
    const result = template.render(scope, return_assistant_tokens_mask);
    return continue_final_message ? { ...result, text: cut_at_tag(result.text, final) } : result;
  });
  const texts = rendered.map(({ text }) => text);
  if (!tokenize) return batched ? texts : texts[0]!;

  const tensors = return_tensors ?? return_tensor;
  const out = tokenizer(batched ? texts : texts[0]!, {
    padding,
    truncation,
    max_length,
    add_special_tokens: false,
    return_tensors,
    return_tensor,
    ...tokenizer_kwargs,
  } as EncodeOptions);
  if (!return_dict) return out["input_ids"];
  if (return_assistant_tokens_mask) {
    const rows = (batched || tensors ? to_lists(out["input_ids"]) : [out["input_ids"]]) as number[][];
    const masks = rows.map((row, i) => assistant_mask(out, i, row.length, rendered[i]!.generation));
    const mask: Nested = batched || tensors ? masks : masks[0]!;
    out["assistant_masks"] = tensors || is_tensor(out["input_ids"]) ? to_tensor(mask) : mask;
  }
  return out;
}

function assistant_mask(out: BatchEncoding, row: number, length: number, spans: readonly [number, number][]): number[] {
  const mask = new Array<number>(length).fill(0);
  for (const [start_char, end_char] of spans) {
    const start = out.char_to_token(row, start_char);
    if (start === null) break; // truncated
    mask.fill(1, start, (out.char_to_token(row, end_char - 1) || length - 1) + 1);
  }
  return mask;
}

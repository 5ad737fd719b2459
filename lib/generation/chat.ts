// `model.chat()`: what authors of chat checkpoints ship as remote code, here for every model with a chat template.
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, out_of_range, TransformersError } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";
import {
  decode_response,
  type MarkerTokenizer,
  parse_response,
  type ToolChoice,
  tool_choice_grammar,
} from "./tool_calls.js";

/** What `chat` needs of a model. */
interface Generator {
  readonly config: PretrainedConfig;
  generate(inputs: number[][], options: Record<string, unknown>): PromiseLike<Tensor>;
}

/** What `chat` needs of a tokenizer. */
interface ChatTokenizer extends MarkerTokenizer {
  apply_chat_template(messages: Message[], options: Record<string, unknown>): unknown;
}

/** Options of `chat`; whatever else is given goes to `generate`. */
export interface ChatOptions {
  tokenizer?: ChatTokenizer;
  /** The conversation so far, the user's message last. */
  messages?: Message[];
  /** Or: one more question after `history`. */
  query?: string;
  history?: Message[] | null;
  /** A system message, put first when the conversation has none. */
  system?: string;
  /** Functions that the model may ask to be called: `{type: "function", function: {name, description, parameters}}`. */
  tools?: readonly object[] | null;
  /** "required": the answer is a call; or the name of the one to call; "none": the tools stay unsaid. Default: "auto". */
  tool_choice?: ToolChoice | null;
  [generate_option: string]: unknown;
}

/**
 * Answers a conversation: `[response, history]`, the history with the answer at its end. With `tools` the answer in the
 * history has `tool_calls` and `reasoning_content` apart, and `response` is the text that is left; the results go back
 * as messages of the role "tool".
 */
export async function chat(model: Generator, options: ChatOptions): Promise<[string, Message[]]> {
  const { tokenizer, messages, query, history, system, tools: given_tools, tool_choice, ...generate_options } = options;
  if (typeof tokenizer?.apply_chat_template !== "function")
    throw expected("a tokenizer with a chat template", "tokenizer", tokenizer);
  const conversation = [...(history ?? []), ...(messages ?? [])];
  if (query !== undefined) {
    if (typeof query !== "string") throw expected("a string", "query", query);
    conversation.push({ role: "user", content: query });
  }
  if (conversation.length === 0) throw new TypeError("Expected messages or a query for chat() but received neither");
  conversation.forEach((message, i) => {
    if (typeof message?.role !== "string") throw expected("{role, content}", `messages[${i}]`, message);
  });
  if (system !== undefined && conversation[0].role !== "system")
    conversation.unshift({ role: "system", content: system });

  const tools = tool_choice === "none" ? undefined : check_tools(given_tools);
  const forced = forced_format(tools, tool_choice, tokenizer, generate_options["response_format"]);
  const ids = tokenizer.apply_chat_template(conversation, {
    add_generation_prompt: true,
    tokenize: true,
    return_dict: false,
    ...(tools ? { tools } : {}),
  }) as number[];
  const output = await model.generate([ids], { ...generate_options, ...forced, tokenizer });
  const sequences = ("sequences" in output ? output.sequences : output) as Tensor;
  if (sequences.dims[0] !== 1)
    throw new TransformersError("chat() gives one answer: num_return_sequences must be 1", "unsupported");
  const [sequence] = sequences.tolist() as number[][];
  const answer = model.config.is_encoder_decoder ? sequence : sequence.slice(ids.length);
  if (tools) {
    const message = parse_response(decode_response(answer, tokenizer), tokenizer);
    return [message.content, [...conversation, message]];
  }
  const response = tokenizer.decode(answer, { skip_special_tokens: true }).trim();
  return [response, [...conversation, { role: "assistant", content: response }]];
}

function check_tools(tools: unknown): readonly object[] | undefined {
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) throw expected("a list of tools", "tools", tools);
  return tools.length > 0 ? tools : undefined;
}

/** The `response_format` that a `tool_choice` comes to. */
function forced_format(
  tools: readonly object[] | undefined,
  choice: ToolChoice | null | undefined,
  tokenizer: ChatTokenizer,
  response_format: unknown,
): { response_format?: object } {
  if (choice === undefined || choice === null || choice === "auto" || choice === "none") return {};
  if (choice !== "required" && typeof choice !== "object")
    throw out_of_range('"auto", "none", "required" or a function', "tool_choice", choice);
  if (!tools) throw expected("tools for tool_choice", "tools", tools);
  if (response_format)
    throw new TypeError("`tool_choice` and `response_format` exclude each other: both say what the answer is");
  return { response_format: { type: "grammar", grammar: tool_choice_grammar(tools, choice, tokenizer) } };
}

// `model.chat()`: what authors of chat checkpoints ship as remote code, here for every model with a chat template.
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError } from "../errors.js";
import type { Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";

/** What `chat` needs of a model. */
interface Generator {
  readonly config: PretrainedConfig;
  generate(inputs: number[][], options: Record<string, unknown>): PromiseLike<Tensor>;
}

/** What `chat` needs of a tokenizer. */
interface ChatTokenizer {
  apply_chat_template(messages: Message[], options: Record<string, unknown>): unknown;
  decode(ids: number[], options: Record<string, unknown>): string;
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
  tools?: unknown[];
  [generate_option: string]: unknown;
}

/** Answers a conversation: `[response, history]`, the history with the answer at its end. */
export async function chat(model: Generator, options: ChatOptions): Promise<[string, Message[]]> {
  const { tokenizer, messages, query, history, system, tools, ...generate_options } = options;
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

  const ids = tokenizer.apply_chat_template(conversation, {
    add_generation_prompt: true,
    tokenize: true,
    return_dict: false,
    ...(tools ? { tools } : {}),
  }) as number[];
  const output = await model.generate([ids], { ...generate_options, tokenizer });
  const sequences = ("sequences" in output ? output.sequences : output) as Tensor;
  if (sequences.dims[0] !== 1)
    throw new TransformersError("chat() gives one answer: num_return_sequences must be 1", "unsupported");
  const [sequence] = sequences.tolist() as number[][];
  const answer = model.config.is_encoder_decoder ? sequence : sequence.slice(ids.length);
  const response = tokenizer.decode(answer, { skip_special_tokens: true }).trim();
  return [response, [...conversation, { role: "assistant", content: response }]];
}

import { writeFile } from "node:fs/promises";
import type { CausalLM } from "../auto/model.js";
import { TransformersError } from "../errors.js";
import type { Message } from "../tokenization/chat_template.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { did_you_mean } from "./arguments.js";
import { define_command } from "./command.js";
import { GENERATION_OPTIONS, generate_text, generation_options, limit_length } from "./generation.js";
import { read_lines } from "./lines.js";
import { MODEL_OPTIONS, model_argument, open_model, open_tokenizer } from "./model.js";
import { table } from "./table.js";
import type { Terminal } from "./terminal.js";

/** New tokens of an answer where nobody says how many. */
const MAX_NEW_TOKENS = 1024;

const COMMANDS = [
  ["/help", "show these commands"],
  ["/clear", "forget the conversation; the system message stays"],
  ["/system TEXT", "set the system message; without a text: none"],
  ["/save FILE", "write the conversation as JSON"],
  ["/exit", "leave, as Ctrl-D does"],
];

export const command = define_command({
  operands: ["<model>"],
  description:
    "Talks with a model that has a chat template. Answers are written as they are made; Ctrl-C stops an answer, and leaves at " +
    `the empty prompt. Without a terminal, each line of standard input is one message.\n\n${table(COMMANDS, { indent: "  " }).trimEnd()}`,
  options: { system: { type: "text", help: "a system message" }, ...GENERATION_OPTIONS, ...MODEL_OPTIONS },
  examples: [
    "chat Qwen/Qwen2.5-0.5B-Instruct",
    'chat ./my-model --system "Answer in one sentence." --temperature 0.7',
    "chat model.gguf --no-do-sample < questions.txt > answers.txt",
  ],
  async run({ values, positionals }, terminal) {
    const name = model_argument(positionals);
    const options = generation_options(values);
    const tokenizer = await open_tokenizer(name, values, terminal);
    if (tokenizer.chat_template === null)
      throw new TransformersError(`${name} has no chat template: use generate`, "no_chat_template");
    const model = await open_model(name, values, terminal);
    const talk = new Talk(terminal, model, tokenizer, options, values.system);
    try {
      if (terminal.stdin.isTTY) terminal.note(`${name}, ${model.dtype}. /help shows the commands.`);
      for await (const line of read_lines(terminal)) if (line.trim() !== "" && !(await talk.turn(line))) break;
    } finally {
      await model.dispose();
    }
  },
});

/** A conversation and what its lines do. */
class Talk {
  private messages: Message[] = [];

  constructor(
    private readonly terminal: Terminal,
    private readonly model: CausalLM,
    private readonly tokenizer: PreTrainedTokenizerFast,
    private readonly options: Record<string, unknown>,
    private system: string | undefined,
  ) {}

  /** Answers a message or obeys a command; false ends the program. What fails is said, and the conversation goes on. */
  async turn(line: string): Promise<boolean> {
    try {
      if (line.startsWith("/")) return await this.obey(line.trim());
      await this.answer(line);
    } catch (error) {
      const { stderr } = this.terminal;
      stderr.write(`${this.terminal.style("red", "error:")} ${(error as Error).message.replace(/\s*\n\s*/g, " ")}\n`);
    }
    return true;
  }

  private async obey(line: string): Promise<boolean> {
    const [, name, rest] = /^(\S+)\s*(.*)$/s.exec(line) as RegExpExecArray;
    if (name === "/exit" || name === "/quit") return false;
    if (name === "/help") this.terminal.stderr.write(table(COMMANDS));
    else if (name === "/clear") this.messages = [];
    else if (name === "/system") this.system = rest || undefined;
    else if (name === "/save" && rest) {
      await writeFile(rest, `${JSON.stringify(this.conversation(), null, 2)}\n`);
      this.terminal.note(`saved to ${rest}`);
    } else if (name === "/save") this.terminal.note("/save needs a file's name");
    else
      this.terminal.note(
        `no command ${name}${did_you_mean(
          name,
          COMMANDS.map(([text]) => text.split(" ")[0]),
        )}; /help shows all`,
      );
    return true;
  }

  private conversation(): Message[] {
    return [...(this.system === undefined ? [] : [{ role: "system", content: this.system }]), ...this.messages];
  }

  private async answer(question: string): Promise<void> {
    const { terminal, model, tokenizer } = this;
    const asked = [...this.conversation(), { role: "user", content: question }];
    const prompt_ids = tokenizer.apply_chat_template(asked, {
      add_generation_prompt: true,
      return_dict: false,
    }) as number[];
    if (prompt_ids.length >= model.max_positions)
      throw new TransformersError(
        `the conversation has ${prompt_ids.length} tokens and the model has positions for ${model.max_positions}: /clear forgets it`,
        "too_long",
      );
    const stop = new AbortController();
    const { sequences, stopped } = await terminal.with_interrupt(
      () => stop.abort(),
      () =>
        generate_text({
          model,
          tokenizer,
          prompt_ids,
          options: limit_length(model, this.options, prompt_ids.length, MAX_NEW_TOKENS),
          signal: stop.signal,
          on_text: (text) => terminal.stdout.write(text),
        }),
    );
    terminal.stdout.write("\n");
    if (stopped) terminal.note("(stopped)");
    this.messages.push({ role: "user", content: question }, { role: "assistant", content: sequences[0].text });
  }
}

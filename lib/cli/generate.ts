import { UsageError } from "./arguments.js";
import { define_command } from "./command.js";
import { GENERATION_OPTIONS, generate_text, generation_options, limit_length } from "./generation.js";
import { MODEL_OPTIONS, model_argument, open_model, open_tokenizer } from "./model.js";
import { FORMAT_OPTIONS, response_format } from "./response_format.js";
import { text_argument } from "./terminal.js";

/** New tokens where nobody says how many: as in the text-generation pipeline. */
const MAX_NEW_TOKENS = 256;

export const command = define_command({
  operands: ["<model>", "[prompt]"],
  description:
    "Continues a prompt, which comes from the argument or from standard input. The new text is written as it is made. " +
    "What is not given is as the checkpoint's generation_config.json says; without a limit there, 256 new tokens.",
  options: {
    ...GENERATION_OPTIONS,
    "num-return-sequences": { type: "integer", help: "how many texts to make" },
    chat: { type: "flag", help: "the prompt is a user's message: apply the chat template" },
    system: { type: "text", help: "a system message, with --chat" },
    ...FORMAT_OPTIONS,
    "return-full-text": { type: "flag", help: "write the prompt too" },
    json: { type: "flag", help: "write one JSON object: prompt, text, tokens, timings" },
    ...MODEL_OPTIONS,
  },
  examples: [
    'generate Qwen/Qwen2.5-0.5B-Instruct --chat "What is a haiku?"',
    'generate ./my-model "Once upon a time" --temperature 0.8 --top-p 0.9 --seed 1',
    "generate model.gguf --set num_beams=4 --set 'eos_token_id=[1,2]' < prompt.txt",
  ],
  async run({ values, positionals }, terminal) {
    const name = model_argument(positionals);
    const asked = generation_options(values);
    if (values["num-return-sequences"] !== undefined) asked["num_return_sequences"] = values["num-return-sequences"];
    const format = response_format(values);
    if (format) asked["response_format"] = format;
    if (values.system !== undefined && !values.chat) throw new UsageError("--system needs --chat");
    const prompt = await text_argument(positionals[1], terminal.stdin);
    if (prompt === undefined) throw new UsageError("no prompt: give it as an argument, or pipe it in");

    const tokenizer = await open_tokenizer(name, values, terminal);
    const messages = [
      ...(values.system === undefined ? [] : [{ role: "system", content: values.system }]),
      { role: "user", content: prompt },
    ];
    const prompt_ids = values.chat
      ? (tokenizer.apply_chat_template(messages, { add_generation_prompt: true, return_dict: false }) as number[])
      : tokenizer.encode(prompt);
    const model = await open_model(name, values, terminal);
    try {
      const { stdout } = terminal;
      const before = values["return-full-text"] && !values.json ? prompt : "";
      let written = "";
      const write = (text: string) => {
        written = text;
        stdout.write(text);
      };
      const { sequences, timings } = await generate_text({
        model,
        tokenizer,
        prompt_ids,
        signal: terminal.signal,
        options: limit_length(model, asked, prompt_ids.length, MAX_NEW_TOKENS),
        on_text: (text) => {
          if (!values.json) write(written === "" ? before + text : text);
        },
      });
      if (values.json) {
        const texts = sequences.length === 1 ? sequences[0] : { sequences };
        terminal.json({ model: name, prompt, ...texts, timings });
      } else if (sequences.length > 1) write(sequences.map(({ text }) => before + text).join("\n\n"));
      if (!values.json && !written.endsWith("\n")) stdout.write("\n");
    } finally {
      await model.dispose();
    }
  },
});

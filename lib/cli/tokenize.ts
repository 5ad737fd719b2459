import { UsageError } from "./arguments.js";
import { define_command } from "./command.js";
import { FILE_OPTIONS, model_argument, open_tokenizer } from "./model.js";
import { table } from "./table.js";
import { text_argument } from "./terminal.js";

export const command = define_command({
  operands: ["<model>", "[text]"],
  description:
    "Shows the tokens of a text, which comes from the argument or from standard input: number, id, token, the characters " +
    "that it stands for (first, and the one after the last), and these as they are.",
  options: {
    ids: { type: "flag", help: "write the ids alone, on one line" },
    json: { type: "flag", help: "write one JSON object: text, tokens, ids, offsets" },
    "no-special-tokens": { type: "flag", help: "add no special tokens; with --decode: leave them out" },
    decode: { type: "text", value: "IDS", help: "write the text of these ids: 1,2,3" },
    ...FILE_OPTIONS,
  },
  examples: [
    'tokenize Qwen/Qwen2.5-0.5B "Hello, world!"',
    "tokenize ./my-model --ids < book.txt | wc -w",
    "tokenize model.gguf --decode 9707,11,1879,0",
  ],
  async run({ values, positionals }, terminal) {
    const name = model_argument(positionals);
    if (values.decode !== undefined) {
      if (positionals.length > 1 || values.ids) throw new UsageError("--decode takes neither a text nor --ids");
      const ids = read_ids(values.decode);
      const tokenizer = await open_tokenizer(name, values, terminal);
      const text = tokenizer.decode(ids, { skip_special_tokens: values["no-special-tokens"] ?? false });
      if (values.json) terminal.json({ ids, text });
      else terminal.stdout.write(`${text}\n`);
      return;
    }
    const text = await text_argument(positionals[1], terminal.stdin);
    if (text === undefined) throw new UsageError("no text: give it as an argument, or pipe it in");
    const tokenizer = await open_tokenizer(name, values, terminal);
    const encoded = tokenizer(text, {
      add_special_tokens: !values["no-special-tokens"],
      return_offsets_mapping: true,
      verbose: false,
    });
    const ids = encoded["input_ids"] as number[];
    const offsets = encoded["offset_mapping"] as [number, number][];
    const tokens = tokenizer.convert_ids_to_tokens(ids) as string[];
    if (values.ids) terminal.stdout.write(`${ids.join(" ")}\n`);
    else if (values.json) terminal.json({ text, tokens, ids, offsets });
    else {
      const rows = ids.map((id, i) => {
        const [start, end] = offsets[i];
        return [String(i), String(id), printable(tokens[i]), `${start}:${end}`, JSON.stringify(text.slice(start, end))];
      });
      terminal.stdout.write(table(rows, { right: [0, 1] }));
    }
  },
});

function read_ids(list: string): number[] {
  const ids = list.split(/[\s,[\]]+/).filter(Boolean);
  const wrong = ids.find((id) => !/^\d{1,9}$/.test(id));
  if (wrong !== undefined) throw new UsageError(`--decode needs token ids such as 1,2,3, not "${wrong}"`);
  return ids.map(Number);
}

/** A token without signs that would move the cursor. */
function printable(token: string): string {
  return token.replace(/\p{Cc}/gu, (sign) => JSON.stringify(sign).slice(1, -1));
}

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, read_json } from "../fixtures.js";
import { run } from "./terminal.js";

const SHIPPED = fileURLToPath(new URL("../../models/kjv-llama-5m", import.meta.url));
const QWEN = fixture("models", "m28-qwen2-chat");

interface Case {
  prompt?: string;
  messages?: { role: string; content: string }[];
  options: { do_sample: boolean; max_new_tokens: number };
  input_ids: number[][];
  sequences: number[][];
  text: string;
}

/** Greedy texts of the model that ships, made by Python in float32. */
const CASES = read_json<{ cases: Case[] }>("shipped", "cases.json").cases.filter(({ options }) => !options.do_sample);
const GREEDY = ["--no-do-sample", "--dtype", "float32"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the program", () => {
  it("shows its commands and its version", async () => {
    const help = await run(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["generate", "chat", "tokenize", "info", "convert"]) expect(help.stdout).toContain(`  ${name} `);
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it.each(["generate", "chat", "tokenize", "info", "convert"])("explains %s with examples", async (name) => {
    const { code, stdout } = await run([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: ggml-transformers ${name} `);
    expect(stdout).toContain(`Examples:\n  ggml-transformers ${name}`);
  });

  it.each([
    [[], ""],
    [["generat"], "error: unknown command generat (did you mean generate?); see ggml-transformers --help\n"],
    [
      ["generate"],
      "error: no model: name a folder, a model on the Hub, or a .gguf file; see ggml-transformers generate --help\n",
    ],
    [
      ["generate", SHIPPED],
      "error: no prompt: give it as an argument, or pipe it in; see ggml-transformers generate --help\n",
    ],
    [
      ["generate", SHIPPED, "x", "--system", "y"],
      "error: --system needs --chat; see ggml-transformers generate --help\n",
    ],
    [
      ["tokenize", SHIPPED, "--decode", "1,x"],
      'error: --decode needs token ids such as 1,2,3, not "x"; see ggml-transformers tokenize --help\n',
    ],
    [["convert", SHIPPED], "error: no output: name the GGUF file to write; see ggml-transformers convert --help\n"],
    [["info", "--dtype", "q8"], "error: unknown option --dtype; see ggml-transformers info --help\n"],
  ])("ends with 2 for %j", async (argv, message) => {
    const { code, stdout, stderr } = await run(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    if (message) expect(stderr).toBe(message);
  });

  it("names the dtypes when it does not know one", async () => {
    const { code, stderr } = await run(["generate", SHIPPED, "x", "--dtype", "q9"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: Expected one of auto, float32, .* for --dtype but received 'q9'/);
  });

  it("says what fails in one line, and the stack with --debug", async () => {
    const { code, stdout, stderr } = await run(["generate", "./no-such-folder", "x"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: '.\/no-such-folder' is not a local folder.*\n$/);
    const debug = await run(["info", "none.gguf", "--debug"]);
    expect(debug.code).toBe(1);
    expect(debug.stderr).toMatch(/^error: no file none.gguf\nTransformersError: no file none.gguf\n {4}at /);
  });
});

describe("generate", () => {
  it.each(CASES.filter(({ prompt }) => prompt))(
    "continues $prompt as Python does",
    async ({ prompt, options, text }) => {
      const argv = [
        "generate",
        SHIPPED,
        prompt as string,
        ...GREEDY,
        "--max-new-tokens",
        String(options.max_new_tokens),
      ];
      expect(await run(argv)).toEqual({ code: 0, stdout: `${text}\n`, stderr: "" });
    },
  );

  it("reads a piped prompt, and writes it with --return-full-text", async () => {
    const { prompt, text } = CASES[0];
    const argv = ["generate", SHIPPED, ...GREEDY, "--max_new_tokens=16", "--return-full-text"];
    expect(await run(argv, { input: `${prompt}\n` })).toMatchObject({ code: 0, stdout: `${prompt}${text}\n` });
  });

  it("keeps to a schema, a grammar or a regular expression", async () => {
    const [schema, grammar] = [join(folder, "schema.json"), join(folder, "list.gbnf")];
    writeFileSync(
      schema,
      JSON.stringify({ properties: { n: { type: "integer", maximum: 9, minimum: 0 } }, required: ["n"] }),
    );
    writeFileSync(grammar, 'root ::= "- " [a-z]{1,3} "\\n- " [a-z]{1,3}\n');
    const text = async (...options: string[]) => {
      const { code, stdout } = await run([
        "generate",
        SHIPPED,
        "And",
        "--no-do-sample",
        "--max-new-tokens",
        "60",
        ...options,
      ]);
      expect(code).toBe(0);
      return stdout;
    };
    expect(JSON.parse(await text("--json-schema", schema))).toEqual({ n: expect.any(Number) });
    expect(await text("--grammar", grammar)).toMatch(/^- [a-z]{1,3}\n- [a-z]{1,3}\n$/);
    expect(await text("--regex", "(yes|no)!")).toMatch(/^(yes|no)!\n$/);
    for (const [options, message] of [
      [["--regex", "a", "--grammar", grammar], /exclude each other/],
      [["--grammar", join(folder, "missing")], /cannot read .*ENOENT/],
      [["--json-schema", grammar], /not JSON/],
      [["--regex", "(?=a)"], /look-ahead/],
    ] as const) {
      const { code, stderr } = await run(["generate", SHIPPED, "And", ...options]);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
    }
  });

  it("answers with --chat and --system", async () => {
    const { messages, text } = CASES.find(({ messages }) => messages?.[0].role === "system") as Required<Case>;
    const [system, user] = messages.map(({ content }) => content);
    const argv = ["generate", SHIPPED, user, "--chat", "--system", system, ...GREEDY, "--max-new-tokens", "16"];
    expect(await run(argv)).toMatchObject({ code: 0, stdout: `${text}\n` });
  });

  it("writes one JSON object with --json", async () => {
    const { prompt, text, input_ids, sequences } = CASES[0];
    const { stdout } = await run([
      "generate",
      SHIPPED,
      prompt as string,
      ...GREEDY,
      "--max-new-tokens",
      "16",
      "--json",
    ]);
    const result = JSON.parse(stdout);
    const length = input_ids[0].length;
    expect(result).toMatchObject({ model: SHIPPED, prompt, text, tokens: sequences[0].slice(length) });
    expect(result.timings).toMatchObject({ prompt_tokens: length, generated_tokens: 16 });
    expect(Object.keys(result.timings)).toEqual(
      expect.arrayContaining(["prompt_ms", "generated_ms", "tokens_per_second"]),
    );
  });

  it("draws the same texts for the same seed, and several with --num-return-sequences", async () => {
    const argv = ["generate", SHIPPED, "And", "--seed", "5", "--max-new-tokens", "8", "--num-return-sequences", "3"];
    const [first, second] = [await run([...argv, "--json"]), await run([...argv, "--json"])];
    const { sequences } = JSON.parse(first.stdout) as { sequences: { text: string; tokens: number[] }[] };
    expect(sequences).toHaveLength(3);
    expect(JSON.parse(second.stdout).sequences).toEqual(sequences);
    expect((await run(argv)).stdout).toBe(`${sequences.map(({ text }) => text).join("\n\n")}\n`);
  });

  it("ends at a stop string", async () => {
    const { prompt } = CASES[0];
    const argv = ["generate", SHIPPED, prompt as string, ...GREEDY, "--max-new-tokens", "16", "--stop", "sea,"];
    expect((await run(argv)).stdout).toBe(" is the sea,\n");
  });

  it("says what generate() refuses", async () => {
    const { code, stderr } = await run(["generate", SHIPPED, "x", "--temperature", "-1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: `temperature` \(=-1.0\) has to be a strictly positive float/);
  });
});

describe("chat", () => {
  /** As readline leaves it: coloured, the cursor in the third column. */
  const PROMPT = "> \x1b[39m\x1b[3G";
  const long = CASES.find(({ messages }) => messages?.length === 3) as Required<Case>;
  const greedy = ["chat", SHIPPED, ...GREEDY, "--max-new-tokens", "16"];

  it("answers each piped line", async () => {
    const { messages, text } = CASES.find(({ messages }) => messages?.length === 1) as Required<Case>;
    const result = await run(greedy, { input: `${messages[0].content}\n\n/clear\n${messages[0].content}\n` });
    expect(result).toEqual({ code: 0, stdout: `${text}\n${text}\n`, stderr: "" });
  });

  it("keeps the system message and the history, and saves them", async () => {
    const file = join(folder, "talk.json");
    const input = `/system Be kind.\nHello\n${long.messages[2].content}\n/save ${file}\n/exit\nnot read\n`;
    const { code, stdout, stderr } = await run(greedy, { input });
    const [first, second] = stdout.split("\n");
    expect({ code, stderr }).toEqual({ code: 0, stderr: `saved to ${file}\n` });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: first },
      { role: "user", content: long.messages[2].content },
      { role: "assistant", content: second },
    ]);
  });

  it("goes on after what fails", async () => {
    const input = `/nope\n/save\n/sav x\n${"word ".repeat(600)}\n`;
    const { code, stdout, stderr } = await run(greedy, { input });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "no command /nope; /help shows all",
      "/save needs a file's name",
      "no command /sav (did you mean /save?); /help shows all",
      expect.stringMatching(
        /^error: the conversation has \d+ tokens and the model has positions for 512: \/clear forgets it$/,
      ),
      "",
    ]);
  });

  it("has a prompt, history and commands at a terminal, where Ctrl-D leaves", async () => {
    const typed = ["/help\r", "\x1b[A\r", "\x04"];
    const on_output = (text: string, stdin: NodeJS.WritableStream) => {
      if (text.endsWith(PROMPT) && typed.length > 0) stdin.write(typed.shift() as string);
    };
    const { code, stderr } = await run(greedy, { tty: true, on_output });
    expect(code).toBe(0);
    expect(stderr.match(/\/clear {8}forget the conversation/g)).toHaveLength(2);
  });

  it("stops an answer at Ctrl-C and leaves at Ctrl-C on the empty prompt", async () => {
    const typed = ["Hello\r", "\x03"];
    let interrupted = false;
    const on_output = (text: string, stdin: NodeJS.WritableStream, terminal: { interrupt(): void }) => {
      if (text.endsWith(PROMPT)) stdin.write(typed.shift() ?? "\x04");
      else if (!interrupted && /Hello\r?\n\w/.test(text)) {
        interrupted = true;
        terminal.interrupt();
      }
    };
    const argv = ["chat", SHIPPED, "--set", "min_new_tokens=400", "--max-new-tokens", "400", "--seed", "1"];
    const { code, stderr } = await run(argv, { tty: true, on_output });
    expect(code).toBe(0);
    expect(stderr).toContain("(stopped)");
  });

  it("needs a chat template", async () => {
    const plain = join(folder, "plain");
    mkdirSync(plain);
    for (const name of ["config.json", "model.safetensors", "tokenizer.json"])
      copyFileSync(join(QWEN, name), join(plain, name));
    const { code, stderr } = await run(["chat", plain], { input: "Hello\n" });
    expect({ code, stderr }).toEqual({ code: 1, stderr: `error: ${plain} has no chat template: use generate\n` });
  });
});

describe("tokenize", () => {
  const strings = read_json<{ cases: { text: string; ids: number[] }[] }>("shipped", "strings.json").cases;

  it("writes Python's ids", async () => {
    for (const { text, ids } of strings.slice(0, 8)) {
      const { stdout } = await run(["tokenize", SHIPPED, "--json", "--", text]);
      expect(JSON.parse(stdout)).toMatchObject({ text, ids });
    }
  });

  it("shows tokens with their characters, aligned", async () => {
    expect((await run(["tokenize", SHIPPED, "In the 你"])).stdout).toBe(
      '0     0  <s>   0:0  ""\n' +
        '1  2086  In    0:2  "In"\n' +
        '2   263  Ġthe  2:6  " the"\n' +
        '3   225  Ġ     6:7  " "\n' +
        '4   165  ä     7:8  "你"\n' +
        '5   126  ½     7:8  "你"\n' +
        '6   259  ł     7:8  "你"\n',
    );
  });

  it("takes piped text, leaves special tokens out, and decodes", async () => {
    const ids = await run(["tokenize", SHIPPED, "--ids", "--no-special-tokens"], { input: "In the\n" });
    expect(ids).toEqual({ code: 0, stdout: "2086 263\n", stderr: "" });
    expect((await run(["tokenize", SHIPPED, "--decode", "[0, 2086, 263]"])).stdout).toBe("<s>In the\n");
    expect((await run(["tokenize", SHIPPED, "--decode", "0 2086", "--no-special-tokens", "--json"])).stdout).toBe(
      '{"ids":[0,2086],"text":"In"}\n',
    );
  });
});

describe("info", () => {
  it("describes the program and its devices", async () => {
    const { stdout } = await run(["info", "--json"]);
    const info = JSON.parse(stdout);
    expect(info).toMatchObject({
      node: process.version,
      devices: expect.arrayContaining([expect.objectContaining({ type: "cpu" })]),
    });
    expect(existsSync(info.addon)).toBe(true);
    expect((await run(["info"])).stdout).toContain("\nDevices:\n  CPU ");
  });

  it("describes a checkpoint by its headers", async () => {
    const info = JSON.parse((await run(["info", QWEN, "--json"])).stdout);
    expect(info).toMatchObject({
      config: { class: "Qwen2Config", hidden_size: 48 },
      parameters: 296640 / 4,
      bytes: 296640,
      dtypes: { F32: { bytes: 296640 } },
      memory: { float32: 296640 },
      tokenizer: { class: "Qwen2TokenizerFast", chat_template: true },
    });
    expect(info.tensors).toContainEqual({
      name: "model.embed_tokens.weight",
      dtype: "F32",
      shape: [384, 48],
      nbytes: 73728,
    });
    const { stdout } = await run(["info", QWEN, "--tensors"]);
    expect(stdout).toMatch(/\n {2}model\.embed_tokens\.weight +F32 +\[384, 48\] +72\.0 KB\n/);
    expect((await run(["info", QWEN])).stdout).not.toContain("model.embed_tokens.weight");
  });
});

describe("convert", () => {
  it("writes a GGUF file that generates and describes itself", async () => {
    const out = join(folder, "model.gguf");
    const converted = await run(["convert", SHIPPED, out, "--dtype", "float32", "--json"]);
    expect(JSON.parse(converted.stdout)).toMatchObject({ path: out, dtype: "float32", bytes_before: 9967104 });
    const { prompt, text } = CASES[0];
    const argv = ["generate", out, prompt as string, "--no-do-sample", "--max-new-tokens", "16"];
    argv.push("--repetition-penalty", "1.1"); // of generation_config.json, which GGUF does not have
    expect(await run(argv)).toMatchObject({ code: 0, stdout: `${text}\n` });

    const info = JSON.parse((await run(["info", out, "--json"])).stdout);
    expect(info).toMatchObject({
      config: { class: "GGUF", "general.architecture": "llama", "llama.block_count": 5 },
      parameters: 9967104 / 2,
      tokenizer: { chat_template: true },
    });
    expect(info.tensors).toContainEqual({
      name: "token_embd.weight",
      dtype: "F32",
      shape: [4096, 256],
      nbytes: 4194304,
    });
    const quantised = join(folder, "quantised.gguf");
    expect((await run(["convert", out, quantised, "--dtype", "q8_0"])).stdout).toMatch(
      /quantised\.gguf: q8_0, 19\.0 MB before, \d\.\d MB after, in /,
    );
  });

  it("does not overwrite unless it is told to", async () => {
    const out = join(folder, "kept.gguf");
    writeFileSync(out, "mine");
    expect(await run(["convert", QWEN, out])).toEqual({
      code: 1,
      stdout: "",
      stderr: `error: ${out} exists: --force replaces it\n`,
    });
    expect(readFileSync(out, "utf8")).toBe("mine");
    expect((await run(["convert", QWEN, out, "--force"])).code).toBe(0);
    expect(readFileSync(out).subarray(0, 4).toString()).toBe("GGUF");
  });

  it("wants a folder to write into before it loads anything", async () => {
    const { code, stderr } = await run(["convert", QWEN, join(folder, "none", "x.gguf")]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `error: no folder ${join(folder, "none")} to write into\n` });
  });
});

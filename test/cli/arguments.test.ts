import { describe, expect, it } from "vitest";
import { did_you_mean, type Options, options_help, parse_arguments, UsageError } from "../../lib/cli/arguments.js";
import { GENERATION_OPTIONS, generation_options } from "../../lib/cli/generation.js";

const OPTIONS = {
  "max-new-tokens": { type: "integer", help: "how many" },
  temperature: { type: "number", help: "how varied" },
  stop: { type: "text", help: "where", repeatable: true },
  json: { type: "flag", short: "j", help: "JSON" },
} satisfies Options;

const parse = (...argv: string[]) => parse_arguments(argv, OPTIONS, 2);

describe("parse_arguments", () => {
  it("reads options by their type, between and after operands", () => {
    const { values, positionals } = parse("model", "--max-new-tokens", "5", "text", "--temperature=0.5", "-j");
    expect(positionals).toEqual(["model", "text"]);
    expect(values).toMatchObject({ "max-new-tokens": 5, temperature: 0.5, json: true, stop: [] });
  });

  it("takes Python's underscores, but leaves values and operands as they are", () => {
    const { values, positionals } = parse("--max_new_tokens=5", "--stop", "a_b", "--stop=--c_d", "--", "--e_f");
    expect(values).toMatchObject({ "max-new-tokens": 5, stop: ["a_b", "--c_d"] });
    expect(positionals).toEqual(["--e_f"]);
  });

  it("takes negative numbers as values", () => {
    expect(parse("--temperature", "-1").values.temperature).toBe(-1);
  });

  it.each([
    [["--temprature", "1"], "unknown option --temprature (did you mean --temperature?)"],
    [["--xyz"], "unknown option --xyz"],
    [["-q"], "unknown option -q"],
    [["--temperature"], "--temperature needs a value"],
    [["--temperature", "warm"], '--temperature needs a number, not "warm"'],
    [["--temperature", ""], '--temperature needs a number, not ""'],
    [["--max-new-tokens", "1.5"], '--max-new-tokens needs an integer, not "1.5"'],
    [["--json=yes"], "--json takes no value"],
    [["a", "b", "c"], 'unexpected argument "c": quote a text that has spaces'],
    [["--constructor"], "unknown option --constructor"],
  ])("refuses %j", (argv, message) => {
    expect(() => parse(...argv)).toThrow(new UsageError(message));
  });

  it("lists options as they are written", () => {
    expect(options_help(OPTIONS)).toEqual([
      ["--max-new-tokens N", "how many"],
      ["--temperature N", "how varied"],
      ["--stop TEXT", "where (repeatable)"],
      ["-j, --json", "JSON"],
      ["-h, --help", "show this help"],
      ["--debug", "show the stack of an error"],
    ]);
  });
});

describe("did_you_mean", () => {
  it("finds the nearest name, or a name that was begun", () => {
    expect(did_you_mean("chta", ["chat", "convert"])).toBe(" (did you mean chat?)");
    expect(did_you_mean("max-new", ["seed", "max-new-tokens"], "--")).toBe(" (did you mean --max-new-tokens?)");
    expect(did_you_mean("zzzzzz", ["chat", "convert"])).toBe("");
  });
});

describe("generation_options", () => {
  const read = (...argv: string[]) => generation_options(parse_arguments(argv, GENERATION_OPTIONS, 0).values);

  it("gives Python's names, and only what was asked for", () => {
    expect(read()).toEqual({});
    expect(read("--repetition-penalty", "1.2", "--seed", "3", "--stop", "a", "--stop", "b")).toEqual({
      repetition_penalty: 1.2,
      seed: 3,
      stop_strings: ["a", "b"],
    });
  });

  it("samples when an option of sampling is given", () => {
    expect(read("--top-k", "5")).toEqual({ top_k: 5, do_sample: true });
    expect(read("--no-do-sample")).toEqual({
      do_sample: false,
      temperature: null,
      top_k: null,
      top_p: null,
      min_p: null,
    });
    expect(() => read("--do-sample", "--no-do-sample")).toThrow("exclude each other");
  });

  it("sets any field of GenerationConfig from JSON", () => {
    expect(
      read("--set", "num-beams=4", "--set", "eos_token_id=[1,2]", "--set", "cache_implementation=dynamic"),
    ).toEqual({
      num_beams: 4,
      eos_token_id: [1, 2],
      cache_implementation: "dynamic",
    });
    expect(() => read("--set", "num_beans=4")).toThrow("unknown field num_beans (did you mean num_beams?)");
    expect(() => read("--set", "num_beams")).toThrow('--set needs name=value, not "num_beams"');
    expect(() => read("--set", "do_sample=True")).toThrow("--set do_sample: not JSON: True");
  });
});

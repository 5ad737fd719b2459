import { createRequire } from "node:module";
import { TransformersError } from "../errors.js";
import { float_repr, string_repr } from "../python.js";

/** A node of a parsed template. */
interface Node {
  type: string;
  [part: string]: unknown;
}
/** A value inside a template: `type` names its class, and mappings are Maps. */
interface Value {
  type: string;
  value: unknown;
}
interface Scope {
  /** Converts a JavaScript value and declares it; gives what it made of it. */
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
}
interface Evaluator {
  evaluate(node: Node | undefined, scope: Scope): Value;
  run(program: Node): Value;
}
/** What is used of @huggingface/jinja; its own declarations do not resolve under NodeNext. */
interface Jinja {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown[];
  parse(tokens: unknown[]): Node;
  Environment: new (parent?: Scope) => Scope;
  Interpreter: new (scope: Scope) => Evaluator;
}

// Jinja's own sandbox stops ranges here; the others keep a hostile template from hanging or filling the memory.
const MAX_RANGE = 100_000;
const MAX_STEPS = 2_000_000;
/** What the library's own work for each turn of a loop counts. */
const STEPS_OF_TURN = 10;
const MAX_STRING = 1 << 26;
const MAX_LIST = 1 << 22;

/** `str()` of a template's value: what `{{ value }}` prints. */
function str(value: Value): string {
  if (value.type === "StringValue") return value.value as string;
  return value.type === "UndefinedValue" ? "" : repr(value);
}

function repr(value: Value): string {
  switch (value.type) {
    case "StringValue":
      return string_repr(value.value as string);
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "Undefined";
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "FloatValue":
      return float_repr(value.value as number);
    case "ArrayValue":
      return `[${(value.value as Value[]).map(repr).join(", ")}]`;
    case "TupleValue": {
      const items = (value.value as Value[]).map(repr);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    }
    case "ObjectValue":
    case "NamespaceValue":
      return `{${Array.from(value.value as Map<string, Value>, ([key, item]) => `${string_repr(key)}: ${repr(item)}`).join(", ")}}`;
    default:
      return String(value.value);
  }
}

/** What Python's str.isspace() calls whitespace. */
const is_space = (char: string) =>
  (char.trim() === "" && char !== "\ufeff") || (char >= "\x1c" && char <= "\x1f") || char === "\x85";

/** Python's `str.strip(chars)`. */
function strip(text: string, chars: unknown, left: boolean, right: boolean): string {
  const drop = typeof chars === "string" ? (char: string) => chars.includes(char) : is_space;
  const units = Array.from(text);
  let start = 0;
  let end = units.length;
  while (left && start < end && drop(units[start]!)) start++;
  while (right && end > start && drop(units[end - 1]!)) end--;
  return units.slice(start, end).join("");
}

const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();

/** Python's methods of str that the library lacks or takes another way. */
const STRING_METHODS = new Map<string, (text: string, argument: Value | undefined) => unknown>([
  ["strip", (text, chars) => strip(text, chars?.value, true, true)],
  ["lstrip", (text, chars) => strip(text, chars?.value, true, false)],
  ["rstrip", (text, chars) => strip(text, chars?.value, false, true)],
  ["capitalize", capitalize],
  ["title", (text) => text.replace(/\p{L}+/gu, capitalize)],
  ["find", (text, part) => text.indexOf(String(part?.value))],
  ["rfind", (text, part) => text.lastIndexOf(String(part?.value))],
  ["count", (text, part) => text.split(String(part?.value)).length - 1],
  ["join", (text, list) => (Array.isArray(list?.value) ? list.value.map(str).join(text) : "")],
  [
    "removeprefix",
    (text, part) => (text.startsWith(String(part?.value)) ? text.slice(String(part?.value).length) : text),
  ],
  [
    "removesuffix",
    (text, part) =>
      text.endsWith(String(part?.value)) ? text.slice(0, text.length - String(part?.value).length) : text,
  ],
  ["isdigit", (text) => /^\p{Nd}+$/u.test(text)],
  ["isalpha", (text) => /^\p{L}+$/u.test(text)],
  ["splitlines", (text) => text.replace(/(\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/)],
]);

/**
 * The library's interpreter with Python's semantics where chat templates show them: printing of values, `~`, methods of
 * str, `{% generation %}`; and with bounds. Its classes of values are not exported, so values are made through a scope.
 */
function interpreter_class(jinja: Jinja) {
  return class extends jinja.Interpreter {
    steps = 0;
    marks: [string, string] = ["", ""];

    override evaluate(node: Node | undefined, scope: Scope): Value {
      if (++this.steps > MAX_STEPS) throw new Error(`it takes more than ${MAX_STEPS} steps`);
      const value = (node && this.special(node, scope)) ?? super.evaluate(node, scope);
      const content = value?.value;
      if (typeof content === "string" && content.length > MAX_STRING)
        throw new Error(`it makes more than ${MAX_STRING} characters`);
      if (Array.isArray(content) && content.length > MAX_LIST)
        throw new Error(`it makes a list of more than ${MAX_LIST} items`);
      return value;
    }

    make(value: unknown): Value {
      return new jinja.Environment().set("value", value);
    }

    /** What this class computes itself; undefined for the library. */
    special(node: Node, scope: Scope): Value | undefined {
      const part = (name: string) => node[name] as Node;
      const printed = (name: string) => str(this.evaluate(part(name), scope));
      switch (node.type) {
        case "Known":
          return node["value"] as Value;
        case "Print":
          return this.make(printed("expression"));
        case "CallStatement": {
          if ((part("call")["callee"] as Node)["value"] !== GENERATION) return undefined;
          const body = this.evaluate({ type: "Program", body: node["body"] }, new jinja.Environment(scope));
          return this.make(`${this.marks[0]}${body.value}${this.marks[1]}`);
        }
        case "BinaryExpression":
          return part("operator")["value"] === "~" ? this.make(printed("left") + printed("right")) : undefined;
        case "FilterExpression":
          return part("filter")["value"] === "string" ? this.make(printed("operand")) : undefined;
        case "For": {
          const filtered = part("iterable").type === "SelectExpression" ? part("iterable") : undefined;
          const items = this.evaluate(filtered ? (filtered["lhs"] as Node) : part("iterable"), scope);
          this.steps += STEPS_OF_TURN * (Array.isArray(items.value) ? items.value.length : 0);
          const known = { type: "Known", value: items };
          return super.evaluate({ ...node, iterable: filtered ? { ...filtered, lhs: known } : known }, scope);
        }
        case "MemberExpression": {
          const object = this.evaluate(part("object"), scope);
          const method =
            object.type === "StringValue" && !node["computed"] && STRING_METHODS.get(String(part("property")["value"]));
          if (!method) return super.evaluate({ ...node, object: { type: "Known", value: object } }, scope);
          const bound = this.make(() => null);
          bound.value = ([argument]: Value[]) => this.make(method(object.value as string, argument));
          return bound;
        }
        default:
          return undefined;
      }
    }
  };
}

const GENERATION = "__generation__";
const STATEMENTS = new Set([
  "Set",
  "If",
  "For",
  "Macro",
  "CallStatement",
  "FilterStatement",
  "Break",
  "Continue",
  "Comment",
  "StringLiteral",
]);

/** Wraps every printed expression of a template, in all its blocks, in a node of our own. */
function mark_prints(nodes: Node[]): Node[] {
  return nodes.map((node) => {
    if (!STATEMENTS.has(node.type)) return { type: "Print", expression: node };
    for (const block of ["body", "alternate", "defaultBlock"]) {
      if (Array.isArray(node[block])) node[block] = mark_prints(node[block] as Node[]);
    }
    return node;
  });
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(" ");

/** `datetime.now().strftime(format)` in the C locale. */
function strftime_now(format: string): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const day =
    Math.round(
      (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - Date.UTC(now.getFullYear(), 0, 1)) / 864e5,
    ) + 1;
  const hour = now.getHours();
  const fields: Record<string, string> = {
    Y: String(now.getFullYear()),
    y: two(now.getFullYear() % 100),
    m: two(now.getMonth() + 1),
    d: two(now.getDate()),
    e: String(now.getDate()).padStart(2),
    b: MONTHS[now.getMonth()]!.slice(0, 3),
    B: MONTHS[now.getMonth()]!,
    a: DAYS[now.getDay()]!.slice(0, 3),
    A: DAYS[now.getDay()]!,
    w: String(now.getDay()),
    j: String(day).padStart(3, "0"),
    H: two(hour),
    I: two(hour % 12 || 12),
    p: hour < 12 ? "AM" : "PM",
    M: two(now.getMinutes()),
    S: two(now.getSeconds()),
    f: `${String(now.getMilliseconds()).padStart(3, "0")}000`,
    "%": "%",
  };
  fields["F"] = `${fields["Y"]}-${fields["m"]}-${fields["d"]}`;
  fields["T"] = `${fields["H"]}:${fields["M"]}:${fields["S"]}`;
  fields["X"] = fields["T"];
  fields["x"] = fields["D"] = `${fields["m"]}/${fields["d"]}/${fields["y"]}`;
  return format.replace(/%-?([a-zA-Z%])/g, (all, key: string) => {
    const value = fields[key] ?? all;
    return all.startsWith("%-") ? value.replace(/^[0 ]+(?=\d)/, "") : value;
  });
}

function range(...args: number[]): number[] {
  const [start, stop, step] = args.length === 1 ? [0, args[0]!, 1] : [args[0]!, args[1]!, args[2] ?? 1];
  if (step === 0 || ![start, stop, step].every(Number.isInteger))
    throw new Error("range() takes whole numbers, and a step other than 0");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE)
    throw new Error(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`);
  return Array.from({ length }, (_, i) => start + i * step);
}

export interface Rendered {
  text: string;
  /** Start and end (exclusive, UTF-16) of what `{% generation %}` blocks gave. */
  generation: [number, number][];
}

/** A compiled chat template. */
export interface Template {
  render(variables: Record<string, unknown>, track_generation?: boolean): Rendered;
}

const compiled = new Map<string, Template>();
let library: { jinja: Jinja; Interpreter: ReturnType<typeof interpreter_class> } | undefined;

function load() {
  // On first use: importing the package must stay cheap.
  const jinja = createRequire(import.meta.url)("@huggingface/jinja") as Jinja;
  library = { jinja, Interpreter: interpreter_class(jinja) };
  return library;
}

const failure = (what: string, cause: unknown) =>
  new TransformersError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, "chat_template", cause);

/** Compiles a template, once for each text. Throws TransformersError "chat_template" if it is malformed. */
export function compile(source: string): Template {
  const known = compiled.get(source);
  if (known) return known;
  const { jinja, Interpreter } = library ?? load();
  let program: Node;
  try {
    const calls = source
      .replace(/{%(-?)\s*generation\s*(-?)%}/g, `{%$1 call ${GENERATION}() $2%}`)
      .replace(/{%(-?)\s*endgeneration\s*(-?)%}/g, "{%$1 endcall $2%}");
    program = jinja.parse(jinja.tokenize(calls, { lstrip_blocks: true, trim_blocks: true }));
    program["body"] = mark_prints(program["body"] as Node[]);
  } catch (error) {
    throw failure("The chat template is malformed", error);
  }
  const template: Template = {
    render(variables, track_generation = false) {
      const scope = new jinja.Environment();
      const globals = {
        true: true,
        false: false,
        none: null,
        True: true,
        False: false,
        None: null,
        range,
        strftime_now,
        raise_exception,
      };
      for (const [name, value] of Object.entries({ ...globals, ...variables }))
        scope.setVariable(name, new jinja.Environment().set("value", value));
      const interpreter = new Interpreter(scope);
      if (track_generation) interpreter.marks = marks(variables);
      try {
        return split(String(interpreter.run(program).value), interpreter.marks);
      } catch (error) {
        throw failure("The chat template failed", error);
      }
    },
  };
  if (compiled.size >= 64) compiled.clear();
  compiled.set(source, template);
  return template;
}

function raise_exception(message: unknown): never {
  throw new Error(String(message));
}

/** Two strings that no variable contains: they stand around generated parts until `split` takes them out. */
function marks(variables: Record<string, unknown>): [string, string] {
  const text = JSON.stringify(variables);
  for (let i = 0; ; i++) {
    const pair: [string, string] = [`\u0002generation ${i}\u0002`, `\u0003generation ${i}\u0003`];
    if (pair.every((mark) => !text.includes(JSON.stringify(mark).slice(1, -1)))) return pair;
  }
}

function split(text: string, [open, close]: [string, string]): Rendered {
  const generation: [number, number][] = [];
  if (!open) return { text, generation };
  let out = "";
  let at = 0;
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, at)) {
    out += text.slice(at, start);
    const end = text.indexOf(close, start);
    const body = text.slice(start + open.length, end);
    generation.push([out.length, out.length + body.length]);
    out += body;
    at = end + close.length;
  }
  return { text: out + text.slice(at), generation };
}

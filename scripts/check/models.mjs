// Random small models with random inputs, and what they generate, with Python's answers.
//   npm run build && node scripts/check/models.mjs [python] [models] [seed] [family]
// `python` has the packages of scripts/fixtures/requirements.txt.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const library = await import("../../dist/index.js");
const { Tensor } = library;
const TOLERANCE = 1e-4;
const [python = fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url)), ...numbers] =
  process.argv.slice(2);

/** The tensors of a safetensors file of floats and integers, by name. */
function read_tensors(path) {
  const bytes = readFileSync(path);
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString());
  const types = { F32: Float32Array, I64: BigInt64Array };
  const tensor = ({ dtype, shape, data_offsets: [start, end] }) => ({
    shape,
    data: new types[dtype](Uint8Array.from(bytes.subarray(8 + size + start, 8 + size + end)).buffer),
  });
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, entry]) => [name, tensor(entry)]),
  );
}

const tensors_of = (value) => (value instanceof Tensor ? [["", value]] : [...value].map((each, i) => [`.${i}`, each]));

/** For each place of the rows that an output is of: whether the mask hides it. */
function hidden_places(key, [rows, length], inputs) {
  const sides = key.startsWith("encoder_") || !inputs.decoder_attention_mask ? ["", "decoder_"] : ["decoder_"];
  const mask = sides
    .map((side) => inputs[`${side}attention_mask`]?.flat(Infinity))
    .find((each) => each?.length === rows * length);
  return mask?.map((bit) => bit === 0);
}

/** Where an output differs from Python's; undefined if it does not. */
function difference(output, one, expected) {
  const fields = output.keys().join();
  // The llama engine gives a cache only where one is asked for.
  if (fields !== one.keys.join() && fields !== one.keys.filter((key) => key !== "past_key_values").join())
    return `fields ${fields} in place of ${one.keys}`;
  for (const [key, value] of output.items()) {
    if (key === "past_key_values") continue;
    for (const [place, tensor] of tensors_of(value)) {
      const wanted = expected[`${one.name}.${key}${place}`];
      if (!wanted) return `${key}${place} is not Python's`;
      if (tensor.dims.join() !== wanted.shape.join())
        return `${key}${place} has the shape [${tensor.dims}] in place of [${wanted.shape}]`;
      const largest = wanted.data.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-3);
      const hidden = hidden_places(key, tensor.dims, one.inputs);
      const size = tensor.data.length / (hidden?.length ?? 1);
      // What the mask hides is zero where it would cost time to compute it.
      const is_left_out = (i) => hidden?.[Math.floor(i / size)] && tensor.data[i] === 0;
      const far = wanted.data.reduce(
        (most, each, i) => (is_left_out(i) ? most : Math.max(most, Math.abs(each - tensor.data[i]))),
        0,
      );
      if (!(far <= TOLERANCE * largest)) return `${key}${place} is ${far} off, of ${largest}`;
    }
  }
  return undefined;
}

async function forward(model, one, expected) {
  const given = one.tensor_inputs.map((name) => {
    const { data, shape } = expected[`${one.name}.${name}`];
    return [name, new Tensor("float32", data, shape)];
  });
  const output = await model({ ...one.inputs, ...Object.fromEntries(given) }, one.options);
  return one.error ? "gives an answer" : difference(output, one, expected);
}

async function generate(model, one) {
  const output = await model.generate({
    ...one.inputs,
    ...one.options,
    ...(one.uniforms?.length ? { generator: one.uniforms } : {}),
    output_scores: true,
    return_dict_in_generate: true,
  });
  if (one.error) return "gives an answer";
  const ids = JSON.stringify(output.sequences.tolist());
  if (ids !== JSON.stringify(one.sequences)) return `${ids}\n  in place of ${JSON.stringify(one.sequences)}`;
  if (output.scores.length !== one.steps) return `${output.scores.length} steps in place of ${one.steps}`;
  const off = one.scores?.find(
    (score, i) => !(Math.abs(score - output.sequences_scores.data[i]) <= 1e-4 * Math.max(1, Math.abs(score))),
  );
  return off === undefined
    ? undefined
    : `sequences_scores ${[...output.sequences_scores.data]} in place of ${one.scores}`;
}

const counts = { right: 0, wrong: 0, refused: 0, accepted: 0 };
async function compare(run, one, where) {
  let found;
  try {
    found = await run();
    if (one.error && found) counts.accepted++;
  } catch (thrown) {
    found = one.error ? undefined : String(thrown.stack).slice(0, 300);
    if (one.error) counts.refused++;
  }
  if (one.error) {
    if (found) console.log(`${where} ${found} where Python refuses: ${one.error.slice(0, 200)}`);
    return;
  }
  if (found) console.log(`${where} ${JSON.stringify({ ...one.inputs, ...one.options }).slice(0, 900)}\n  ${found}`);
  counts[found ? "wrong" : "right"]++;
}

const folder = mkdtempSync(join(tmpdir(), "models-"));
try {
  const script = fileURLToPath(new URL("models.py", import.meta.url));
  const { status, error } = spawnSync(python, [script, folder, ...numbers], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw error ?? new Error(`${python} failed`);
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const recorded = JSON.parse(readFileSync(join(path, "case.json"), "utf8"));
    const expected = read_tensors(join(path, "expected.safetensors"));
    const where = `${name} ${recorded.class}`;
    let model;
    try {
      model = await library[recorded.class].from_pretrained(path, { dtype: "float32", n_threads: 1 });
    } catch (error) {
      if (error.code !== "unsupported_config") throw error;
      console.log(`${where} ${error.message}`);
      continue;
    }
    const { problem_type } = model.config;
    for (const one of recorded.cases) {
      model.config.problem_type = problem_type; // the first labels decide it for those to come, as in Python
      await compare(() => forward(model, one, expected), one, `${where} case ${one.name}`);
    }
    for (const [i, one] of recorded.generate.entries())
      await compare(() => generate(model, one), one, `${where} generate ${i}`);
    await model.dispose();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  `${counts.right} answers are Python's, ${counts.wrong} are not; of what Python refuses, ${counts.refused} are refused, ${counts.accepted} are not`,
);
process.exitCode = counts.wrong > 0 ? 1 : 0;

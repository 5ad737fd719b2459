import type { GgufMetadataValue } from "../checkpoint/gguf.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import type { Values } from "./arguments.js";
import { define_command } from "./command.js";
import { FILE_OPTIONS, file_options, model_source, open_tokenizer } from "./model.js";
import { format_bytes, format_count, table } from "./table.js";
import type { Terminal } from "./terminal.js";
import { version } from "./version.js";
import { count, memory_by_dtype, read_weights, type WeightTensor } from "./weights.js";

export const command = define_command({
  operands: ["[model]"],
  description:
    "Describes a model: its configuration, tensors, tokenizer, and the memory that its weights need. Headers alone are read, " +
    "and weights that are not on this machine are not downloaded. Without a model: describes the program and the devices.",
  options: {
    tensors: { type: "flag", help: "list every tensor" },
    json: { type: "flag", help: "write one JSON object" },
    ...FILE_OPTIONS,
  },
  examples: [
    "info",
    "info Qwen/Qwen2.5-0.5B-Instruct",
    "info model.gguf --tensors",
    "info ./my-model --json | jq .parameters",
  ],
  async run({ values, positionals }, terminal) {
    const [model] = positionals;
    if (model === undefined) return describe_program(values.json ?? false, terminal);
    const described = await describe_model(model, values, terminal);
    if (values.json) terminal.json(described);
    else terminal.stdout.write(report(described, values.tensors ?? false));
  },
});

async function describe_program(json: boolean, terminal: Terminal): Promise<void> {
  const { addon_path, native } = await import("../native.js");
  const devices = native().devices();
  const program = {
    version: version(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    addon: addon_path(),
    system_info: native().system_info(),
  };
  if (json) return terminal.json({ ...program, devices });
  const rows = devices.map(({ name, description, type, memory_free, memory_total }) => [
    name,
    type,
    memory_total > 0 ? `${format_bytes(memory_free)} free of ${format_bytes(memory_total)}` : "",
    description,
  ]);
  terminal.stdout.write(`${table(Object.entries(program).map(([key, value]) => [key, String(value)]))}\nDevices:\n`);
  terminal.stdout.write(table(rows, { indent: "  " }));
}

interface Description {
  model: string;
  /** The class and its fields; of a GGUF file the metadata, long arrays as their lengths. */
  config: { class: string; [field: string]: unknown };
  parameters: number | null;
  bytes: number | null;
  dtypes: Record<string, { tensors: number; parameters: number; bytes: number }>;
  memory: Record<string, number>;
  tensors: WeightTensor[] | null;
  tokenizer: Record<string, unknown> | null;
}

async function describe_model(
  model: string,
  values: Values<typeof FILE_OPTIONS>,
  terminal: Terminal,
): Promise<Description> {
  const weights = await read_weights(model, values, terminal);
  const tensors = weights?.tensors ?? null;
  const config = weights?.metadata
    ? { class: "GGUF", ...Object.fromEntries([...weights.metadata].map(([key, value]) => [key, short(value)])) }
    : await describe_config(model, values, terminal);
  const dtypes: Description["dtypes"] = {};
  for (const tensor of tensors ?? []) {
    dtypes[tensor.dtype] ??= { tensors: 0, parameters: 0, bytes: 0 };
    const sums = dtypes[tensor.dtype];
    sums.tensors += 1;
    sums.parameters += count(tensor);
    sums.bytes += tensor.nbytes;
  }
  const total = (of: (tensor: WeightTensor) => number) => tensors?.reduce((sum, each) => sum + of(each), 0) ?? null;
  return {
    model,
    config,
    parameters: total(count),
    bytes: total(({ nbytes }) => nbytes),
    dtypes,
    memory: tensors ? memory_by_dtype(tensors) : {},
    tensors,
    tokenizer: await describe_tokenizer(model, values, terminal),
  };
}

async function describe_config(model: string, values: Values<typeof FILE_OPTIONS>, terminal: Terminal) {
  const { AutoConfig } = await import("../auto/configuration.js");
  const source = model_source(model);
  const config = await AutoConfig.from_pretrained(source.name, file_options(source, values, terminal));
  return { class: config.constructor.name, ...config.to_dict() };
}

/** Null for a checkpoint without a tokenizer. */
async function describe_tokenizer(model: string, values: Values<typeof FILE_OPTIONS>, terminal: Terminal) {
  let tokenizer: PreTrainedTokenizerFast;
  try {
    tokenizer = await open_tokenizer(model, values, terminal);
  } catch (error) {
    terminal.note(`no tokenizer: ${(error as Error).message.split("\n", 1)[0]}`);
    return null;
  }
  return {
    class: tokenizer.constructor.name,
    vocab_size: tokenizer.vocab_size,
    length: tokenizer.length,
    model_max_length: tokenizer.model_max_length,
    special_tokens: tokenizer.special_tokens_map,
    chat_template: tokenizer.chat_template !== null,
  };
}

const LONGEST = 8;

/** A vocabulary is not for reading: long arrays are given by their lengths. */
function short(value: GgufMetadataValue): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return value;
  const list = Array.from(value as ArrayLike<unknown>);
  return list.length > LONGEST
    ? `[${list.length} values]`
    : list.map((each) => (typeof each === "bigint" ? Number(each) : each));
}

/** Fields of a configuration that people ask for; the others are in --json. */
const MAIN_FIELDS = [
  ...["model_type", "architectures", "hidden_size", "d_model", "intermediate_size", "num_hidden_layers"],
  ...["num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings", "vocab_size", "rope_theta"],
  ...["tie_word_embeddings", "dtype"],
];

function report(
  { model, config, parameters, bytes, dtypes, memory, tensors, tokenizer }: Description,
  all: boolean,
): string {
  const { class: name, ...fields } = config;
  const shown = name === "GGUF" ? Object.keys(fields) : MAIN_FIELDS.filter((field) => (fields[field] ?? null) !== null);
  const section = (title: string, rows: string[][], right: number[] = []) =>
    rows.length > 0 ? `\n${title}\n${table(rows, { indent: "  ", right })}` : "";
  const main = [
    ["model", model],
    [name === "GGUF" ? "format" : "configuration", name],
    [
      "parameters",
      parameters === null ? "weights are not on this machine" : `${format_count(parameters)} (${parameters})`,
    ],
    ...(bytes === null ? [] : [["weights", `${format_bytes(bytes)} in ${tensors?.length} tensors`]]),
  ];
  const by_dtype = Object.entries(dtypes).map(([dtype, { tensors, parameters, bytes }]) => [
    dtype,
    `${tensors} tensors`,
    format_count(parameters),
    format_bytes(bytes),
  ]);
  return (
    table(main) +
    section(
      name === "GGUF" ? "Metadata" : "Configuration",
      shown.map((field) => [field, readable(fields[field])]),
    ) +
    section(
      "Tokenizer",
      Object.entries(tokenizer ?? {}).map(([key, value]) => [key, readable(value)]),
    ) +
    section("Tensors by type", by_dtype, [1, 2, 3]) +
    section(
      "Memory for the weights, about",
      Object.entries(memory).map(([dtype, size]) => [dtype, format_bytes(size)]),
      [1],
    ) +
    section(
      "Tensors",
      (all ? (tensors ?? []) : []).map(({ name, dtype, shape, nbytes }) => [
        name,
        dtype,
        `[${shape.join(", ")}]`,
        format_bytes(nbytes),
      ]),
      [3],
    )
  );
}

const LINE = 100;

function readable(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const line = text.replace(/\s*\n\s*/g, " ");
  return line.length > LINE ? `${line.slice(0, LINE)}…` : line;
}

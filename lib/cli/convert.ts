import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { TransformersError } from "../errors.js";
import { UsageError } from "./arguments.js";
import { define_command } from "./command.js";
import { FILE_OPTIONS, model_argument, model_source, open_model, open_tokenizer } from "./model.js";
import { Progress } from "./progress.js";
import { format_bytes, format_duration } from "./table.js";
import { weights_size } from "./weights.js";

export const command = define_command({
  operands: ["<model>", "<out.gguf>"],
  description:
    "Writes a model as one GGUF file, with its tokenizer and chat template, that llama.cpp's tools load too.",
  options: {
    dtype: {
      type: "text",
      value: "NAME",
      help: "type of the weights: float16, q8_0, q4_k_m, … (default: as they are)",
    },
    force: { type: "flag", help: "replace a file that is there" },
    json: { type: "flag", help: "write one JSON object: path, dtype, bytes_before, bytes_after, seconds" },
    ...FILE_OPTIONS,
  },
  examples: ["convert Qwen/Qwen2.5-0.5B-Instruct qwen.gguf --dtype q4_k_m", "convert f16.gguf q8.gguf --dtype q8_0"],
  async run({ values, positionals }, terminal) {
    const name = model_argument(positionals);
    const out = positionals[1];
    if (!out) throw new UsageError("no output: name the GGUF file to write");
    if (existsSync(out) && !values.force)
      throw new TransformersError(`${out} exists: --force replaces it`, "file_exists");
    if (!existsSync(dirname(out))) throw new TransformersError(`no folder ${dirname(out)} to write into`, "io_error");

    const started = performance.now();
    const from_gguf = model_source(name).gguf_file !== undefined; // a GGUF file has its tokenizer and types already
    const model = await open_model(
      name,
      { ...values, device: "cpu", "n-threads": undefined, ...(from_gguf ? { dtype: undefined } : {}) },
      terminal,
    );
    const progress = new Progress(terminal);
    try {
      const tokenizer = from_gguf ? undefined : await open_tokenizer(name, values, terminal);
      progress.message(`writing ${out} …`);
      await model.save_gguf(out, {
        ...(tokenizer ? { tokenizer } : {}),
        progress_callback: (event) => {
          if (event.status === "progress") progress.update(`writing ${out}`, event.loaded, event.total);
        },
        ...(from_gguf && values.dtype ? { quantization: values.dtype } : {}),
      });
    } finally {
      progress.clear();
      await model.dispose();
    }
    const before = await weights_size(name, values, terminal);
    const after = (await stat(out)).size;
    const seconds = (performance.now() - started) / 1000;
    const dtype = from_gguf && values.dtype ? values.dtype : model.dtype;
    if (values.json) terminal.json({ path: out, dtype, bytes_before: before, bytes_after: after, seconds });
    else
      terminal.stdout.write(
        `${out}: ${dtype}, ${format_bytes(before)} before, ${format_bytes(after)} after, in ${format_duration(seconds)}\n`,
      );
  },
});

// The main job in one go: loads the checkpoint that ships in models/ and streams what it writes.
//   npm run demo [-- "In the beginning"]
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM, AutoTokenizer, TextStreamer } from "../dist/index.js";

const folder = fileURLToPath(new URL("../models/kjv-llama-5m", import.meta.url));
const prompt = process.argv[2] ?? "And it came to pass";

const tokenizer = await AutoTokenizer.from_pretrained(folder);
const model = await AutoModelForCausalLM.from_pretrained(folder);
const inputs = tokenizer(prompt, { return_tensors: "pt" });

console.log(`${model.constructor.name}, ${(model.num_parameters() / 1e6).toFixed(1)} M parameters, ${model.dtype}\n`);
const started = performance.now();
const output = await model.generate({
  ...inputs,
  max_new_tokens: 120,
  streamer: new TextStreamer(tokenizer, { skip_special_tokens: true }),
});
const seconds = (performance.now() - started) / 1000;
const made = output.dims[1] - inputs.input_ids.dims[1];
console.log(`\n${made} tokens in ${seconds.toFixed(2)} s (${Math.round(made / seconds)} tokens/s)`);
await model.dispose();

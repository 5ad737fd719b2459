// The table of T5's distances against Python's: test/fixtures/nn/relative_positions.json.
import { expect, test } from "vitest";
import { native } from "../../lib/native.js";
import { RelativePositionBias, Trace } from "../../lib/nn/index.js";
import { read_json } from "../fixtures.js";

interface Table {
  num_buckets: number;
  max_distance: number;
  bidirectional: boolean;
  first: number;
  buckets: number[];
}
const { cases } = read_json<{ cases: Table[] }>("nn", "relative_positions.json");

test.each(cases)("$num_buckets buckets up to $max_distance, $bidirectional", async (one) => {
  const { num_buckets, first, buckets } = one;
  const heads = 2;
  const layer = new RelativePositionBias({ ...one, heads });
  layer.weight.name = "table";
  const state = new (native().StateDict)();
  const table = Float32Array.from({ length: num_buckets * heads }, (_, i) => i);
  state.set("table", "F32", [num_buckets, heads], new Uint8Array(table.buffer));
  const trace = new Trace();
  trace.run(() => trace.output("bias", layer.forward()));
  const engine = new (native().GraphEngine)({ state_dict: state, device: "CPU" });
  const id = engine.add_program(JSON.stringify(trace.program()));
  await engine.run(id, {}); // the second run finds what the first one did
  const { bias } = (await engine.run(id, {})).outputs;
  await engine.dispose();
  const width = bias.length / heads;
  const reach = (width + 1) / 2;
  buckets.forEach((bucket, i) => {
    const distance = Math.max(1 - reach, Math.min(reach - 1, first + i)); // as the kernel takes it
    for (let head = 0; head < heads; head++)
      expect([first + i, bias[head * width + distance + reach - 1]]).toEqual([first + i, bucket * heads + head]);
  });
});

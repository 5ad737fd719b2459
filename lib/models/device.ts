// Device names of Python, transformers.js and ggml.
import { expected, warn_once } from "../errors.js";
import { type Device, native } from "../native.js";

/**
 * The name in ggml's registry for what a caller calls a device; undefined leaves the choice to the engine (a GPU, else the CPU).
 * Accepts "auto", "gpu", "cpu", "cuda", "cuda:1", "mps", "metal", "vulkan", a name of `devices()`, -1 (CPU), or the number of a GPU.
 */
export function resolve_device(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "auto") return undefined;
  const all = native().devices();
  const gpus = all.filter((device) => device.type === "gpu");
  const pick = (found: Device | undefined): string => {
    if (found) return found.name;
    throw expected(`one of ${["auto", ...all.map((device) => device.name)].join(", ")}`, "device", value);
  };
  const cpu = all.find((device) => device.type === "cpu");
  if (typeof value === "number") return pick(value === -1 ? cpu : gpus[value]);
  if (typeof value !== "string") throw expected("a device's name or number", "device", value);
  const name = value.toLowerCase();
  if (name === "wasm" || name === "webgpu")
    warn_once(`device "${name}" is of the browser: "${name === "wasm" ? "cpu" : "gpu"}" is used`);
  if (name === "cpu" || name === "wasm") return pick(cpu);
  if (name === "gpu" || name === "webgpu") return pick(gpus[0]);
  const exact = all.find((device) => device.name.toLowerCase() === name);
  if (exact) return exact.name;
  const [kind, index = "0"] = name.split(":");
  const prefix = kind === "mps" ? "metal" : kind;
  return pick(gpus.filter((device) => device.name.toLowerCase().startsWith(prefix))[Number(index)]);
}

/** Where the graph engine runs: its attention over packed rows is a kernel of the CPU. */
export function device_of_graph(name: string | undefined): string {
  const cpu = native()
    .devices()
    .find((device) => device.type === "cpu");
  return name ?? cpu?.name ?? "CPU";
}

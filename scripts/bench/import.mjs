// How long `import` and `require` of the package take, each in processes of its own.
//   npm run bench:import -- [--rounds 15] [--json]
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { add_row, in_turns, report } from "./harness.mjs";
import { install, root } from "./peers.mjs";

const timed = (load) => `const start = performance.now(); ${load}; console.log(performance.now() - start);`;
const run = (...args) => Number(execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split("\n").at(-1));
const by_import = (url) => () => run("--input-type=module", "-e", timed(`await import(${JSON.stringify(url)})`));
const by_require = (path) => () => run("--input-type=commonjs", "-e", timed(`require(${JSON.stringify(path)})`));

const peers = {
  "transformers.js": install("transformers-js", ["@huggingface/transformers@4.3.1"])?.("@huggingface/transformers"),
};
const found = Object.entries(peers).filter(([, url]) => url);
const times = await in_turns({
  import: by_import(pathToFileURL(join(root, "dist", "index.js")).href),
  require: by_require(join(root, "dist", "index.cjs")),
  ...Object.fromEntries(found.map(([name, url]) => [name, by_import(url)])),
});
for (const [name] of found) {
  add_row("import", "ms", times.import, times[name], `${name}, import`);
  add_row("require", "ms", times.require, times[name], `${name}, import`);
}
report("Time to load the package, in a process of its own");

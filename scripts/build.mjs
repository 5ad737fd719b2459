// Builds what is missing: the vendored source, the addon, the TypeScript. Incremental.
//   node scripts/build.mjs [native|ts] [--release] [--arch x64] [--out folder]
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { unpackVendor } from "./vendor.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

function has(program) {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Copies the addon, and the libraries that stand beside it, when they changed. */
function collect(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!/\.(node|so|dylib|dll|metallib)$/.test(name)) continue;
    const source = join(from, name);
    const target = join(to, name);
    if (existsSync(target) && statSync(target).mtimeMs >= statSync(source).mtimeMs) continue;
    rmSync(target, { force: true }); // a process that runs keeps the old file
    copyFileSync(source, target);
  }
}

/**
 * Compiles native/ and llama.cpp with cmake-js into .cmake/<kind>-<arch>, and copies the result to `out`.
 * A development build is static and tuned to this machine; a release build loads CPU variants at run time.
 */
function buildNative({ release, arch, out }) {
  unpackVendor();
  const work = join(root, ".cmake", `${release ? "release" : "dev"}-${arch}`);
  const cmakeJs = join(require.resolve("cmake-js/package.json"), "..", "bin", "cmake-js");
  const args = ["build", "-d", root, "-O", work, "-a", arch, `--CDGGML_TRANSFORMERS_RELEASE=${release ? "ON" : "OFF"}`];
  args.push(...(has("ninja") ? ["-G", "Ninja"] : []), "-p", String(availableParallelism()), "-l", "warn");
  const env = { ...process.env, CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: "1" };
  execFileSync(process.execPath, [cmakeJs, ...args], { cwd: root, stdio: "inherit", env });
  for (const folder of [work, join(work, "bin"), join(work, "Release")]) if (existsSync(folder)) collect(folder, out);
}

/** Bundles lib/ into dist/ as ESM and CommonJS, and writes the declarations. */
async function buildTypeScript() {
  const { build } = await import("esbuild");
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    external: [...Object.keys(dependencies), "sharp"],
    sourcemap: "linked",
    sourcesContent: false,
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "utf8",
    keepNames: true, // classes print under their names
    logLevel: "warning",
  };
  rmSync(join(root, "dist"), { recursive: true, force: true });
  // Apart from each other: every file that the library shares with the command line would be one more to load.
  const esm = { ...common, outdir: "dist", format: "esm", splitting: true };
  await build({ ...esm, entryPoints: ["lib/index.ts"], chunkNames: "lib-[hash]" });
  await build({ ...esm, entryPoints: ["lib/cli/cli.ts"], chunkNames: "cli-[hash]" });
  await build({ ...esm, entryPoints: { tokenizers: "lib/tokenizers/index.ts" }, chunkNames: "tokenizers-[hash]" });
  await build({
    ...common,
    entryPoints: { index: "lib/index.ts", tokenizers: "lib/tokenizers/index.ts" },
    outdir: "dist",
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    define: { "import.meta.url": "__importMetaUrl" },
    banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  const tsc = require.resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
}

/** True when a file of `folder` is newer than the bundle. */
function newerThan(folder, time) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? newerThan(path, time) : statSync(path).mtimeMs > time;
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    release: { type: "boolean", default: false },
    arch: { type: "string", default: process.arch },
    out: { type: "string", default: join(root, "build", "Release") },
  },
});
const [what = "all"] = positionals;
const started = Date.now();
if (what !== "ts") buildNative(values);
if (what !== "native") {
  const bundle = join(root, "dist", "types", "index.d.ts");
  if (!existsSync(bundle) || newerThan(join(root, "lib"), statSync(bundle).mtimeMs)) await buildTypeScript();
}
console.log(
  `build: ${relative(root, values.out) || "."} is up to date (${((Date.now() - started) / 1000).toFixed(1)} s)`,
);

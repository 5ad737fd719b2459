// What we are measured against, built and installed into the git-ignored folder .bench.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const folder = join(root, ".bench");

/** As the addon's development build (CMakeLists.txt, vendor/llama.cmake), so that both run the same ggml. */
const FLAGS = [
  "-DCMAKE_BUILD_TYPE=Release",
  "-DCMAKE_CXX_STANDARD=17",
  "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
  "-DCMAKE_CXX_VISIBILITY_PRESET=hidden",
  "-DCMAKE_VISIBILITY_INLINES_HIDDEN=ON",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DGGML_NATIVE=ON",
  "-DGGML_OPENMP=OFF",
  "-DLLAMA_OPENSSL=OFF",
  "-DLLAMA_BUILD_TESTS=OFF",
  "-DLLAMA_BUILD_EXAMPLES=OFF",
  "-DLLAMA_BUILD_SERVER=OFF",
  "-DLLAMA_BUILD_APP=OFF",
];

/** The path of llama-bench, of the vendored llama.cpp. */
export function llama_bench() {
  const work = join(folder, "llama.cpp");
  const env = { ...process.env, CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: "1" };
  const cmake = (...args) => execFileSync("cmake", args, { stdio: ["ignore", "ignore", "inherit"], env });
  if (!existsSync(join(work, "CMakeCache.txt"))) {
    const generator = existsSync("/usr/bin/ninja") ? ["-G", "Ninja"] : [];
    console.error("building llama-bench: minutes, this once");
    cmake("-S", join(root, "vendor", "llama.cpp"), "-B", work, ...generator, ...FLAGS);
  }
  cmake("--build", work, "--target", "llama-bench", "--parallel", String(availableParallelism()));
  return join(work, "bin", "llama-bench");
}

/** The URL of what `import` of an installed package loads in Node. */
function entry_of(package_folder) {
  const { exports, module, main } = JSON.parse(readFileSync(join(package_folder, "package.json"), "utf8"));
  let entry = exports?.["."] ?? exports ?? module ?? main ?? "index.js";
  while (typeof entry === "object") entry = entry.node ?? entry.import ?? entry.default;
  return pathToFileURL(join(package_folder, entry)).href;
}

/**
 * Installs packages into .bench/<name> without their install scripts. Gives a function that finds the file of one of
 * them, or undefined if the registry cannot be reached.
 * @param options.optional also what they name as optional; node-llama-cpp's is 700 MB
 */
export function install(name, packages, { optional = true } = {}) {
  const place = join(folder, name);
  const manifest = join(place, "package.json");
  if (!existsSync(join(place, "node_modules", ".package-lock.json"))) {
    mkdirSync(place, { recursive: true });
    writeFileSync(manifest, JSON.stringify({ private: true, type: "module" }));
    console.error(`installing ${packages.join(" ")} into .bench/${name}`);
    try {
      const omit = optional ? [] : ["--omit=optional"];
      const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...omit, ...packages];
      execFileSync("npm", args, { cwd: place, stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      console.error(
        `${name} is left out: ${
          String(error.stderr ?? error.message)
            .trim()
            .split("\n")[0]
        }`,
      );
      return undefined;
    }
  }
  return (specifier) => entry_of(join(place, "node_modules", specifier));
}

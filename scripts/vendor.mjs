// Unpacks the pinned llama.cpp source into vendor/llama.cpp and applies vendor/patches.
// Does nothing when the stamp of an earlier run still matches the pin and the patches.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const vendor = join(root, "vendor");
const target = join(vendor, "llama.cpp");
const patches = join(vendor, "patches");

/** Runs a program and returns what it printed; its errors go to the terminal. */
function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });
}

function patchFiles() {
  return existsSync(patches)
    ? readdirSync(patches)
        .filter((name) => name.endsWith(".patch"))
        .sort()
        .map((name) => join(patches, name))
    : [];
}

/** A hash over everything that decides the content of vendor/llama.cpp. */
function stampOf(pin) {
  const hash = createHash("sha256").update(JSON.stringify(pin));
  for (const file of patchFiles()) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function tarball(pin, folder) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const file = join(
    folder,
    run(npm, ["pack", pin.package, "--silent", "--pack-destination", folder], {
      shell: process.platform === "win32",
    }).trim(),
  );
  const integrity = "sha512-" + createHash("sha512").update(readFileSync(file)).digest("base64");
  if (integrity !== pin.integrity)
    throw new Error(`${pin.package}: expected integrity ${pin.integrity}, received ${integrity}`);
  return file;
}

/** Makes vendor/llama.cpp what the pin says. */
export function unpackVendor() {
  const pin = JSON.parse(readFileSync(join(vendor, "llama.cpp.json"), "utf8"));
  const stamp = stampOf(pin);
  const stampFile = join(target, ".stamp");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;

  const work = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
  try {
    console.log(`vendor: unpacking llama.cpp ${pin.version} from ${pin.package}`);
    run("tar", ["-xzf", tarball(pin, work), "-C", work, pin.bundle]);
    const fresh = join(vendor, ".unpacking");
    rmSync(fresh, { recursive: true, force: true });
    run("git", ["-c", "advice.detachedHead=false", "clone", "--quiet", join(work, pin.bundle), fresh]);
    for (const file of patchFiles()) {
      console.log(`vendor: applying ${file.slice(patches.length + 1)}`);
      run("git", ["apply", "--whitespace=nowarn", file], { cwd: fresh });
    }
    rmSync(join(fresh, ".git"), { recursive: true });
    writeFileSync(join(fresh, ".stamp"), stamp);
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) unpackVendor();

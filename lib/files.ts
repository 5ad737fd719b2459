// Folders to write into.
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const code_of = (error: unknown) => (error as NodeJS.ErrnoException).code;
const is_folder = async (path: string) => Boolean((await stat(path).catch(() => undefined))?.isDirectory());

/**
 * Makes a folder, and those above it; nothing if it is there. Node's own `recursive` does not come back where the file
 * system itself refuses, as below /proc.
 * @throws the system's error: ENOENT, EACCES, EEXIST for a file of this name, …
 */
export async function make_folder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (code_of(error) === "EEXIST" && (await is_folder(path))) return;
    const parent = dirname(path);
    if (code_of(error) !== "ENOENT" || parent === path || (await is_folder(parent))) throw error;
    await make_folder(parent);
    await mkdir(path).catch(async (again) => {
      if (code_of(again) !== "EEXIST" || !(await is_folder(path))) throw again; // another call was faster
    });
  }
}

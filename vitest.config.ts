import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The examples import the package as a user does.
  resolve: {
    alias: [{ find: /^ggml-transformers$/, replacement: fileURLToPath(new URL("lib/index.ts", import.meta.url)) }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

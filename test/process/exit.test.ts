import { describe, expect, test } from "vitest";

interface Endings {
  endings: Record<string, unknown>;
  subjects: Record<string, string[]>;
  run(name: string, folders: string[]): Promise<string | undefined>;
}

// The children run the built package: `npm test` builds it.
const { endings, subjects, run }: Endings = await import(
  new URL("../../scripts/stress/endings.mjs", import.meta.url).href
);

describe.each(Object.entries(subjects))("A process in which %s generates ends cleanly", (_, folders) => {
  test.each(Object.keys(endings))("%s", async (name) => {
    expect(await run(name, folders)).toBeUndefined();
  });
});

import { expect, test } from "vitest";

interface Endings {
  endings: Record<string, unknown>;
  run(name: string): Promise<string | undefined>;
}

// The children run the built package: `npm test` builds it.
const { endings, run }: Endings = await import(new URL("../../scripts/stress/endings.mjs", import.meta.url).href);

test.each(Object.keys(endings))("A process that generates ends cleanly: %s", async (name) => {
  for (let i = 0; i < 2; i++) expect(await run(name)).toBeUndefined();
});

import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load_state_dict } from "../../lib/checkpoint/index.js";
import { fixture_json, temporary_folder } from "./helpers.js";

interface Part {
  text?: string;
  hex?: string;
  times?: number;
}

interface Case {
  name: string;
  parts: Part[];
  size?: number;
  accepted: boolean;
}

/** The format forbids names that come twice; the crate lets some pass, and then the last one wins. */
const REFUSED_BY_US_ALONE = /^h09/;

function expand(parts: Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ text, hex, times = 1 }) =>
      Array.from({ length: times }, (_, i) =>
        hex === undefined ? Buffer.from(String(text).replace("{i}", String(i))) : Buffer.from(hex, "hex"),
      ),
    ),
  );
}

async function open(bytes: Buffer, size?: number) {
  const path = join(temporary_folder(), "model.safetensors");
  writeFileSync(path, bytes);
  if (size !== undefined) truncateSync(path, size);
  return { path, state: await load_state_dict(path) };
}

describe("A safetensors file is accepted or refused as in Python", () => {
  for (const { name, parts, size, accepted } of fixture_json<{ cases: Case[] }>("cases.json").cases) {
    const wanted = accepted && !REFUSED_BY_US_ALONE.test(name);
    it(`${wanted ? "accepts" : "refuses"} ${name}`, async () => {
      const bytes = expand(parts);
      if (wanted) return (await open(bytes, size)).state.dispose();
      const error = await open(bytes, size).then(
        () => undefined,
        (reason) => reason,
      );
      expect(error).toMatchObject({ name: "TransformersError", code: "checkpoint_invalid" });
      expect(error.message).toContain("model.safetensors");
      expect(error.message.length).toBeLessThan(500);
    });
  }
});

describe("A refusal says what is wrong", () => {
  const cases = new Map(fixture_json<{ cases: Case[] }>("cases.json").cases.map((one) => [one.name, one]));
  const texts: Record<string, string> = {
    "h02 seven bytes": "only 7 bytes",
    "h04 header longer than the file": "longer than the file",
    "h06 length just over the limit": "100000001 bytes is larger than the limit of 100000000",
    "h09 one name twice, same bytes": "one entry named a",
    "h12 overlap": "data_offsets [2, 6] of tensor b do not continue at 4",
    "h16 bytes after the last tensor": "take 4 bytes, but 5 follow",
    "h17 shape too large": "do not fit F32 and shape (2,)",
    "h20 unknown dtype": "instead of F128",
    "h25 format exe":
      "does not contain the valid metadata. Make sure you save your model with the `save_pretrained` method.",
    "h29 pointer of Git LFS": "git lfs pull",
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`for ${name}`, async () => {
      const { parts, size } = cases.get(name) as Case;
      await expect(open(expand(parts), size)).rejects.toThrow(text);
    });
  }

  it("for a folder that stands where the file should", async () => {
    const path = join(temporary_folder(), "model.safetensors");
    mkdirSync(path);
    await expect(load_state_dict(join(path, ".."))).rejects.toMatchObject({ code: "entry_not_found" });
  });
});

it("Names that JavaScript's objects know are names like others", async () => {
  const { parts } = fixture_json<{ cases: Case[] }>("cases.json").cases.find((one) =>
    one.name.startsWith("h26 names"),
  ) as Case;
  const { state } = await open(expand(parts));
  expect(state.keys()).toEqual(["__proto__", "constructor"]);
  expect(state.has("toString")).toBe(false);
  expect(state.info("__proto__")).toMatchObject({ dtype: "F32", shape: [1], nbytes: 4 });
});

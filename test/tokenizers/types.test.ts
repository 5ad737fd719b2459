import type * as npm from "tokenizers";
import { expect, it } from "vitest";
import type * as ours from "../../lib/tokenizers/index.js";

type Npm = typeof npm;
type Class = abstract new (...given: never[]) => unknown;
type Enums = "JsSplitDelimiterBehavior" | "PaddingDirection" | "TruncationDirection" | "TruncationStrategy";
// Lists of components: the package's own, which have no members, do not pass for ours.
type Lists = `sequence${string}` | "mergeEncodings";
type Functions = Exclude<keyof { [K in keyof Npm as Npm[K] extends Class ? never : K]: K }, Enums | Lists | "default">;
type Static<C extends Class> = Omit<C, "prototype">;

// What is written for the package's types compiles with ours in their place.
const functions = (tokenizers: typeof ours): Pick<Npm, Functions> => tokenizers;
const encoding = (given: ours.Encoding): npm.Encoding => given;
const tokenizer = (given: ours.Tokenizer): Omit<npm.Tokenizer, "addAddedTokens"> => given;
const models = (
  given: typeof ours.BPE & typeof ours.WordPiece & typeof ours.WordLevel & typeof ours.Unigram,
): Static<typeof npm.BPE> | Static<typeof npm.WordPiece> | Static<typeof npm.WordLevel> | Static<typeof npm.Unigram> =>
  given;
const added_token = (given: typeof ours.AddedToken): typeof npm.AddedToken => given;

it("the types stand in for the package's: the compiler has the last word", () => {
  expect([functions, encoding, tokenizer, models, added_token]).toHaveLength(5);
});

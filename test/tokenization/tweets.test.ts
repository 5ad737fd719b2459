import { expect, test } from "vitest";
import { normalize_tweet, tweet_tokens } from "../../lib/tokenization/tweets.js";
import { read_fixture } from "./fixtures.js";

interface Case {
  tweet: string;
  tokens: string[];
  normalized: string;
}

test("tweets are split and normalised as in Python", () => {
  const { cases } = read_fixture("family_tokenizers", "tweets.json") as { cases: Case[] };
  for (const { tweet, tokens, normalized } of cases) {
    expect.soft(tweet_tokens(tweet), JSON.stringify(tweet)).toEqual(tokens);
    expect.soft(normalize_tweet(tweet), JSON.stringify(tweet)).toBe(normalized);
  }
});

test("long runs of anything take no more than their time", () => {
  for (const part of ["a.", "(", "http://a(", ". ", "#", "1-", "&#x", "a'", "@", "<"])
    expect(tweet_tokens(part.repeat(2_000)).length).toBeGreaterThan(0);
});

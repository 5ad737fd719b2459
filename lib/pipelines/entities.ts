// From labels of tokens to entities: words, groups, overlaps.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/token_classification.py
import { code_points } from "./offsets.js";

export const STRATEGIES = ["none", "simple", "first", "average", "max"] as const;
/** How labels of tokens become entities; see TokenClassificationPipelineOptions. */
export type AggregationStrategy = (typeof STRATEGIES)[number];

/** A token with its probabilities. Offsets are null where the tokenizer gives none. */
export interface TokenScores {
  word: string;
  scores: Float32Array;
  start: number | null;
  end: number | null;
  index: number;
  is_subword: boolean;
}

/** A token or a word with its label. */
export interface Labelled {
  entity: string;
  score: number;
  word: string;
  start: number | null;
  end: number | null;
}

export interface Grouped {
  entity_group: string;
  score: number;
  word: string;
  start: number | null;
  end: number | null;
}

/** What the grouping needs of a model and its tokenizer. */
export interface Vocabulary {
  id2label: Readonly<Record<number, string>>;
  join(words: string[]): string;
}

function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function label(token: TokenScores, { id2label }: Vocabulary): Labelled {
  const best = argmax(token.scores);
  const { word, start, end } = token;
  return { entity: id2label[best], score: token.scores[best], word, start, end };
}

/** The probabilities of a word, of which all tokens get the same label. */
function scores_of_word(tokens: readonly TokenScores[], strategy: AggregationStrategy): ArrayLike<number> {
  if (strategy === "first") return tokens[0].scores;
  if (strategy === "average")
    return Array.from(tokens[0].scores, (_, i) => mean(tokens.map(({ scores }) => scores[i])));
  const highest = tokens.map(({ scores }) => scores[argmax(scores)]);
  return tokens[argmax(highest)].scores;
}

/** Labels of words instead of tokens. */
export function label_words(
  tokens: readonly TokenScores[],
  strategy: AggregationStrategy,
  vocabulary: Vocabulary,
): Labelled[] {
  const words: TokenScores[][] = [];
  for (const token of tokens) {
    if (token.is_subword && words.length > 0) words[words.length - 1].push(token);
    else words.push([token]);
  }
  return words.map((parts) => {
    const scores = scores_of_word(parts, strategy);
    const best = argmax(scores);
    return {
      entity: vocabulary.id2label[best],
      score: scores[best],
      word: vocabulary.join(parts.map(({ word }) => word)),
      start: parts[0].start,
      end: parts[parts.length - 1].end,
    };
  });
}

/** "B-PER" begins a person; "I-PER", and any label without these letters, goes on. */
function tag_of(entity: string): { begins: boolean; tag: string } {
  const marked = entity.startsWith("B-") || entity.startsWith("I-");
  return { begins: entity.startsWith("B-"), tag: marked ? entity.slice(2) : entity };
}

/** Neighbours of one tag become one group. */
export function group(entities: readonly Labelled[], vocabulary: Vocabulary): Grouped[] {
  const groups: Labelled[][] = [];
  for (const entity of entities) {
    const last = groups.at(-1)?.at(-1);
    const { begins, tag } = tag_of(entity.entity);
    if (last && !begins && tag === tag_of(last.entity).tag) groups[groups.length - 1].push(entity);
    else groups.push([entity]);
  }
  return groups.map((members) => ({
    entity_group: members[0].entity.replace(/^[^-]*-/, ""),
    score: mean(members.map(({ score }) => score)),
    word: vocabulary.join(members.map(({ word }) => word)),
    start: members[0].start,
    end: members[members.length - 1].end,
  }));
}

/** Of entities that overlap, from parts of one text that do, the longest stays, or the surest of equal length. */
export function without_overlaps(entities: readonly Grouped[], text: string): Grouped[] {
  const sorted = [...entities].sort((a, b) => Number(a.start) - Number(b.start));
  const length = ({ start, end }: Grouped) => code_points(text.slice(Number(start), Number(end)));
  const kept = sorted.slice(0, 1);
  for (const entity of sorted) {
    // Python compares the first one with itself, too: an empty one is there twice.
    const previous = kept[kept.length - 1];
    if (Number(entity.start) >= Number(previous.end)) kept.push(entity);
    else {
      const longer = length(entity) - length(previous);
      if (longer > 0 || (longer === 0 && entity.score > previous.score)) kept[kept.length - 1] = entity;
    }
  }
  return kept;
}

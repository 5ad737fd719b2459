// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/markuplm/tokenization_markuplm_fast.py
import { inspect } from "node:util";
import { expected, TransformersError } from "../errors.js";
import { arguments_of, type CallOptions, type Input, type Sample, type Text } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import type { Encoding } from "./encoding.js";
import { GPT2Family, with_wide_mask } from "./families.js";
import type { TokenizerKeywords } from "./fast.js";
import { type Layout, SENTENCE, zeros } from "./layout.js";
import { page_encoding } from "./pages.js";
import { strip } from "./python_text.js";

export interface MarkupOptions extends CallOptions {
  /** Where each node stands in the page, such as "/html/body/div/li[1]". Of a batch, lists of them. */
  xpaths?: readonly string[] | readonly (readonly string[])[] | null;
  /** A label for each node: the call returns one for each token. Of a batch, lists of them. */
  node_labels?: readonly number[] | readonly (readonly number[])[] | null;
}

const is_list = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const is_nodes = (value: unknown): value is readonly string[] =>
  is_list(value) && value.every((node) => typeof node === "string");

interface Pages {
  samples: Sample[];
  xpaths: readonly (readonly string[])[];
  labels: readonly (readonly number[])[] | null;
  has_questions: boolean;
}

function pages_of(text: Input, pair: Input, options: MarkupOptions, single: boolean): Pages {
  const has_questions = pair !== undefined && pair !== null;
  const given = has_questions ? pair : text;
  if (!is_list(given)) {
    throw new TypeError(
      "Nodes must be of type `list[str]` (single pretokenized example), or `list[list[str]]` (batch of pretokenized" +
        ` examples). Received ${inspect(given)}`,
    );
  }
  if (!options.xpaths) throw new TypeError("You must provide corresponding xpaths");
  const of = <T>(value: unknown) => (single ? [value] : value) as readonly T[];
  const pages = of<readonly string[]>(given);
  const xpaths = of<readonly string[]>(options.xpaths);
  if (pages.length !== xpaths.length)
    throw new RangeError("You must provide nodes and xpaths for an equal amount of examples");
  pages.forEach((page, i) => {
    if (!is_nodes(page)) throw expected("a list of strings", `the nodes of page ${i}`, page);
    if (!is_nodes(xpaths[i])) throw expected("a list of strings", `xpaths of page ${i}`, xpaths[i]);
    if (page.length !== xpaths[i]!.length) throw new RangeError("You must provide as many nodes as there are xpaths");
  });
  const questions = has_questions ? of<string>(text) : null;
  if (questions && questions.length !== pages.length) {
    throw new RangeError(
      `batch length of \`text\`: ${questions.length} does not match batch length of \`text_pair\`: ${pages.length}.`,
    );
  }
  const labels = options.node_labels ? of<readonly number[]>(options.node_labels) : null;
  labels?.forEach((row, i) => {
    if (row.length !== pages[i]?.length) throw new RangeError("You must provide as many nodes as there are labels");
  });
  const samples = pages.map((page, i): Sample => {
    if (!questions) return { text: page, pair: null };
    if (typeof questions[i] !== "string") throw expected("a string", `question ${i}`, questions[i]);
    return { text: [questions[i]], pair: page };
  });
  return { samples, xpaths, labels, has_questions };
}

/** Tags by depth and which of their kind they are. */
type Path = [tags: number[], subs: number[]];

/** Nodes of pages with the paths to them: `tokenizer(nodes, { xpaths })`, `tokenizer(question, nodes, { xpaths })`. */
export class MarkupLMFamily extends GPT2Family {
  static override readonly words_need_space = false;
  static override readonly model_input_names: readonly string[] = ["input_ids", "token_type_ids", "attention_mask"];
  static override readonly layout: Layout = zeros(["cls A sep", "cls A sep B sep"]);
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    tags_dict: null,
    errors: "replace",
    ...SENTENCE,
    add_prefix_space: false,
    max_depth: 50,
    max_width: 1000,
    pad_width: 1001,
    pad_token_label: -100,
    only_label_first_subword: true,
    trim_offsets: false,
  };

  readonly tags_dict: Readonly<Record<string, number>>;
  max_depth = this.init_kwargs["max_depth"] as number;
  max_width = this.init_kwargs["max_width"] as number;
  pad_width = this.init_kwargs["pad_width"] as number;
  pad_token_label = this.init_kwargs["pad_token_label"] as number;
  only_label_first_subword = this.init_kwargs["only_label_first_subword"] as boolean;

  constructor(keywords: TokenizerKeywords = {}) {
    super(with_wide_mask(keywords, new.target.keywords));
    const { tags_dict, trim_offsets } = this.init_kwargs;
    if (typeof tags_dict !== "object" || tags_dict === null)
      throw expected("an object of tags and their ids", "tags_dict", tags_dict);
    if (trim_offsets)
      throw new TransformersError(
        "`trim_offsets=True` is not implemented for MarkupLMTokenizerFast. Please set it to False.",
        "not_supported",
      );
    this.tags_dict = tags_dict as Record<string, number>;
  }

  get unk_tag_id(): number {
    return Object.keys(this.tags_dict).length;
  }
  get pad_tag_id(): number {
    return this.unk_tag_id + 1;
  }
  override get pad_values(): Record<string, unknown> {
    const [tags, subs] = this.#pad_path();
    return { xpath_tags_seq: tags, xpath_subs_seq: subs, labels: this.pad_token_label };
  }
  #pad_path(): Path {
    return [new Array(this.max_depth).fill(this.pad_tag_id), new Array(this.max_depth).fill(this.pad_width)];
  }

  /** The ids of the tags on the way to a node, and which of their kind they are, filled up to `max_depth`. */
  get_xpath_seq(xpath: string): Path {
    const units = xpath.split("/").map(strip);
    const steps = units
      .filter((unit) => unit !== "")
      .map((unit) => {
        const [name, sub] = unit.split("[");
        const tag = Object.hasOwn(this.tags_dict, name!) ? this.tags_dict[name!]! : this.unk_tag_id;
        const number = sub === undefined ? 0 : Number(sub.slice(0, -1));
        if (!Number.isInteger(number)) throw expected('a path such as "/html/body/li[2]"', "an xpath", xpath);
        return [tag, Math.min(this.max_width, number)] as const;
      });
    const [tags, subs] = this.#pad_path();
    steps.slice(0, this.max_depth).forEach(([tag, sub], i) => {
      tags[i] = tag;
      subs[i] = sub;
    });
    return [tags, subs];
  }

  override _call(text: Input, ...rest: unknown[]): BatchEncoding {
    const [pair, options] = arguments_of(rest);
    const has_pair = pair !== undefined && pair !== null;
    return this.#encode(text, pair, options, has_pair ? !is_list(text) : !is_list((text as readonly unknown[])?.[0]));
  }
  override encode_plus(text: Text, ...rest: unknown[]): BatchEncoding {
    const [pair, options] = arguments_of(rest);
    return this.#encode(text, pair, options, true);
  }
  /** Pages, or with `text_pair` questions and pages. */
  override batch_encode_plus(batch: readonly unknown[], options: MarkupOptions = {}): BatchEncoding {
    return this.#encode(batch as Input, options.text_pair, options, false);
  }
  override tokenize(text: Text, ...rest: unknown[]): string[] {
    const [given, { pair: named, ...options }] = arguments_of(rest) as [Input, CallOptions & { pair?: Text }];
    const sample = { text, pair: (given ?? named ?? null) as Text | null };
    const plan = { padding: "do_not_pad", truncation: "do_not_truncate", max_length: null } as const;
    return this._encode([sample], { add_special_tokens: false, ...options }, plan, true).tokens();
  }

  #encode(text: Input, pair: Input, given: MarkupOptions, single: boolean): BatchEncoding {
    const pages = pages_of(text, pair, given, single);
    const { xpaths: _x, node_labels: _l, text_pair: _p, return_tensors, return_tensor, ...options } = given;
    const all = { ...options, is_split_into_words: true };
    const encoded = this._encode(pages.samples, all, this._plan(options), false);
    const encodings = encoded.encodings!;
    const samples = (encoded["overflow_to_sample_mapping"] as number[] | undefined) ?? encodings.map((_, i) => i);
    const paths = encodings.map((encoding, i) => this.#paths(encoding, pages, samples[i]!));
    encoded["xpath_tags_seq"] = paths.map((row) => row.map(([tags]) => tags));
    encoded["xpath_subs_seq"] = paths.map((row) => row.map(([, subs]) => subs));
    if (pages.labels)
      encoded["labels"] = encodings.map((encoding, i) => this.#labels(encoding, pages.labels![samples[i]!]!));
    const has_rows = !single || Boolean(options.return_overflowing_tokens);
    return page_encoding(encoded, encodings, { has_rows, tensors: return_tensors ?? return_tensor });
  }

  #paths({ ids, word_ids, sequence_ids }: Encoding, { xpaths, has_questions }: Pages, page: number): Path[] {
    const of_nodes = xpaths[page]!.map((xpath) => this.get_xpath_seq(xpath));
    const none = this.#pad_path();
    const special = [this.cls_token_id, this.sep_token_id, this.pad_token_id];
    return ids.map((id, i) => {
      const node = word_ids[i];
      if (node !== null && node !== undefined) return has_questions && sequence_ids[i] === 0 ? none : of_nodes[node]!;
      if (special.includes(id)) return none;
      throw new RangeError(`Id not recognized: ${id} belongs to no node and is no special token`);
    });
  }

  #labels({ ids, word_ids, offsets }: Encoding, labels: readonly number[]): number[] {
    return ids.map((_, i) => {
      const node = word_ids[i];
      const is_labelled = !this.only_label_first_subword || offsets[i]![0] === 0;
      return node !== null && node !== undefined && is_labelled ? labels[node]! : this.pad_token_label;
    });
  }
}

// vocab.txt, the file of WordPiece tokenizers, as the tokenizer.json that Python makes of it:
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/convert_slow_tokenizer.py
import { empty_parts, family_of, lines, no_token, not_supported } from "./slow_parts.js";
import { template } from "./template.js";

type Keywords = Record<string, unknown>;

/** Families whose BertConverter is the plain one. */
const BERT = (
  "Bert ConvBert DPRContextEncoder DPRQuestionEncoder DPRReader DistilBert Electra LayoutLM LayoutLMv2 Lxmert MobileBert RetriBert" +
  " Realm SqueezeBert"
).split(" ");
/** Their ways to put a text or two between the tokens cls and sep. */
const BERT_ENDS: Record<string, (cls: string, sep: string, keywords: Keywords) => [single: string, pair: string]> = {
  ...Object.fromEntries(
    BERT.map((family) => [
      family,
      (cls: string, sep: string) => [`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 $B:1 ${sep}:1`],
    ]),
  ),
  Funnel: (cls, sep) => [`${cls}:2 $A:0 ${sep}:0`, `${cls}:2 $A:0 ${sep}:0 $B:1 ${sep}:1`],
  Splinter: (cls, sep, { question_token: question, padding_side }) => [
    `${cls}:0 $A:0 ${sep}:0`,
    padding_side === "left"
      ? `${cls}:0 $A:0 ${sep}:0 $B:1 ${question} . ${sep}:1`
      : `${cls}:0 $A:0 ${question} . ${sep}:0 $B:1 ${sep}:1`,
  ],
  MPNet: (cls, sep) => [`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 ${sep}:0 $B:1 ${sep}:1`],
};

/** What is in vocab.txt, one token a line, as Python's converter for `class_name` makes it. */
export function from_vocab_txt(class_name: string, vocab_txt: string, keywords: Keywords): object {
  const family = family_of(class_name);
  if (!Object.hasOwn(BERT_ENDS, family)) throw not_supported(class_name, "vocab.txt");
  const tokens = lines(vocab_txt);
  if (tokens.at(-1) === "") tokens.pop();
  // The last one counts if a token is there twice; the ids of the others stay as they are.
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const id_of = (token: unknown) => {
    if (Object.hasOwn(vocab, String(token))) return vocab[String(token)]!;
    throw no_token(token);
  };
  const { cls_token, sep_token, unk_token, question_token } = keywords;
  const [single, pair] = BERT_ENDS[family]!(String(cls_token), String(sep_token), keywords);
  return {
    ...empty_parts,
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: keywords["tokenize_chinese_chars"] ?? true,
      strip_accents: keywords["strip_accents"] ?? null,
      lowercase: keywords["do_lower_case"] ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    // Python looks for Splinter's question before it adds it to the vocabulary.
    post_processor: template(single, pair, (token) =>
      id_of(token === question_token && !Object.hasOwn(vocab, token) ? unk_token : token),
    ),
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: String(keywords["unk_token"]),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

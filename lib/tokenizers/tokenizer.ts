import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { from_native, TransformersError } from "../errors.js";
import {
  type AddedTokenSpec,
  type NativeEncodeOptions,
  type NativeEncoding,
  type NativeTokenizer,
  native,
} from "../native.js";
import { threads_for } from "../tokenization/engine_call.js";
import type { ComponentKind } from "../tokenization/fast.js";
import { NO_PARTS, read_header, type TokenizerHeader } from "../tokenization/tokenizer_json.js";
import { AddedToken } from "./added_token.js";
import { flag, instance, instances, list, natural, optional, text, texts } from "./arguments.js";
import { type Component, guarded } from "./component.js";
import { Decoder } from "./decoders.js";
import { Encoding, type OffsetsUnit, unwrap, wrap } from "./encoding.js";
import {
  batch_input,
  type EncodeInput,
  type EncodeOptions,
  type Input,
  type InputSequence,
  ids_of,
  input_of,
  type Plan,
  parts_of,
  plan_of,
} from "./inputs.js";
import {
  native_truncation,
  type PaddingOptions,
  pad,
  padding_of,
  type TruncationOptions,
  truncation_of,
} from "./limits.js";
import { BPE, json_of, Model } from "./models.js";
import { Normalizer } from "./normalizers.js";
import { PreTokenizer } from "./pre_tokenizers.js";
import { Processor } from "./processors.js";
import { lines_of, Trainer, Training } from "./trainers.js";

/** Texts, one by one or in lists. */
export type TextIterator = Iterable<string | readonly string[]> | AsyncIterable<string | readonly string[]>;

function read(json: string | Uint8Array): NativeTokenizer {
  const engine = guarded(() => new (native().Tokenizer)(json));
  engine.set_normalized_added_tokens(true);
  return engine;
}

function read_file(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new TransformersError(`Cannot read ${path}: ${(cause as Error).message}`, "file_not_found", cause);
  }
}

/** A whole tokenizer: the npm package `tokenizers`' class, with synchronous methods beside the others. */
export class Tokenizer {
  #engine: NativeTokenizer;
  #parts: TokenizerHeader = NO_PARTS;
  #tasks = 0;

  constructor(model: Model) {
    this.#engine = read(`{"model":${json_of(instance(model, Model, "model"))}}`);
  }

  static #of(json: Uint8Array): Tokenizer {
    const tokenizer = new Tokenizer(BPE.empty());
    tokenizer.#engine = read(json);
    tokenizer.#parts = read_header(tokenizer.#engine);
    return tokenizer;
  }

  /** From the text of a tokenizer.json. */
  static fromString(s: string): Tokenizer {
    return Tokenizer.#of(Buffer.from(text(s, "s")));
  }

  /** From the path of a tokenizer.json. */
  static fromFile(file: string): Tokenizer {
    return Tokenizer.#of(read_file(text(file, "file")));
  }

  /** The text of its tokenizer.json. */
  toString(pretty?: boolean | null): string {
    return guarded(() => this.#engine.to_json(optional(pretty, "pretty", flag, false)));
  }

  /** Writes its tokenizer.json. */
  save(path: string, pretty?: boolean | null): void {
    writeFileSync(text(path, "path"), this.toString(pretty));
  }

  // ---- parts

  #set(kind: keyof TokenizerHeader, part: TokenizerHeader[typeof kind]): void {
    guarded(() => this.#engine.set_component(kind, part && JSON.stringify(part)));
    this.#parts = { ...this.#parts, [kind]: part };
  }

  #get<T extends Component>(kind: ComponentKind, type: new (spec: NonNullable<TokenizerHeader[ComponentKind]>) => T) {
    const spec = this.#parts[kind];
    return spec && new type(spec);
  }

  setModel(model: Model): void {
    guarded(() => this.#engine.set_component("model", json_of(instance(model, Model, "model"))));
  }

  getNormalizer(): Normalizer | null {
    return this.#get("normalizer", Normalizer);
  }

  setNormalizer(normalizer: Normalizer): void {
    this.#set("normalizer", instance(normalizer, Normalizer, "normalizer").toJSON());
  }

  getPreTokenizer(): PreTokenizer | null {
    return this.#get("pre_tokenizer", PreTokenizer);
  }

  setPreTokenizer(preTokenizer: PreTokenizer): void {
    this.#set("pre_tokenizer", instance(preTokenizer, PreTokenizer, "preTokenizer").toJSON());
  }

  getPostProcessor(): Processor | null {
    return this.#get("post_processor", Processor);
  }

  setPostProcessor(postProcessor: Processor): void {
    this.#set("post_processor", instance(postProcessor, Processor, "postProcessor").toJSON());
  }

  getDecoder(): Decoder | null {
    return this.#get("decoder", Decoder);
  }

  setDecoder(decoder: Decoder): void {
    this.#set("decoder", instance(decoder, Decoder, "decoder").toJSON());
  }

  /** Shortens what is encoded to `maxLength` tokens, the special ones included. RangeError for a stride without room. */
  setTruncation(maxLength: number, given?: TruncationOptions | null): void {
    const truncation = truncation_of(maxLength, given);
    const added = this.#engine.num_special_tokens_to_add(false);
    const room = truncation.max_length - added;
    if (room >= 0 && room < truncation.stride)
      throw new RangeError(
        `tokenizer stride set to ${truncation.stride}, which is greater than or equal to its effective max length of ` +
          `${room} (= ${truncation.max_length} original max length - ${added} added special tokens)`,
      );
    this.#set("truncation", truncation);
  }

  disableTruncation(): void {
    this.#set("truncation", null);
  }

  /** Pads what is encoded to `maxLength` tokens, or to the longest of its batch. */
  setPadding(given?: PaddingOptions | null): void {
    this.#set("padding", given ? padding_of(given) : null);
  }

  disablePadding(): void {
    this.#set("padding", null);
  }

  // ---- vocabulary

  /** With the added tokens, unless told otherwise. */
  getVocab(withAddedTokens?: boolean | null): Record<string, number> {
    return this.#engine.get_vocab(optional(withAddedTokens, "withAddedTokens", flag, true));
  }

  getVocabSize(withAddedTokens?: boolean | null): number {
    return this.#engine.vocab_size(optional(withAddedTokens, "withAddedTokens", flag, true));
  }

  idToToken(id: number): string | null {
    return this.#engine.id_to_token(natural(id, "id")) ?? null;
  }

  tokenToId(token: string): number | null {
    return this.#engine.token_to_id(text(token, "token")) ?? null;
  }

  #add(tokens: AddedTokenSpec[]): number {
    return guarded(() => this.#engine.add_tokens(tokens));
  }

  /** Returns how many were new. */
  addTokens(tokens: readonly string[]): number {
    return this.#add(texts(tokens, "tokens").map((token) => new AddedToken(token, false).toJSON()));
  }

  /** Returns how many were new. */
  addAddedTokens(tokens: readonly AddedToken[]): number {
    return this.#add(instances(tokens, AddedToken, "tokens").map((token) => token.toJSON()));
  }

  addSpecialTokens(tokens: readonly string[]): void {
    this.#add(texts(tokens, "tokens").map((token) => new AddedToken(token, true).toJSON()));
  }

  // ---- encoding

  get #truncation() {
    const { truncation } = this.#parts;
    return truncation ? { truncation: native_truncation(truncation) } : {};
  }

  #options({ is_pretokenized, add_special_tokens }: Plan): NativeEncodeOptions {
    return { is_pretokenized, add_special_tokens, ...this.#truncation };
  }

  #encode({ text, pair }: Input, plan: Plan): NativeEncoding {
    return this.#engine.encode(text, pair, this.#options(plan));
  }

  #finish(encodings: NativeEncoding[], unit: OffsetsUnit): Encoding[] {
    const { padding } = this.#parts;
    if (padding) pad(encodings, padding);
    return encodings.map((encoding) => wrap(encoding, unit));
  }

  /** Encodes a text or pair. */
  encodeSync(sentence: InputSequence, pair?: InputSequence | null, encodeOptions?: EncodeOptions | null): Encoding {
    const plan = plan_of(encodeOptions);
    const input = input_of(sentence, pair, plan);
    return guarded(() => this.#finish([this.#encode(input, plan)], plan.unit)[0]!);
  }

  encode(
    sentence: InputSequence,
    pair?: InputSequence | null,
    encodeOptions?: EncodeOptions | null,
  ): Promise<Encoding> {
    const plan = plan_of(encodeOptions);
    const input = input_of(sentence, pair, plan);
    return this.#task(() => this.#finish([this.#encode(input, plan)], plan.unit)[0]!);
  }

  /** Encodes texts and pairs. */
  encodeBatchSync(sentences: readonly EncodeInput[], encodeOptions?: EncodeOptions | null): Encoding[] {
    const plan = plan_of(encodeOptions);
    const inputs = list(sentences, "sentences").map((sentence) => batch_input(sentence, plan));
    return guarded(() => this.#finish(this.#encode_batch(inputs, plan), plan.unit));
  }

  encodeBatch(sentences: readonly EncodeInput[], encodeOptions?: EncodeOptions | null): Promise<Encoding[]> {
    const plan = plan_of(encodeOptions);
    const inputs = list(sentences, "sentences").map((sentence) => batch_input(sentence, plan));
    return this.#task(async () => {
      const encodings: NativeEncoding[] = [];
      for (const part of parts_of(inputs)) {
        if (encodings.length) await setImmediate();
        for (const encoding of this.#encode_batch(part, plan)) encodings.push(encoding);
      }
      return this.#finish(encodings, plan.unit);
    });
  }

  #encode_batch(inputs: readonly Input[], plan: Plan): NativeEncoding[] {
    const texts = inputs.map((input) => input.text);
    const pairs = inputs.some((input) => input.pair !== null) ? inputs.map((input) => input.pair) : null;
    return this.#engine.encode_batch(texts, pairs, this.#options(plan), plan.threads ?? threads_for(inputs));
  }

  /** Shortens, joins and pads encodings as `encode` does in the end. */
  postProcess(encoding: Encoding, pair?: Encoding | null, addSpecialTokens?: boolean | null): Encoding {
    const { native, unit } = unwrap(instance(encoding, Encoding, "encoding"));
    const second = optional(pair, "pair", (value, name) => unwrap(instance(value, Encoding, name)).native, null);
    const add_special_tokens = optional(addSpecialTokens, "addSpecialTokens", flag, true);
    return guarded(() => {
      const joined = this.#engine.post_process(native, second, { add_special_tokens, ...this.#truncation });
      return this.#finish([joined], unit)[0]!;
    });
  }

  // ---- decoding

  /** The text of ids; those without a token are left out. */
  decodeSync(ids: readonly number[], skipSpecialTokens: boolean): string {
    const [checked, skip] = [ids_of(ids, "ids"), flag(skipSpecialTokens, "skipSpecialTokens")];
    return guarded(() => this.#engine.decode(checked, skip));
  }

  decode(ids: readonly number[], skipSpecialTokens: boolean): Promise<string> {
    const [checked, skip] = [ids_of(ids, "ids"), flag(skipSpecialTokens, "skipSpecialTokens")];
    return this.#task(() => this.#engine.decode(checked, skip));
  }

  decodeBatchSync(ids: readonly (readonly number[])[], skipSpecialTokens: boolean): string[] {
    const skip = flag(skipSpecialTokens, "skipSpecialTokens");
    const checked = list(ids, "ids").map((item) => ids_of(item, "ids"));
    return guarded(() => checked.map((item) => this.#engine.decode(item, skip)));
  }

  decodeBatch(ids: readonly (readonly number[])[], skipSpecialTokens: boolean): Promise<string[]> {
    const skip = flag(skipSpecialTokens, "skipSpecialTokens");
    const checked = list(ids, "ids").map((item) => ids_of(item, "ids"));
    return this.#task(() => checked.map((item) => this.#engine.decode(item, skip)));
  }

  // Bad arguments throw before, as in the package; what goes wrong here rejects.
  async #task<T>(work: () => T | Promise<T>): Promise<T> {
    this.#tasks++;
    try {
      return await work();
    } catch (error) {
      throw from_native(error);
    } finally {
      this.#tasks--;
    }
  }

  /** One more than the number of calls that have not settled. */
  runningTasks(): number {
    return 1 + this.#tasks;
  }

  // ---- training

  // Without a trainer, the one that Rust takes for the model.
  #training(trainer: unknown): Training {
    const json = JSON.parse(this.toString());
    const given = optional(trainer, "trainer", (value, name) => instance(value, Trainer, name), null);
    return new Training(given ?? new Trainer(json.model.type), json);
  }

  #learn(training: Training): void {
    const { model, special_tokens } = training.finish();
    guarded(() => this.#engine.set_component("model", model));
    this.#add(special_tokens);
  }

  /** Makes the model's vocabulary anew from the lines of text files; without a trainer, with its model's defaults. */
  train(files: readonly string[], trainer?: Trainer | null): void {
    const training = this.#training(trainer);
    for (const line of lines_of(texts(files, "files"))) training.count(line);
    this.#learn(training);
  }

  /** Makes the model's vocabulary anew from texts, one by one or in lists, which may come asynchronously. */
  async trainFromIterator(iterator: TextIterator, trainer?: Trainer | null): Promise<void> {
    const training = this.#training(trainer);
    if (
      typeof iterator !== "object" ||
      iterator === null ||
      !(Symbol.iterator in iterator || Symbol.asyncIterator in iterator)
    )
      throw new TypeError("Expected an iterable of strings or of lists of strings for iterator");
    for await (const item of iterator) training.count(item);
    this.#learn(training);
  }
}

// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/rag/tokenization_rag.py
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Callable } from "../callable.js";
import { TransformersError } from "../errors.js";
import { split_hub_options } from "../hub/cached_file.js";
import type { CallArguments, DecodeOptions, Ids, PreTrainedTokenizerBase } from "../tokenization/base.js";
import type { BatchEncoding } from "../tokenization/batch_encoding.js";
import { CheckpointFiles, type PretrainedOptions } from "../tokenization/loading.js";
import { AutoTokenizer } from "./tokenizer.js";

const QUESTIONS = "question_encoder_tokenizer";
const GENERATOR = "generator_tokenizer";

/** Two tokenizers: calls encode questions, `decode` and `batch_decode` read what the generator wrote. */
export class RagTokenizer extends Callable<CallArguments, BatchEncoding> {
  /** The one that calls are for: the generator's for targets, after `_switch_to_target_mode`. */
  current_tokenizer: PreTrainedTokenizerBase;

  constructor(
    readonly question_encoder: PreTrainedTokenizerBase,
    readonly generator: PreTrainedTokenizerBase,
  ) {
    super();
    this.current_tokenizer = question_encoder;
  }

  override _call(...args: CallArguments): BatchEncoding {
    return this.current_tokenizer(...args);
  }
  decode(token_ids: Ids, options: DecodeOptions = {}): string {
    return this.generator.decode(token_ids, options);
  }
  batch_decode(sequences: readonly Ids[] | object, options: DecodeOptions = {}): string[] {
    return this.generator.batch_decode(sequences, options);
  }
  _switch_to_input_mode(): void {
    this.current_tokenizer = this.question_encoder;
  }
  _switch_to_target_mode(): void {
    this.current_tokenizer = this.generator;
  }

  /** Both tokenizers, each in a folder of its own. */
  async save_pretrained(folder: string): Promise<void> {
    const both = [
      [QUESTIONS, this.question_encoder],
      [GENERATOR, this.generator],
    ] as const;
    for (const [name, tokenizer] of both) {
      await mkdir(join(folder, name), { recursive: true });
      await (tokenizer as PreTrainedTokenizerBase & Saved).save_pretrained(join(folder, name));
    }
  }

  /** Loads both; config.json says which classes they are, where their own configurations do not. */
  static async from_pretrained(name_or_path: string, options: PretrainedOptions = {}): Promise<RagTokenizer> {
    const [hub] = split_hub_options(options);
    const config = (options["config"] ?? (await new CheckpointFiles(name_or_path, hub).json("config.json"))) as
      | Record<string, { model_type?: string }>
      | undefined;
    if (!config?.["question_encoder"] || !config["generator"])
      throw new TransformersError(
        `${name_or_path}: a RagTokenizer needs a config.json with question_encoder and generator`,
        "tokenizer_not_found",
      );
    const load = (part: string, subfolder: string) =>
      AutoTokenizer.from_pretrained<PreTrainedTokenizerBase>(name_or_path, {
        ...hub,
        config: config[part]!,
        subfolder,
      });
    return new RagTokenizer(await load("question_encoder", QUESTIONS), await load("generator", GENERATOR));
  }
}

interface Saved {
  save_pretrained(folder: string): Promise<string[]>;
}

// What generate() returns with `return_dict_in_generate`, under Python's names and in its order of fields.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `GenerateDecoderOnlyOutput`
import { type ModelOutput, output } from "../models/outputs.js";
import type { NativeGenerateResult } from "../native.js";
import { Tensor } from "../tensor/index.js";

/** The states of each step: of each layer, embeddings first, [rows, tokens fed, size]; the first step feeds the prompt. */
export type StepStates = Tensor[][];

/** Scores and logits: one [rows, vocabulary] for each step. Rows of beams: all that run, `num_beams` for each prompt. */
export interface GenerateFields {
  sequences: Tensor;
  /** Beams: the score of each sequence, [rows]. */
  sequences_scores?: Tensor | undefined;
  /** Processed; with beams they are log-probabilities. */
  scores?: Tensor[] | undefined;
  /** As the model gave them. */
  logits?: Tensor[] | undefined;
  /** Beams: the running row that each token came from, [rows, steps]; -1 after the end. */
  beam_indices?: Tensor | undefined;
  /** Decoder-only: of each step and layer, [rows, heads, tokens fed, tokens so far]. */
  attentions?: StepStates | undefined;
  /** Decoder-only: of each step and layer, [rows, tokens fed, size]. */
  hidden_states?: StepStates | undefined;
  past_key_values?: unknown;
}

/** … of models with an encoder, whose own states come once. */
export interface GenerateEncoderDecoderFields extends Omit<GenerateFields, "attentions" | "hidden_states"> {
  encoder_attentions?: Tensor[] | undefined;
  encoder_hidden_states?: Tensor[] | undefined;
  decoder_attentions?: StepStates | undefined;
  /** [rows, heads, tokens fed, tokens of the encoder]. */
  cross_attentions?: StepStates | undefined;
  decoder_hidden_states?: StepStates | undefined;
}

export const GenerateDecoderOnlyOutput = output<GenerateFields>("GenerateDecoderOnlyOutput");
export type GenerateDecoderOnlyOutput = ModelOutput & GenerateFields;
export const GenerateBeamDecoderOnlyOutput = output<GenerateFields>("GenerateBeamDecoderOnlyOutput");
export type GenerateBeamDecoderOnlyOutput = ModelOutput & GenerateFields;
export const GenerateEncoderDecoderOutput = output<GenerateEncoderDecoderFields>("GenerateEncoderDecoderOutput");
export type GenerateEncoderDecoderOutput = ModelOutput & GenerateEncoderDecoderFields;
export const GenerateBeamEncoderDecoderOutput = output<GenerateEncoderDecoderFields>(
  "GenerateBeamEncoderDecoderOutput",
);
export type GenerateBeamEncoderDecoderOutput = ModelOutput & GenerateEncoderDecoderFields;

export type GenerateOutput = ModelOutput & GenerateFields & GenerateEncoderDecoderFields;

/** What a request gave beside what the loop itself makes. */
export interface OutputParts {
  vocab_size: number;
  is_encoder_decoder: boolean;
  /** Python gives the scores of sequences with `output_scores` only. */
  output_scores: boolean;
  /** Hidden states and attentions under the names of the output's fields. */
  states?: Partial<GenerateFields & GenerateEncoderDecoderFields>;
  past_key_values?: unknown;
}

/** The output object of a finished request. */
export function generate_output(result: NativeGenerateResult, parts: OutputParts): GenerateOutput {
  const { states = {}, vocab_size } = parts;
  const steps = (all: Float32Array[] | undefined) =>
    all?.map((scores) => new Tensor("float32", scores, [scores.length / vocab_size, vocab_size]));
  const { sequences_scores, beam_indices } = result;
  const has_beams = beam_indices !== undefined;
  const type = parts.is_encoder_decoder
    ? has_beams
      ? GenerateBeamEncoderDecoderOutput
      : GenerateEncoderDecoderOutput
    : has_beams
      ? GenerateBeamDecoderOnlyOutput
      : GenerateDecoderOnlyOutput;
  return new type({
    sequences: to_int64(result.sequences),
    sequences_scores:
      sequences_scores && parts.output_scores
        ? new Tensor("float32", sequences_scores, [sequences_scores.length])
        : undefined,
    scores: steps(result.scores),
    logits: steps(result.logits),
    beam_indices: beam_indices && to_int64(beam_indices),
    encoder_attentions: states.encoder_attentions,
    encoder_hidden_states: states.encoder_hidden_states,
    decoder_attentions: states.decoder_attentions,
    cross_attentions: states.cross_attentions,
    decoder_hidden_states: states.decoder_hidden_states,
    attentions: states.attentions,
    hidden_states: states.hidden_states,
    past_key_values: parts.past_key_values,
  } as GenerateFields & GenerateEncoderDecoderFields) as GenerateOutput;
}

/** Rows of one length as an int64 matrix. */
export function to_int64(rows: Int32Array[]): Tensor {
  const flat = BigInt64Array.from(rows.flatMap((row) => Array.from(row, BigInt)));
  return new Tensor("int64", flat, [rows.length, rows[0].length]);
}

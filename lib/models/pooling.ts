// Where models that classify a row by its last token find that token.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_layers.py `GenericForSequenceClassification.forward`
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { TransformersError, warn_once } from "../errors.js";

/**
 * The position of the last id of each row that is not the padding's, whatever the mask says; the first where there is
 * no other. `ids`: undefined when a call brings embeddings, of `rows` rows of `length`.
 * @throws TransformersError for several rows without a padding token.
 */
export function last_token_positions(
  model_name: string,
  config: PretrainedConfig,
  ids: Int32Array[] | undefined,
  rows = ids?.length ?? 0,
  length = ids?.[0].length ?? 0,
): Int32Array {
  const padding = (config["pad_token_id"] as number | null | undefined) ?? null;
  if (padding === null && rows !== 1)
    throw new TransformersError("Cannot handle batch sizes > 1 if no padding token is defined.", "no_padding_token");
  if (padding !== null && !ids)
    warn_once(
      `${model_name} will not detect padding tokens in \`inputs_embeds\`. Results may be unexpected if using padding tokens in conjunction with \`inputs_embeds.\``,
    );
  return Int32Array.from({ length: rows }, (_, row) =>
    ids && padding !== null
      ? Math.max(
          0,
          ids[row].findLastIndex((id) => id !== padding),
        )
      : length - 1,
  );
}

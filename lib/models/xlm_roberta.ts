// XLM-RoBERTa: RoBERTa under names of its own.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/xlm_roberta/modeling_xlm_roberta.py
import * as roberta from "./roberta.js";

export class XLMRobertaModel extends roberta.RobertaModel {}
export class XLMRobertaForMaskedLM extends roberta.RobertaForMaskedLM {}
export class XLMRobertaForCausalLM extends roberta.RobertaForCausalLM {}
export class XLMRobertaForSequenceClassification extends roberta.RobertaForSequenceClassification {}
export class XLMRobertaForMultipleChoice extends roberta.RobertaForMultipleChoice {}
export class XLMRobertaForTokenClassification extends roberta.RobertaForTokenClassification {}
export class XLMRobertaForQuestionAnswering extends roberta.RobertaForQuestionAnswering {}

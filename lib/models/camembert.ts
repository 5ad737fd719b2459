// CamemBERT: RoBERTa under names of its own.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/camembert/modeling_camembert.py
import * as roberta from "./roberta.js";

export class CamembertModel extends roberta.RobertaModel {}
export class CamembertForMaskedLM extends roberta.RobertaForMaskedLM {}
export class CamembertForCausalLM extends roberta.RobertaForCausalLM {}
export class CamembertForSequenceClassification extends roberta.RobertaForSequenceClassification {}
export class CamembertForMultipleChoice extends roberta.RobertaForMultipleChoice {}
export class CamembertForTokenClassification extends roberta.RobertaForTokenClassification {}
export class CamembertForQuestionAnswering extends roberta.RobertaForQuestionAnswering {}

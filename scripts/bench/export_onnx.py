"""Models of real sizes with random weights, for benchmarks: a Transformers folder, and the same weights as ONNX.

    python scripts/bench/export_onnx.py <folder> [name ...]

Below `folder`, which git must ignore (such as .bench/models), each <name>/ has config.json, model.safetensors, a
tokenizer of the same size of vocabulary, and onnx/model.onnx: what this library, Python, onnxruntime-node and
transformers.js load. The weights are drawn from a fixed seed, so that every machine measures the same.

Needs torch, transformers and onnx; a folder that is complete is left alone.
"""

import itertools
import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

NLI = {"id2label": {0: "contradiction", 1: "neutral", 2: "entailment"},
       "label2id": {"contradiction": 0, "neutral": 1, "entailment": 2}}  # fmt: skip
MINILM = dict(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
MODELS = {
    "bert-base": (BertModel, BertConfig(), "last_hidden_state"),
    "minilm-l6": (BertModel, BertConfig(**MINILM), "last_hidden_state"),
    "bert-base-nli": (BertForSequenceClassification, BertConfig(**NLI), "logits"),
}
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OPSET = 17


class Positional(torch.nn.Module):
    """The model as the exporter wants it: tensors in, one tensor out."""

    def __init__(self, model, output):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, input_ids, attention_mask, token_type_ids):
        outputs = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return outputs[self.output]


def vocabulary(size):
    """Special tokens, characters, and words of syllables up to the size."""
    characters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    yield from ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters)]
    syllables = ["".join(pair) for pair in itertools.product("bdfgklmnprstvz", "aeiou")]
    words = ("".join(parts) for count in (1, 2, 3) for parts in itertools.product(syllables, repeat=count))
    yield from itertools.islice(words, size - 5 - 2 * len(characters))


def save_tokenizer(folder, size):
    path = folder / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in vocabulary(size)), encoding="utf-8")
    BertTokenizerFast(str(path), model_max_length=512).save_pretrained(folder)


@torch.no_grad()
def export(model, output, path):
    path.parent.mkdir(exist_ok=True)
    ids = torch.randint(5, model.config.vocab_size, (2, 16))
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        Positional(model, output), (ids, torch.ones_like(ids), torch.zeros_like(ids)), path, input_names=INPUTS,
        output_names=[output], opset_version=OPSET, dynamo=False,
        dynamic_axes={**{name: axes for name in INPUTS}, output: {0: "batch"} if output == "logits" else axes},
    )  # fmt: skip


def make(name, folder):
    cls, config, output = MODELS[name]
    torch.manual_seed(0)
    model = cls._from_config(config, attn_implementation="eager").eval()
    model.save_pretrained(folder)
    save_tokenizer(folder, config.vocab_size)
    partial = folder / "onnx" / "model.onnx.partial"
    export(model, output, partial)
    partial.rename(partial.with_suffix(""))


def main(arguments):
    if not arguments or not set(arguments[1:]) <= set(MODELS):
        raise SystemExit(f"usage: export_onnx.py <folder> [{' | '.join(MODELS)} ...]")
    for name in arguments[1:] or ["bert-base", "minilm-l6"]:
        folder = Path(arguments[0], name)
        if not (folder / "onnx" / "model.onnx").exists():
            make(name, folder)
        print(folder)


if __name__ == "__main__":
    main(sys.argv[1:])

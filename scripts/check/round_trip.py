"""Python's side of round_trip.mjs, in a folder that it shares with it.

    round_trip.py write <folder>   original/<family>/ as checkpoints come, python/<family>/ as Python saves them
    round_trip.py read <folder>    reads ours/<family>/, which we saved, in every way that Python can

Both write <folder>/<command>.json: for each family and way the ids and the decoded text of every string.
What we saved is compared with what Python saved, read in the same way.
"""

import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))

import python_tokenizers
import slow_tokenizers
from texts import PAIRS, TEXTS
from transformers import AutoTokenizer, PreTrainedTokenizerFast

FIXTURES = Path(__file__).resolve().parents[2] / "test" / "fixtures"
STRINGS = [[text] for text in TEXTS.values()] + [list(pair) for pair in PAIRS]


def rows(tokenizer):
    for texts in STRINGS:
        ids = tokenizer.encode(*texts)
        yield [ids, tokenizer.decode(ids, clean_up_tokenization_spaces=False)]


def originals(folder):
    for name, (class_name, (sources, config)) in slow_tokenizers.CHECKPOINTS.items():
        if class_name == "SplinterTokenizer":
            continue  # Python cannot load what it saved: additional_special_tokens come twice
        yield name, class_name, FIXTURES / "slow_tokenizers", sources, config
    for name, (class_name, sources, config) in python_tokenizers.CHECKPOINTS.items():
        # Python's AutoTokenizer finds a fast class for the one that its files do not fit; the other takes no pairs.
        if name in ("blenderbot-small", "esm-no-eos"):
            continue
        yield name, class_name, FIXTURES / "python_tokenizers", sources, config


def write(folder):
    for name, class_name, fixtures, sources, config in originals(folder):
        path = folder / "original" / name
        path.mkdir(parents=True)
        for target, source in sources.items():
            (path / target).write_bytes((fixtures / "files" / source).read_bytes())
        (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": class_name, **config}))
    for path in sorted((FIXTURES / "tokenizers").iterdir()):
        shutil.copytree(path, folder / "original" / path.name)
    found = {}
    for path in sorted((folder / "original").iterdir()):
        tokenizer = AutoTokenizer.from_pretrained(path)
        tokenizer.save_pretrained(folder / "python" / path.name)
        found[path.name] = {"rows": list(rows(tokenizer)), **reading(folder / "python" / path.name)}
    return {"strings": STRINGS, "families": found}


def reading(path):
    """A saved tokenizer in every way that Python has."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    ways = {"by its class": list(rows(tokenizer))}
    if tokenizer.is_fast:
        ways["as a PreTrainedTokenizerFast"] = list(rows(PreTrainedTokenizerFast.from_pretrained(path)))
        if type(tokenizer).slow_tokenizer_class:
            ways["by its slow class"] = slow_rows(path)
    return {"class": type(tokenizer).__name__, "ways": ways}


def slow_rows(path):
    """None where the folder lacks the slow class's files."""
    try:
        return list(rows(AutoTokenizer.from_pretrained(path, use_fast=False)))
    except (AttributeError, OSError, TypeError, ValueError, ImportError):
        return None


def read(folder):
    return {path.name: reading(path) for path in sorted((folder / "ours").iterdir())}


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    result = {"write": write, "read": read}[command](folder)
    (folder / f"{command}.json").write_text(json.dumps(result))

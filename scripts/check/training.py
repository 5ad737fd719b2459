"""Python's side of training.mjs: random corpora, trainers and tokenizers, and what the Rust trainers make of them.

    training.py <folder> <count> <seed>

Writes <folder>/cases.json and, for `train_new_from_iterator`, <folder>/checkpoints/<family>/. Rust leaves some choices to
the order of hash tables, which differs from run to run: each case is trained several times, and `runs` holds what came.
"""

import json
import os
import random
import sys
import unicodedata
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))

from corpus import CODE, EMOJI, SENTENCES, corpus
from round_trip import FIXTURES, originals
from texts import TEXTS
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

RUNS, MANY_RUNS = 3, 8  # many where the order of a hash table numbers tokens
TYPES = ["BPE", "BPE", "WordPiece", "WordLevel", "Unigram", "Unigram"]
ODD = ["", " ", "\n", "aaaa aaaa aa", "a", "é" * 5, "\u200b\u00ad", "▁a▁ ▁", "ab" * 30, "##a ##b a##b", "x</w> y", "\U0010fffd\U00020000", "1 22 333", "e\u0301 n\u0303", "the the The THE"]
NORMALIZERS = [
    None, None, None, normalizers.Lowercase(), normalizers.NFKC(), normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
    normalizers.BertNormalizer(), normalizers.Replace("a", ""), normalizers.Strip(),
]  # fmt: skip
SPLITTERS = [
    pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Metaspace(),
    pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.ByteLevel(), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(True),
    pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.Whitespace()]), pre_tokenizers.Split(Regex(r"\w{1,3}"), "isolated"),
    pre_tokenizers.UnicodeScripts(),
]  # fmt: skip


def lines_of(draw):
    languages = draw.sample(list(SENTENCES), draw.randint(1, 4))
    lines = corpus(size=draw.choice([300, 1000, 3000, 8000]), seed=draw.randrange(10**6), languages=languages)
    lines += draw.choices([*ODD, *CODE, *EMOJI, *TEXTS.values()], k=draw.randint(0, 12))
    lines += [draw.choice(lines)] * draw.choice([0, 0, 3, 20])
    draw.shuffle(lines)
    return [line[:400] for line in lines]


def some(draw, choices):
    return {name: draw.choice(values) for name, (chance, *values) in choices.items() if draw.random() < chance}


def special_tokens(draw):
    tokens = draw.sample(["[UNK]", "<unk>", "<s>", "[PAD]", "the", "a", "##a", "e</w>", "<|end|>", " x", "é"], draw.randint(0, 4))
    return [{"content": token, **some(draw, {flag: (0.2, True) for flag in ("single_word", "lstrip", "rstrip", "normalized")})} if draw.random() < 0.3 else token for token in tokens]


ALPHABETS = [["é", "中", "z"], ["ab", "c"], [""], ["a", "b", "\n", "😀"]]
SUBWORDS = {
    "limit_alphabet": (0.2, 1, 5, 20, 60, 1000), "initial_alphabet": (0.25, *ALPHABETS), "continuing_subword_prefix": (0.15, "##", "@", ""),
    "end_of_word_suffix": (0.15, "</w>", "_"),
}  # fmt: skip
FREQUENCY = {"min_frequency": (0.4, 0, 1, 2, 3, 5, 20)}
OPTIONS = {
    "BPE": {**FREQUENCY, **SUBWORDS, "max_token_length": (0.25, 1, 2, 3, 5, 16)},
    "WordPiece": {**FREQUENCY, **SUBWORDS},
    "WordLevel": FREQUENCY,
    "Unigram": {
        "initial_alphabet": (0.25, *ALPHABETS), "shrinking_factor": (0.3, 0.5, 0.9, 0.3), "n_sub_iterations": (0.3, 1, 3), "max_piece_length": (0.3, 1, 2, 4, 8),
        "unk_token": (0.5, "<unk>", "[UNK]", "?"), "seed_size": (0.1, 50, 300),
    },
}  # fmt: skip
MODELS = {"BPE": models.BPE, "WordPiece": models.WordPiece, "WordLevel": models.WordLevel, "Unigram": models.Unigram}
TRAINERS = {"BPE": trainers.BpeTrainer, "WordPiece": trainers.WordPieceTrainer, "WordLevel": trainers.WordLevelTrainer, "Unigram": trainers.UnigramTrainer}


def attempt(run):
    try:
        return run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a Rust panic is no Exception
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def blank(kind, normalizer, splitter):
    tokenizer = Tokenizer(MODELS[kind]())
    if normalizer:
        tokenizer.normalizer = normalizer
    if splitter:
        tokenizer.pre_tokenizer = splitter
    return tokenizer.to_str()


def trained(start, kind, tokens, options, lines, texts):
    tokenizer = Tokenizer.from_str(start)
    special = [AddedToken(**token) if isinstance(token, dict) else token for token in tokens]
    tokenizer.train_from_iterator(iter(lines), TRAINERS[kind](special_tokens=special, show_progress=False, **options))
    core = json.loads(tokenizer.to_str())
    encodings = [attempt(lambda: tokenizer.encode(text).tokens) for text in texts]
    return {"model": core["model"], "added_tokens": core["added_tokens"], "encodings": encodings}


def affixed(kind, options, lines, model={}):
    """The tokens that are numbered in the order of a hash table, because of a prefix or suffix."""
    defaults = {"continuing_subword_prefix": "##"} if kind == "WordPiece" else model
    prefix, suffix = [options.get(name, defaults.get(name)) or "" for name in ("continuing_subword_prefix", "end_of_word_suffix")]
    if kind not in ("BPE", "WordPiece") or not (prefix or suffix):
        return []
    text = "".join(lines)
    characters = sorted({*text, *text.lower(), *pre_tokenizers.ByteLevel.alphabet(), *(c for form in ("NFD", "NFKC", "NFKD") for c in unicodedata.normalize(form, text.lower()))})
    return [token for c in characters for token in dict.fromkeys([prefix + c, c + suffix, prefix + c + suffix])]


def by_trainer(draw, lines):
    kind = draw.choice(TYPES)
    options = {"vocab_size": draw.choice([0, 30, 100, 200, 400, 1000, 3000]), **some(draw, OPTIONS[kind])}
    tokens = special_tokens(draw)
    unnumbered, is_numbered = affixed(kind, options, lines), draw.random() < 0.8
    tokens += unnumbered if is_numbered else []
    texts = draw.sample(lines, min(8, len(lines)))
    start = blank(kind, draw.choice(NORMALIZERS), draw.choice([*SPLITTERS, None] if kind == "Unigram" else SPLITTERS))
    runs = [attempt(lambda: trained(start, kind, tokens, options, lines, texts))
            for _ in range(MANY_RUNS if options.get("limit_alphabet") or (unnumbered and not is_numbered) else RUNS)]  # fmt: skip
    return {"blank": start, "type": kind, "options": options, "special_tokens": tokens, "lines": lines, "texts": texts, "runs": runs}


def renewed(path, lines, vocab_size, options, texts):
    old = AutoTokenizer.from_pretrained(path)
    new = old.train_new_from_iterator(iter(lines), vocab_size, show_progress=False, **options)
    core = json.loads(new.backend_tokenizer.to_str())
    rows = [attempt(lambda: new.convert_ids_to_tokens(new(text)["input_ids"])) for text in texts]
    return {"class": type(new).__name__, "core": core, "special_tokens": new.special_tokens_map, "rows": rows}


def by_tokenizer(draw, lines, checkpoints):
    name, model = draw.choice(checkpoints)
    kind = model["type"]
    path = CHECKPOINTS / name
    token_map = {token: f"<{i}>" for i, token in enumerate(AutoTokenizer.from_pretrained(path).all_special_tokens) if draw.random() < 0.3}
    options = some(draw, OPTIONS[kind])
    options.pop("unk_token", None)
    options |= some(draw, {"new_special_tokens": (0.3, ["<new>"], ["<x>", "<y>"]), "special_tokens_map": (0.3, token_map)})
    unnumbered, is_numbered = affixed(kind, options, lines, model), draw.random() < 0.8
    if unnumbered and is_numbered:
        options["new_special_tokens"] = unnumbered
    vocab_size, texts = draw.choice([300, 400, 600, 1000]), draw.sample(lines, min(8, len(lines)))
    runs = [attempt(lambda: renewed(path, lines, vocab_size, options, texts))
            for _ in range(MANY_RUNS if options.get("limit_alphabet") or (unnumbered and not is_numbered) else RUNS)]  # fmt: skip
    return {"family": name, "type": kind, "vocab_size": vocab_size, "options": options, "lines": lines, "texts": texts, "runs": runs}


def place(folder):
    """Checkpoints of all families with a fast tokenizer, and the types of their models."""
    for name, class_name, fixtures, sources, config in originals(None):
        path = folder / name
        path.mkdir(parents=True)
        for target, source in sources.items():
            (path / target).write_bytes((fixtures / "files" / source).read_bytes())
        (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": class_name, **config}))
        yield name
    for path in sorted((FIXTURES / "tokenizers").iterdir()):
        (folder / path.name).symlink_to(path)
        yield path.name


def main(folder, count, seed):
    global CHECKPOINTS
    CHECKPOINTS = folder / "checkpoints"
    checkpoints = []
    for name in place(CHECKPOINTS):
        tokenizer = AutoTokenizer.from_pretrained(CHECKPOINTS / name)
        if tokenizer.is_fast:
            model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
            checkpoints.append((name, {key: value for key, value in model.items() if key not in ("vocab", "merges")}))
    draw = random.Random(seed)
    cases = []
    for _ in range(count):
        lines = lines_of(draw)
        cases.append(by_trainer(draw, lines) if draw.random() < 0.7 else by_tokenizer(draw, lines, checkpoints))
    (folder / "cases.json").write_text(json.dumps(cases))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

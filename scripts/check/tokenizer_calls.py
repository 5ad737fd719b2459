"""Python's side of tokenizer_calls.mjs: random calls of the tokenizers of every family, with what they give.

    tokenizer_calls.py list
    tokenizer_calls.py <folder> <count> <seed> <family> …

The first prints the families; the second writes <folder>/<family>/checkpoint/ and <folder>/<family>/cases.json.
"""

import json
import logging
import os
import random
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TRANSFORMERS_VERBOSITY"] = "warning"
os.environ["TRANSFORMERS_NO_ADVISORY_WARNINGS"] = "1"  # that padding takes time
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))

import numpy
from round_trip import FIXTURES, originals
from texts import TEXTS
from transformers import AddedToken, AutoTokenizer

WORDS = ["the", "The", "teacher", "don't", "I'M", "naïve", "old", "house", "two", "hundred", "words", "Straße", "你好", "老师", "ﬁne",
         "😀", "👩‍👩‍👧", "e\u0301", "한국", "1234", "3.14", "x=1;", "▁", "Ġ", "##a", "<0x41>", "a", "b", ".", ",", "!?", "'s", "cafe", "ЖУК"]  # fmt: skip
SPACES = [" ", " ", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b"]
BLOCKS = [(0x20, 0x7E), (0, 0x7F), (0x80, 0x24F), (0x250, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF),
          (0x2000, 0x206F), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xFFFF), (0x1D000, 0x1DFFF), (0x1F000, 0x1FAFF),
          (0xE0000, 0xE01EF)]  # fmt: skip
RARELY, OFTEN = 0.12, 0.4


class Draw(random.Random):
    """Random arguments; `tokens` are texts to put in, such as added tokens."""

    tokens: list = []
    fast = True

    def likely(self, chance):
        return self.random() < chance

    def piece(self):
        kind = self.random()
        if kind < 0.5:
            return self.choice(WORDS)
        if kind < 0.7:
            return self.choice(SPACES)
        if kind < 0.82 and self.tokens:
            return self.choice(self.tokens)
        if kind < 0.9:
            text = self.choice(list(TEXTS.values()))
            return text[: self.randint(0, 30)]
        first, last = self.choice(BLOCKS)
        return "".join(chr(self.randint(first, last)) for _ in range(self.randint(1, 4)))

    def text(self, most=9):
        return "".join(self.piece() for _ in range(self.randint(0, most)))

    def words(self):
        least = 0 if self.fast and self.likely(0.2) else 1
        return [self.choice([self.choice(WORDS), self.text(2)]) for _ in range(self.randint(least, 6))]

    def options(self, choices):
        """Some of the options; each choice has how likely it is, then its values."""
        return {name: self.choice(values) for name, (chance, *values) in choices.items() if self.likely(chance)}


PADDING = [True, True, False, "longest", "max_length", "do_not_pad"]
PAD_OPTIONS = {
    "padding": (OFTEN, *PADDING),
    "max_length": (OFTEN, *range(0, 24), None),
    "pad_to_multiple_of": (RARELY, 1, 2, 3, 8, None),
    "padding_side": (RARELY, "left", "right", None),
    "return_attention_mask": (RARELY, True, False, None),
    "return_tensors": (RARELY, "np", "pt", None),
    "verbose": (RARELY, True, False),
}
ENCODE_OPTIONS = {
    "add_special_tokens": (RARELY, True, False, False),
    **PAD_OPTIONS,
    "truncation": (OFTEN, True, True, False, None, "longest_first", "only_first", "only_second", "do_not_truncate"),
    "stride": (RARELY, 0, 1, 2, 3, 7),
    "return_token_type_ids": (RARELY, True, False, None),
    "return_overflowing_tokens": (0.25, True, True, False),
    "return_special_tokens_mask": (0.2, True, True, False),
    "return_offsets_mapping": (0.25, True, True, False),
    "return_length": (RARELY, True, False),
    "split_special_tokens": (0.07, True, False),
}
DECODE_OPTIONS = {
    "skip_special_tokens": (0.5, True, True, False),
    "clean_up_tokenization_spaces": (0.3, True, False, None),
    "spaces_between_special_tokens": (0.1, True, False),
}


def arguments_of_call(draw):
    """`text`, `text_pair` and options of a tokenizer's call."""
    options = draw.options(ENCODE_OPTIONS)
    is_words, batched, paired = draw.likely(0.25), draw.likely(0.5), draw.likely(0.4)
    one = draw.words if is_words else draw.text
    if is_words:
        options["is_split_into_words"] = True
    if not batched:
        return {"text": one(), "text_pair": one() if paired else None, "options": options}
    count = draw.randint(1, 4)
    texts = [one() for _ in range(count)]
    if not paired:
        return {"text": texts, "text_pair": None, "options": options}
    pairs = [one() for _ in range(count)]
    if draw.likely(0.3) and not is_words:
        return {"text": [list(pair) for pair in zip(texts, pairs, strict=True)], "text_pair": None, "options": options}
    return {"text": texts, "text_pair": pairs[: count - draw.likely(0.02)], "options": options}


def call(tokenizer, draw):
    given = arguments_of_call(draw)
    given["aligned"] = draw.likely(0.3)
    if draw.likely(0.05):
        given["options"]["text_target"] = draw.text()

    def run():
        result = tokenizer(given["text"], given["text_pair"], **given["options"])
        return {**fields(result), "encodings": encodings(result, given["aligned"])}

    return given, run


def encode(tokenizer, draw):
    given = {"text": draw.text(), "text_pair": draw.text() if draw.likely(0.4) else None,
             "options": draw.options({**ENCODE_OPTIONS, "return_overflowing_tokens": (0, None)})}  # fmt: skip
    return given, lambda: plain(tokenizer.encode(given["text"], given["text_pair"], **given["options"]))


def encode_plus(tokenizer, draw):
    given = {"text": draw.text(), "text_pair": draw.text() if draw.likely(0.4) else None, "options": draw.options(ENCODE_OPTIONS)}
    return given, lambda: fields(tokenizer.encode_plus(given["text"], given["text_pair"], **given["options"]))


def batch_encode_plus(tokenizer, draw):
    one = draw.text if draw.likely(0.6) else lambda: [draw.text(), draw.text()]
    given = {"batch": [one() for _ in range(draw.randint(1, 4))], "options": draw.options(ENCODE_OPTIONS)}
    texts = [tuple(item) if isinstance(item, list) else item for item in given["batch"]]
    return given, lambda: fields(tokenizer.batch_encode_plus(texts, **given["options"]))


def tokenize(tokenizer, draw):
    given = {"text": draw.text(), "options": draw.options({"add_special_tokens": (RARELY, True, False)})}
    if tokenizer.is_fast and draw.likely(0.3):
        given["options"]["pair"] = draw.text()
    return given, lambda: tokenizer.tokenize(given["text"], **given["options"])


def some_ids(tokenizer, draw):
    ids = tokenizer(draw.text(), verbose=False)["input_ids"] if draw.likely(0.6) else []
    ids = ids + [draw.randrange(len(tokenizer) + (2 if draw.likely(0.1) else 0)) for _ in range(draw.randint(0, 6))]
    return ids + [draw.choice(tokenizer.all_special_ids or [0])] * draw.likely(0.3)


def decode(tokenizer, draw):
    given = {"ids": some_ids(tokenizer, draw), "options": draw.options(DECODE_OPTIONS)}
    return given, lambda: plain(tokenizer.decode(given["ids"], **given["options"]))


def batch_decode(tokenizer, draw):
    given = {"rows": [some_ids(tokenizer, draw) for _ in range(draw.randint(0, 3))], "options": draw.options(DECODE_OPTIONS)}
    return given, lambda: plain(tokenizer.batch_decode(given["rows"], **given["options"]))


def pad(tokenizer, draw):
    main = tokenizer.model_input_names[0]
    count = draw.randint(1, 3)
    rows = [{main: [draw.randrange(20) for _ in range(draw.randint(0 if draw.likely(0.1) else 1, 9))]} for _ in range(count)]
    for name, chance, least, most in (("attention_mask", 0.4, 0, 1), ("token_type_ids", 0.3, 0, 1), ("special_tokens_mask", 0.2, 0, 1), ("labels", 0.1, 0, 9)):
        if draw.likely(chance):
            for row in rows:
                row[name] = [draw.randint(least, most) for _ in row[main]]
    kind = draw.choice(["rows", "columns", "one"])
    inputs = rows if kind == "rows" else rows[0] if kind == "one" else {name: [row[name] for row in rows] for name in rows[0]}
    given = {"inputs": inputs, "options": draw.options({**PAD_OPTIONS, "padding": (0.5, *PADDING)})}
    return given, lambda: fields(tokenizer.pad(json.loads(json.dumps(inputs)), **given["options"]))


def prepare_for_model(tokenizer, draw):
    options = draw.options({**ENCODE_OPTIONS, "return_offsets_mapping": (0, None), "split_special_tokens": (0, None), "prepend_batch_axis": (0.1, True)})
    if "return_tensors" in options:
        options["prepend_batch_axis"] = True  # the numbers that are no rows cannot be tensors without
    ids, pair = some_ids(tokenizer, draw), some_ids(tokenizer, draw) if draw.likely(0.4) else None
    return {"ids": ids, "pair": pair, "options": options}, lambda: fields(tokenizer.prepare_for_model(ids, pair, **options))


def rows_of_ids(tokenizer, draw):
    """The methods that take one or two rows of ids."""
    ids, pair = some_ids(tokenizer, draw), some_ids(tokenizer, draw) if draw.likely(0.5) else None
    count, skip = draw.randint(0, 6), draw.likely(0.5)
    strategy = draw.choice(["longest_first", "only_first", "only_second", "do_not_truncate"])
    given = {"ids": ids, "pair": pair, "count": count, "strategy": strategy, "skip": skip}
    tries = {
        "built": lambda: tokenizer.build_inputs_with_special_tokens(ids, pair),
        "types": lambda: tokenizer.create_token_type_ids_from_sequences(ids, pair),
        "mask": lambda: tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True),
        "mask of two": lambda: tokenizer.get_special_tokens_mask(ids, pair),
        "truncated": lambda: plain(tokenizer.truncate_sequences(ids, pair, num_tokens_to_remove=count, truncation_strategy=strategy, stride=1)),
        "tokens": lambda: tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=skip),
        "added": lambda: tokenizer.num_special_tokens_to_add(pair is not None),
    }  # fmt: skip
    return given, lambda: {name: attempt(run) for name, run in tries.items()}


def tokens(tokenizer, draw):
    known = [token for token in tokenizer.convert_ids_to_tokens(some_ids(tokenizer, draw)) if token is not None]
    given = {"known": known, "tokens": known + [draw.piece() for _ in range(draw.randint(0, 3))]}
    tries = {
        "ids": lambda: tokenizer.convert_tokens_to_ids(given["tokens"]),
        "text": lambda: tokenizer.convert_tokens_to_string(known),
    }
    return given, lambda: {name: attempt(run) for name, run in tries.items()}


KINDS = [(call, 50), (encode, 6), (encode_plus, 8), (batch_encode_plus, 6), (tokenize, 3), (decode, 10), (batch_decode, 2), (pad, 8),
         (prepare_for_model, 4), (rows_of_ids, 4), (tokens, 2)]  # fmt: skip
FLAGS = ["single_word", "lstrip", "rstrip", "normalized", "special"]


def added_tokens(name, tokenizer, draw):
    """A tokenizer of its own that tokens of all kinds are added to, and what it makes of texts then."""
    steps = []
    for _ in range(draw.randint(1, 3)):
        contents = [draw.choice([draw.piece(), draw.text(2), draw.choice(WORDS).upper(), f" {draw.choice(WORDS)} "]) for _ in range(draw.randint(1, 4))]
        entries = [{"content": content, **{flag: draw.likely(0.5) for flag in FLAGS if draw.likely(0.6)}} if draw.likely(0.7) else content for content in contents]
        steps.append({"tokens": entries, "special_tokens": draw.likely(0.3)})
    contents = [entry["content"] if isinstance(entry, dict) else entry for step in steps for entry in step["tokens"]]
    special = draw.options({"sep_token": (0.2, *contents), "additional_special_tokens": (0.2, contents[:2]), "pad_token": (0.2, *contents)})
    draw.tokens = [*draw.tokens[:3], *contents, *(content.lower() for content in contents)]
    texts = [draw.text() for _ in range(5)]

    def run():
        counts = [tokenizer.add_tokens([AddedToken(**entry) if isinstance(entry, dict) else entry for entry in step["tokens"]],
                                       special_tokens=step["special_tokens"]) for step in steps]  # fmt: skip
        counts.append(tokenizer.add_special_tokens(special))
        rows = [tokenizer(text, return_offsets_mapping=tokenizer.is_fast) for text in texts]
        return {
            "again": attempt(lambda: saved_and_loaded(tokenizer, texts)),
            "counts": counts, "length": len(tokenizer), "added": tokenizer.get_added_vocab(), "special": tokenizer.all_special_tokens,
            "repr": {str(id): repr(token) for id, token in tokenizer.added_tokens_decoder.items()},
            "rows": [[row["input_ids"], [list(span) for span in row.get("offset_mapping", [])]] for row in rows],
            "decoded": [[tokenizer.decode(row["input_ids"], skip_special_tokens=skip) for skip in (False, True)] for row in rows],
        }  # fmt: skip

    return {"steps": steps, "special": special, "texts": texts}, run


def saved_and_loaded(tokenizer, texts):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        again = AutoTokenizer.from_pretrained(folder)
        repr_of = {str(id): repr(token) for id, token in again.added_tokens_decoder.items()}
        return {"repr": repr_of, "special": again.all_special_tokens, "rows": [again(text)["input_ids"] for text in texts]}


def plain(value):
    if isinstance(value, numpy.integer):
        return int(value)
    if hasattr(value, "tolist"):
        if value.dtype == object or (0 in value.shape[1:] and value.shape[0] > 1):
            # numpy makes an array of lists of them, torch of no columns where the first is empty
            raise ValueError("rows of different lengths")
        return {"tensor": value.tolist()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


def fields(encoding):
    return {"keys": list(encoding.keys()), "fields": {key: plain(value) for key, value in encoding.items()}}


def encodings(result, aligned):
    if not result.is_fast:
        return None
    found = []
    for row, encoding in enumerate(result.encodings):
        found.append([encoding.tokens, encoding.word_ids, encoding.sequence_ids, [list(span) for span in encoding.offsets], encoding.n_sequences])
        if aligned:
            found[-1] += [
                [attempt(lambda: result.token_to_sequence(row, token)) for token in range(len(encoding))],
                [plain(attempt(lambda: result.token_to_chars(row, token))) for token in range(len(encoding))],
                [attempt(lambda: result.token_to_word(row, token)) for token in range(len(encoding))],
                [[plain(attempt(lambda: method(row, index, sequence)))
                  for method in (result.char_to_token, result.char_to_word, result.word_to_tokens, result.word_to_chars)
                  for index in range(6)] for sequence in (0, 1)],
            ]  # fmt: skip
    return found


def attempt(run):
    try:
        return run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # panics of Rust are no Exceptions
        if "CharSpan() argument" in str(error):
            return None  # a slip of Python's: a word that is not there has no characters
        if isinstance(error, (TypeError, AttributeError)) and "NoneType" in str(error):
            return {"error": "PanicException"}  # others: no max_length to count by, an empty token to compare
        if "unsupported operand" in str(error):
            return {"error": "PanicException"}  # CodeLlama adds lists to numbers where there is one special token less
        return {"error": f"{type(error).__name__}: {error}"}


class Messages(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = {}

    def emit(self, record):
        self.texts.setdefault(record.getMessage())


def load(path):
    """The first call ends what only a new tokenizer does: SeamlessM4T's is set for targets."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    attempt(lambda: tokenizer("a"))
    return tokenizer


def write(folder, count, seed, family):
    name, class_name, fixtures, sources, config = next(entry for entry in families() if entry[0] == family)
    folder = folder / name
    path = folder / "checkpoint"
    if fixtures is None:
        shutil.copytree(FIXTURES / "tokenizers" / name, path)
    else:
        path.mkdir(parents=True)
        for target, source in sources.items():
            (path / target).write_bytes((fixtures / "files" / source).read_bytes())
        (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": class_name, **config}))
    messages = Messages()
    logging.getLogger("transformers").handlers = [messages]
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *_: messages.texts.setdefault(str(message))
    tokenizer = load(path)
    messages.texts.clear()
    draw, cases = Draw(f"{seed} {family}"), []
    draw.fast = tokenizer.is_fast
    own = draw.tokens = tokenizer.all_special_tokens + list(tokenizer.get_added_vocab())[:20]
    if draw.likely(0.5):
        tokenizer.model_max_length = draw.choice([10, 16, 24])
    limit = tokenizer.model_max_length
    makers, weights = zip(*KINDS, strict=True)
    for _ in range(count):
        maker = draw.choices(makers, weights)[0]
        try:
            given, run = maker(tokenizer, draw)
        except BaseException:  # the ids to begin with cannot be made
            continue
        expected = attempt(run)
        cases.append({"kind": maker.__name__, "given": given, "expected": expected})
        if isinstance(expected, dict) and "error" in expected:
            # What failed may have left it half-way: set for targets, or for filling in.
            said = dict(messages.texts)
            tokenizer = load(path)
            tokenizer.model_max_length = limit
            messages.texts = said
    texts = list(messages.texts)
    for _ in range(count // 20):
        fresh = AutoTokenizer.from_pretrained(path)
        draw.tokens = own
        given, run = added_tokens(family, fresh, draw)
        cases.append({"kind": "added_tokens", "given": given, "expected": attempt(run)})
    content = {"model_max_length": limit, "warnings": texts, "cases": cases}
    (folder / "cases.json").write_text(json.dumps(content))


def families():
    yield from originals(None)
    for path in sorted((FIXTURES / "tokenizers").iterdir()):
        yield path.name, None, None, {}, {}


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print(json.dumps([family[0] for family in families()]))
    else:
        for name in sys.argv[4:]:
            write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), name)

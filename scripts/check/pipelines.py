"""Random requests to the language pipelines and what Python makes of them, as JSON on standard output; see pipelines.mjs.

    python pipelines.py [count] [seed]

Over the checkpoints of test/fixtures/language. A request whose answer a copy with slightly other weights does not give is
left out: there the order or a word is a coin toss.
"""

import json
import random
import sys
import warnings
from pathlib import Path

import torch
from transformers import logging, pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
sys.path.insert(0, str(FIXTURES))
from language_pipelines import NOISE, call, is_clear, noisy, without_scores  # noqa: E402
from language_requests import TASKS  # noqa: E402
from language_texts import WORDS  # noqa: E402

CHECKPOINTS = FIXTURES.parent.parent / "test" / "fixtures" / "language" / "checkpoints"
ODD = ["😀", "Zoë", "e\u0301", "\u00a0", "\n", "\t", "  ", "東京", "ß", "İ", "--", "...", "don't", "“quoted”", "\u200d", "3.14",
       "(a)", "#", "U.S.A.", "ﬁ", "\u202e", "x" * 30, "[SEP]", "</s>", "##s", "Ġ"]  # fmt: skip
LABELS = ["travel", "work", "food and drink", "weather", "Zoë", "", "a, b", "{}", "the old house"]
TEMPLATES = ["This example is {}.", "{}", "It is about {} {{here}}", "Nobody cared about {}!"]


class Requests:
    """Draws inputs and options."""

    def __init__(self, seed):
        self.draw = random.Random(seed)

    def one_of(self, *choices):
        return self.draw.choice(choices)

    def text(self, least=0, most=30):
        words = " ".join(WORDS).split()
        parts = [self.draw.choice(words if self.draw.random() < 0.85 else ODD) for _ in range(self.draw.randint(least, most))]
        return self.one_of(" ", " ", " ", "").join(parts) if self.draw.random() < 0.2 else " ".join(parts)

    def some(self, **options):
        """Some of the options, each drawn when it is taken."""
        return {name: value() for name, value in options.items() if self.draw.random() < 0.5}

    def texts(self, *arguments):
        if self.draw.random() < 0.6:
            return self.text(*arguments)
        return [self.text(*arguments) for _ in range(self.draw.randint(1, 4))]

    def text_classification(self, _):
        pair = {"text": self.text(1, 12), "text_pair": self.text(0, 12)}
        inputs = pair if self.draw.random() < 0.2 else self.texts(0, 20)
        return inputs, self.some(
            top_k=lambda: self.one_of(None, 1, 2, 9), function_to_apply=lambda: self.one_of("none", "sigmoid", "softmax"),
            batch_size=lambda: self.one_of(1, 2), truncation=lambda: True,
        )  # fmt: skip

    def token_classification(self, _):
        options = {"aggregation_strategy": self.one_of("none", "simple", "first", "average", "max")}
        if options["aggregation_strategy"] != "none" and self.draw.random() < 0.5:
            options["stride"] = self.draw.randint(0, 30)
        options |= self.some(
            ignore_labels=lambda: self.one_of([], ["O"], ["B-PER", "I-LOC"], ["PER", "MISC"], ["LABEL_0"]),
            batch_size=lambda: self.one_of(1, 3),
        )  # fmt: skip
        if self.draw.random() < 0.2:
            words = [word for word in self.text(1, 20).split() if word]
            return words or ["Anna"], {**options, "is_split_into_words": True, **self.some(delimiter=lambda: self.one_of(" ", "", "--"))}
        return self.texts(1, 60), options

    def question_answering(self, _):
        ask = lambda: {"question": self.text(1, 8), "context": self.text(1, 80)}  # noqa: E731
        inputs = ask() if self.draw.random() < 0.7 else [ask() for _ in range(self.draw.randint(1, 3))]
        length = self.draw.randint(24, 48)
        options = self.some(
            top_k=lambda: self.one_of(1, 2, 5), max_answer_len=lambda: self.one_of(1, 3, 15, 40),
            handle_impossible_answer=lambda: True, align_to_words=lambda: self.one_of(True, False),
            max_question_len=lambda: self.one_of(4, 64), padding=lambda: self.one_of("max_length", "longest"),
        )  # fmt: skip
        return inputs, {**options, "max_seq_len": length, "doc_stride": self.draw.randint(1, max(1, length // 4))}

    def fill_mask(self, mask):
        def masked():
            words = self.text(2, 12).split() or ["The"]
            for _ in range(self.one_of(1, 1, 2, 3)):
                words.insert(self.draw.randint(0, len(words)), mask)
            return self.one_of(" ", " ", " ", "").join(words)

        inputs = masked() if self.draw.random() < 0.7 else [masked() for _ in range(self.draw.randint(1, 3))]
        return inputs, self.some(
            top_k=lambda: self.one_of(1, 3, 8),
            targets=lambda: self.one_of("the", ["the", "a"], ["Anna", "anna", "house", "e"], [" old", "##s", "zzz"], ["a", "a"]),
            batch_size=lambda: self.one_of(1, 2),
        )  # fmt: skip

    def zero_shot_classification(self, _):
        labels = self.draw.sample(LABELS, self.draw.randint(1, 5))
        if self.draw.random() < 0.3:
            labels = ",".join(labels)
        return self.texts(1, 30), {"candidate_labels": labels, **self.some(
            multi_label=lambda: self.one_of(True, False), hypothesis_template=lambda: self.one_of(*TEMPLATES),
            batch_size=lambda: self.one_of(1, 2),
        )}  # fmt: skip

    def feature_extraction(self, _):
        kwargs = lambda: self.one_of({"add_special_tokens": False}, {"truncation": True, "max_length": 7})  # noqa: E731
        return self.texts(1, 20), self.some(tokenize_kwargs=kwargs)


def answer(pipes, inputs, options):
    """What to compare, or None for a coin toss."""
    try:
        expected = call(pipes[0], inputs, options)
    except BaseException as error:  # Rust's panics too
        return {"error": f"{type(error).__name__}: {error}"}
    if any(without_scores(call(pipe, inputs, options)) != without_scores(expected) for pipe in pipes[1:]):
        return None
    return {"expected": expected} if is_clear(pipes[0].task, expected) else None


def main(count=40, seed=0):
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    for task, (_, names) in TASKS.items():
        make = getattr(Requests, task.replace("-", "_"), None)
        for name in names if make else []:
            requests = Requests(f"{seed} {task} {name}")
            first = pipeline(task, model=str(CHECKPOINTS / name))
            pipes = [first, *(pipeline(task, model=noisy(first.model, i, NOISE), tokenizer=first.tokenizer) for i in range(2))]
            for _ in range(count):
                inputs, options = make(requests, first.tokenizer.mask_token)
                found = answer(pipes, inputs, options)
                if found:
                    print(json.dumps({"task": task, "model": name, "inputs": inputs, "options": options, **found}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

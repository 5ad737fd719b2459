"""Python's side of chat_calls.mjs: random calls of apply_chat_template with the templates of llama.cpp's collection and
of the fixtures.

    chat_calls.py <file> <count> <seed>
"""

import json
import os
import random
import sys
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "fixtures"))

from real_templates import TEMPLATES, TOOL
from transformers import AutoTokenizer

TEXTS = ["Hello", "  What's <b>this</b>?\n", "", "naïve 😀 \"quoted\" 'x'", "<think>\nhm\n</think>\n\nYes.", "a\n\nb ", "[INST] {{ x }} <|im_end|>", "None", "1"]
VALUES = [1, -0.5, 1e-7, True, False, None, "Zürich", "it's", 'say "x"', [], {}, [1, [2.5, None]], {"b": 1, "a": {"c": "é\n"}}]


def message(draw, role):
    content = draw.choice(TEXTS)
    kind = draw.random()
    if kind < 0.1:
        content = [{"type": "text", "text": draw.choice(TEXTS)} for _ in range(draw.randint(1, 2))]
    elif kind < 0.15:
        content = None
    made = {"role": role, "content": content}
    if role == "assistant" and draw.random() < 0.25:
        arguments = {draw.choice("abcd"): draw.choice(VALUES) for _ in range(draw.randint(0, 3))}
        function = {"name": "get_weather", "arguments": json.dumps(arguments) if draw.random() < 0.2 else arguments}
        made["tool_calls"] = [{"id": "call00001", "type": "function", "function": function} for _ in range(draw.randint(1, 2))]
    if role == "assistant" and draw.random() < 0.1:
        made["reasoning_content"] = draw.choice(TEXTS)
    if role == "tool":
        made |= {"name": "get_weather", "tool_call_id": "call00001"}
    if draw.random() < 0.03:
        del made["content"]
    return made


def conversation(draw):
    roles = ["system"] if draw.random() < 0.4 else []
    for _ in range(draw.randint(1, 3)):
        roles += ["user", "assistant"] if draw.random() < 0.9 else [draw.choice(["user", "assistant", "tool", "system", "other"])]
        if draw.random() < 0.15:
            roles += ["tool", "assistant"]
    if draw.random() < 0.5 and roles[-1] == "assistant":
        roles.pop()
    return [message(draw, role) for role in roles]


def options(draw):
    chances = {
        "add_generation_prompt": (0.5, True, False), "continue_final_message": (0.12, True), "tokenize": (0.7, False),
        "return_dict": (0.2, True), "return_assistant_tokens_mask": (0.1, True), "tools": (0.3, [TOOL], [TOOL, TOOL], []),
        "documents": (0.1, [{"title": "T", "text": "x"}], []), "enable_thinking": (0.2, True, False), "custom": (0.1, 1, "x", None),
        "padding": (0.1, True), "truncation": (0.1, True), "max_length": (0.1, 7, 30), "bos_token": (0.05, "<B>"),
    }  # fmt: skip
    return {name: draw.choice(values) for name, (chance, *values) in chances.items() if draw.random() < chance}


def plain(value):
    return {key: item for key, item in value.items()} if hasattr(value, "items") else value


def main(file, count, seed):
    folder = ROOT / "test" / "fixtures" / "tokenizers" / "qwen2"
    tokenizer = AutoTokenizer.from_pretrained(folder, bos_token="<s>", pad_token="<|endoftext|>")
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.jinja"))}
    sources |= {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "test" / "fixtures" / "chat").glob("*.jinja"))}
    draw, cases = random.Random(seed), []
    for _ in range(count):
        name, given = draw.choice(list(sources)), options(draw)
        chat = [conversation(draw) for _ in range(2)] if draw.random() < 0.1 else conversation(draw)
        try:
            expected = plain(tokenizer.apply_chat_template(json.loads(json.dumps(chat)), chat_template=sources[name], **given))
        except Exception as error:  # templates may fail with anything
            expected = {"error": f"{type(error).__name__}: {error}"}
        cases.append({"template": name, "chat": chat, "options": given, "expected": expected})
    Path(file).write_text(json.dumps({"folder": str(folder), "sources": sources, "cases": cases}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

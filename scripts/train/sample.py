"""Prints samples of an exported model: free text and chat, with the defaults of its generation config.

python scripts/train/sample.py models/kjv-llama-5m
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = ["In the beginning", "And the king said unto", "Blessed are", "The river", "My son, hear"]
CHATS = ["Hello", "Tell me about mercy.", "Psalm 23:1", "Continue: The LORD is my shepherd;", "John 3:16",
         "What is written of light?", "Who are you?", "What is the weather like today?"]  # fmt: skip


def main(folder):
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for sampled in ({}, {"do_sample": False}):
        print("== defaults of the checkpoint" if not sampled else "== greedy")
        for prompt in PROMPTS:
            inputs = tokenizer(prompt, return_tensors="pt")
            print(
                "-",
                tokenizer.decode(model.generate(**inputs, max_new_tokens=60, **sampled)[0], skip_special_tokens=True),
            )
        for message in CHATS:
            messages = [{"role": "user", "content": message}]
            ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=60, **sampled)
            print("-", message, "->", tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))


if __name__ == "__main__":
    main(sys.argv[1])

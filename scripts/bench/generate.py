"""Models of real sizes with random weights, and what PyTorch needs to generate with them.

    python scripts/bench/generate.py <folder> <name> ...                                   makes the models
    python scripts/bench/generate.py <folder>/<name> <threads> <rounds> <prompt> <options>  times, as JSON

The weights are drawn from a fixed seed, at a scale at which no token is a coin toss.
"""

import json
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, BartConfig, GPT2Config, T5Config

MODELS = {
    "t5-small": (AutoModelForSeq2SeqLM, T5Config(decoder_start_token_id=0)),
    "bart-base": (AutoModelForSeq2SeqLM, BartConfig(d_model=768, encoder_layers=6, decoder_layers=6, encoder_ffn_dim=3072,
                  decoder_ffn_dim=3072, encoder_attention_heads=12, decoder_attention_heads=12)),
    "gpt2": (AutoModelForCausalLM, GPT2Config()),
}  # fmt: skip


@torch.no_grad()
def make(folder, names):
    for name in names:
        if (folder / name / "model.safetensors").exists():
            continue
        auto_class, config = MODELS[name]
        torch.manual_seed(0)
        model = auto_class.from_config(config)
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(2)
        model.save_pretrained(folder / name)


def measure(folder, threads, rounds, length, options):
    torch.set_num_threads(threads)
    auto_class, _ = MODELS[folder.name]
    model = auto_class.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([[1000 + (i * 7919) % 20000 for i in range(length)]])
    times = []
    with torch.inference_mode():
        for _ in range(rounds + 1):
            start = time.perf_counter()
            out = model.generate(ids, attention_mask=torch.ones_like(ids), **options)
            times.append((time.perf_counter() - start) * 1e3 / options["max_new_tokens"])
    print(json.dumps({"times": times[1:], "sequences": out.tolist()}))


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[2].isdigit():
        measure(Path(sys.argv[1]), *map(int, sys.argv[2:5]), json.loads(sys.argv[5]))
    else:
        make(Path(sys.argv[1]), sys.argv[2:])

"""Trains the model that ships, models/kjv-llama-5m, on a CPU within a given wall time.

    python scripts/train/train.py --minutes 50 --output models/kjv-llama-5m

The learning rate follows the clock (warm-up, then a cosine to a twentieth), so that the run ends on time on any
machine; an export is written every few minutes and is usable as it stands.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from corpus import conversations, free_text, read_verses, render, split
from tokenizer import train_tokenizer

VOCAB, CONTEXT, BATCH, CHAT_SHARE = 4096, 512, 12, 0.6
PEAK, WARM_UP, FLOOR = 2e-3, 0.02, 0.05


def make_model(tokenizer):
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=256, intermediate_size=768, num_hidden_layers=5,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT, rope_theta=10000.0,
        rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, attn_implementation="sdpa",
    )  # fmt: skip
    return LlamaForCausalLM(config)


def make_optimizer(model):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.95), fused=True)


def learning_rate(progress):
    if progress < WARM_UP:
        return PEAK * (progress / WARM_UP + 0.01)
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP)))
    return PEAK * (FLOOR + (1 - FLOOR) * cosine)


def batches(tokenizer, verses, rng):
    """Endless batches [BATCH, CONTEXT]; every pass cuts and shuffles the documents anew."""
    while True:
        ids = torch.tensor(render(tokenizer, verses, rng, CHAT_SHARE))
        size = BATCH * CONTEXT
        for start in range(0, len(ids) - size + 1, size):
            yield ids[start : start + size].view(BATCH, CONTEXT)


@torch.no_grad()
def held_out_loss(model, tokenizer, verses, bf16):
    ids = torch.tensor(render(tokenizer, verses, random.Random(1), CHAT_SHARE))
    rows = ids[: len(ids) // CONTEXT * CONTEXT].view(-1, CONTEXT)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        losses = [model(input_ids=row, labels=row).loss.item() for row in rows.split(BATCH)]
    return sum(losses) / len(losses)


def export(model, tokenizer, folder, report):
    """Saves what ships: bf16 weights, tokenizer and generation config, plus the numbers of the run."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy = copy.to(torch.bfloat16)
    copy.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")],
        pad_token_id=tokenizer.pad_token_id, do_sample=True, temperature=0.7, top_k=40, repetition_penalty=1.1,
    )  # fmt: skip
    copy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    folder.with_suffix(".json").write_text(json.dumps(report, indent=1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--output", type=Path, default=Path("models/kjv-llama-5m"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--f32", action="store_true", help="no bf16 autocast")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--first-export", type=float, default=8, help="minutes")
    parser.add_argument("--export-every", type=float, default=5, help="minutes")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    rng = random.Random(0)

    kept, held_out = split(read_verses())
    chats = [m["content"] for chat in conversations(kept, random.Random(2), 0.2) for m in chat]
    tokenizer = train_tokenizer(free_text(kept, random.Random(2)) + chats, VOCAB, CONTEXT)
    model = make_model(tokenizer)
    forward = torch.compile(model) if options.compile else model
    optimizer = make_optimizer(model)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters} parameters, {len(kept)} verses, {len(held_out)} held out", flush=True)

    start, budget, next_export = time.time(), options.minutes * 60, options.first_export * 60
    smooth, step, elapsed = None, 0, 0.0
    for ids in batches(tokenizer, kept, rng):
        elapsed = time.time() - start
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(elapsed / budget)
        with torch.autocast("cpu", torch.bfloat16, enabled=not options.f32):
            loss = forward(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if step % 20 == 0:
            speed = step * ids.numel() / elapsed
            print(f"{elapsed / 60:6.2f} min  step {step:5d}  loss {smooth:.3f}  {speed:.0f} tokens/s", flush=True)
        if elapsed > next_export or elapsed > budget:
            validation = held_out_loss(model, tokenizer, held_out, not options.f32)
            report = dict(
                parameters=parameters, steps=step, tokens=step * ids.numel(), minutes=round(elapsed / 60, 1),
                loss=round(smooth, 3), held_out_loss=round(validation, 3),
            )  # fmt: skip
            print(report, flush=True)
            export(model, tokenizer, options.output, report)
            next_export += options.export_every * 60
        if elapsed > budget:
            break


if __name__ == "__main__":
    main()

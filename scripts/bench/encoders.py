"""Times of one encoder in PyTorch, in milliseconds, as JSON: encoders.py <folder> <threads> <rounds> <batch> <length>."""

import json
import sys
import time

import torch
from transformers import AutoModel

folder, threads, rounds, batch, length = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(threads)
model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
ids = torch.tensor([[1000 + (i * 7919 + row * 104729) % 20000 for i in range(length)] for row in range(batch)])
times = []
with torch.inference_mode():
    for _ in range(rounds + 2):
        start = time.perf_counter()
        model(input_ids=ids)
        times.append((time.perf_counter() - start) * 1e3)
print(json.dumps(times[2:]))

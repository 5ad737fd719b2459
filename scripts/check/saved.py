"""Compares checkpoints that we saved with the ones they were loaded from; called by saved.mjs.

    saved.py <originals> <folder with whole/ and shards/> <size of a shard>

Python loads both: the same configuration, no key missing or unexpected, every tensor equal byte for byte; the files
hold the same names in shards as Python's own `save_pretrained` makes them.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from safetensors import safe_open
from transformers.utils import logging

logging.disable_progress_bar()


def stored(folder):
    """Name of a file -> its tensors and metadata, and what the index says."""
    files = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            files[path.name] = (sorted(file.keys()), file.metadata())
    index = folder / "model.safetensors.index.json"
    return files, json.loads(index.read_text()) if index.exists() else None


def loaded(cls, folder):
    model, info = cls.from_pretrained(folder, dtype="auto", output_loading_info=True)
    config = {key: value for key, value in model.config.to_dict().items() if key not in ("_name_or_path", "dtype")}
    return model, config, {key: sorted(names) for key, names in info.items()}


def bytes_of(tensor):
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


def differences(name, original, ours, shard):
    cls = getattr(transformers, json.loads((original / "case.json").read_text())["class"])
    model, config, _ = loaded(cls, original)
    again, config_again, info = loaded(cls, ours)
    if any(info.values()):
        yield f"keys: {info}"
    if config != config_again:
        yield "config: " + ", ".join(key for key in config if config[key] != config_again.get(key))
    state, state_again = model.state_dict(), again.state_dict()
    if list(state) != list(state_again):
        yield "other names"
        return
    for key, tensor in state.items():
        if tensor.dtype != state_again[key].dtype or bytes_of(tensor) != bytes_of(state_again[key]):
            yield f"{key} differs"
    with tempfile.TemporaryDirectory() as temporary:
        model.save_pretrained(temporary, max_shard_size=shard)
        (files, index), (files_again, index_again) = stored(Path(temporary)), stored(ours)
    if files != files_again:
        yield f"files: {sorted(files)} in Python, {sorted(files_again)} here, or other tensors in them"
    if index != index_again:
        yield "model.safetensors.index.json"


def main():
    originals, saved, shard = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    failed = 0
    for kind, size in (("whole", "5GB"), ("shards", shard)):
        for ours in sorted((saved / kind).iterdir()):
            found = list(differences(ours.name, originals / ours.name, ours, size))
            failed += bool(found)
            print(f"{kind:7} {ours.name:22} {'; '.join(found) or 'equal'}")
    print(f"{failed} checkpoints differ" if failed else "all checkpoints are equal")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

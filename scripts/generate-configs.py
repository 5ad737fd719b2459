"""Writes lib/configuration/generated/tables.ts from Python Transformers 4.57.6: for maintainers.

A configuration class whose constructor only stores its arguments is data: its name, its defaults, its attribute map.
Whether it is so is found by trying: each argument is changed, and set to None, alone. The classes in WITH_RULES do more
than that; lib/configuration/rules.ts has what they do.

    python scripts/generate-configs.py
"""

import importlib
import inspect
import json
import logging
import signal
import warnings
from pathlib import Path

import transformers
from transformers import PretrainedConfig
from transformers.models.auto import configuration_auto as auto

assert transformers.__version__ == "4.57.6"
warnings.simplefilter("ignore")
logging.disable(logging.ERROR)
transformers.logging.set_verbosity(transformers.logging.CRITICAL)

WITH_RULES = """bart detr t5 mt5 umt5 marian mbart pegasus whisper wav2vec2 llama mistral ministral qwen2 qwen3 gemma2 gemma3
gemma3_text phi phi3 mixtral qwen2_moe qwen3_moe smollm3 olmo2 granite deberta-v2 clip clip_text_model clip_vision_model
siglip_vision_model vit gpt_neox falcon bloom resnet""".split()

BASE = PretrainedConfig().__dict__
IGNORED = {"_attn_implementation_internal", "_output_attentions", "_name_or_path", "_commit_hash"}


def class_of(model_type):
    module = auto.model_type_to_module_name(model_type)
    return getattr(importlib.import_module(f"transformers.models.{module}"), auto.CONFIG_MAPPING_NAMES[model_type])


def parameters_of(cls):
    names = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in names if p.name not in ("self", "kwargs") and p.default is not p.empty}


def state(config):
    return {k: v for k, v in config.__dict__.items() if k not in IGNORED}


def changed(value, index):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 1_003 + index
    if isinstance(value, float):
        return 0.123 + index
    if isinstance(value, str):
        return value + "_changed"
    return None if value is not None else 7_001 + index


def is_plain(cls, defaults):
    """Fallbacks {argument: argument taken for None} of a class that only stores its arguments; None for another class."""
    try:
        base = state(cls())
    except Exception:
        return None
    others = {other: changed(v, i) for i, (other, v) in enumerate(defaults.items()) if type(v) in (int, float)}
    names = {cls.attribute_map.get(name, name) for name in defaults}
    if set(base) - set(BASE) - names or any(isinstance(v, PretrainedConfig) for v in base.values()):
        return None
    if "to_dict" in cls.__dict__ or "from_dict" in cls.__dict__:
        return None
    if any(base[name] != value for name, value in state(PretrainedConfig()).items() if name not in names):
        return None
    fallbacks = {}
    for index, (name, default) in enumerate(defaults.items()):
        attribute = cls.attribute_map.get(name, name)
        for value in (changed(default, index), None):
            for context in ({}, others):
                try:
                    reference = state(cls(**{**context, name: default} if default is not None else context))
                    got = state(cls(**{**context, name: value}))
                except Exception:
                    return None
                differing = {key for key in got if got[key] != reference.get(key)}
                if differing - {attribute}:
                    return None
                if got[attribute] == value or (value is None and attribute in BASE and got[attribute] == BASE[attribute]):
                    continue
                if value is not None or not context:
                    continue
                source = [other for other in others if other != name and context[other] == got[attribute]]
                if len(source) != 1:
                    return None
                fallbacks[name] = source[0]
            if value is not None and got.get(attribute) != value:
                return None
    return fallbacks


def table_of(model_type):
    cls = class_of(model_type)
    defaults = parameters_of(cls)
    fallbacks = is_plain(cls, defaults)
    if fallbacks is None and model_type not in WITH_RULES:
        return None
    if model_type == "clip":
        defaults["initializer_factor"] = 1.0  # the constructor sets it
    sub_configs = {"backbone_config": ""} if isinstance(cls.sub_configs, property) else {
        key: sub.model_type for key, sub in cls.sub_configs.items() if hasattr(sub, "model_type")
    }
    table = {
        "class_name": cls.__name__,
        "defaults": defaults,
        "attribute_map": cls.attribute_map,
        "fallbacks": fallbacks if fallbacks and model_type not in WITH_RULES else {},
        "keys_to_ignore_at_inference": getattr(cls, "keys_to_ignore_at_inference", []),
        "base_config_key": cls.base_config_key,
        "sub_configs": sub_configs,
        "model_type": cls.model_type,
    }
    if table["model_type"] == model_type:
        del table["model_type"]
    required = ("class_name", "defaults")
    return json.dumps({k: v for k, v in table.items() if v or k in required}, separators=(",", ":"))


def too_slow(*_):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, too_slow)
    tables, left_out = {}, []
    for model_type in auto.CONFIG_MAPPING_NAMES:
        signal.alarm(3)  # some constructors build lists as long as their arguments say
        try:
            table = table_of(model_type)
        except Exception:
            table = None
        signal.alarm(0)
        if table is None:
            left_out.append(model_type)
        else:
            tables[model_type] = table
    quote = lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    lines = [
        "// Made by scripts/generate-configs.py from Python Transformers 4.57.6. Not to be edited.",
        "",
        "/** Configuration classes by model type, as JSON: parsed when they are needed. */",
        "export const TABLES: Record<string, string> = {",
        *[f"  {quote(name)}: {quote(table)}," for name, table in tables.items()],
        "};",
        "",
        "/** Every model type that Python knows, in its order. */",
        "export const MODEL_TYPES = (",
        f"  {quote(' '.join(auto.CONFIG_MAPPING_NAMES))}",
        ").split(' ');",
        "",
    ]
    path = Path(__file__).parent.parent / "lib/configuration/generated/tables.ts"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    print(f"{len(tables)} classes; with constructors of their own, left out: {len(left_out)}: {' '.join(left_out)}")


main()

"""The models of generate.py as ONNX, as transformers.js reads them: a maintainer's script.

    python scripts/bench/export_decoders.py <folder>/<name> ...

GPT-2 becomes onnx/model.onnx, which takes and gives keys and values. An encoder-decoder becomes onnx/encoder_model.onnx
and onnx/decoder_model_merged.onnx: an `If` on `use_cache_branch` between the first step, which computes keys and values
of the encoder's states, and the others, which get them. Both branches share the weights, as in the files that optimum
makes (https://github.com/huggingface/optimum/blob/v1.24.0/optimum/onnx/graph_transformations.py `merge_decoders`).

Needs torch, transformers and onnx; what is there already is left alone.
"""

import sys
from pathlib import Path

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

OPSET = 17
IDS = ["batch_size", "sequence_length"]
MASK = ["batch_size", "encoder_sequence_length"]


def causal_mask(mask):
    """What is added to the scores of the last rows, float [batch, 1, queries, keys], of `mask` [queries, keys]."""
    return (~mask).float()[None, None] * torch.finfo(torch.float32).min


def visible(queries, past):
    """Which keys each of the `queries` tokens after `past` others sees."""
    return torch.arange(past + queries)[None] <= (past + torch.arange(queries))[:, None]


def cache_of(layers):
    return DynamicCache.from_legacy_cache(tuple(layers))


class Decoder(torch.nn.Module):
    """GPT-2: ids, mask, keys and values; logits, and keys and values with the new tokens'."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids, *past):
        cache = cache_of(zip(past[::2], past[1::2]))
        seen = visible(input_ids.shape[1], past[0].shape[2])
        hidden = (1 - attention_mask[:, None, None].float()) * torch.finfo(torch.float32).min
        mask = torch.maximum(causal_mask(seen) + hidden, torch.tensor(torch.finfo(torch.float32).min))
        out = self.model(input_ids=input_ids, attention_mask=mask, position_ids=position_ids, past_key_values=cache,
                         use_cache=True)  # fmt: skip
        return out.logits, *(part for layer in out.past_key_values.to_legacy_cache() for part in layer)


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Step(torch.nn.Module):
    """One step of an encoder-decoder: the first, or with `past`, of each layer the decoder's and the encoder's."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, encoder_attention_mask, input_ids, encoder_hidden_states, *past):
        length = past[0].shape[2] if past else 0
        own = cache_of(zip(past[::4], past[1::4])) if past else DynamicCache()
        cross = cache_of(zip(past[2::4], past[3::4])) if past else DynamicCache()
        out = self.model(
            encoder_outputs=(encoder_hidden_states,), attention_mask=encoder_attention_mask, decoder_input_ids=input_ids,
            decoder_attention_mask=causal_mask(visible(input_ids.shape[1], length)),
            past_key_values=EncoderDecoderCache(own, cross), use_cache=True,
        )  # fmt: skip
        layers = out.past_key_values.to_legacy_cache()
        return out.logits, *(part for layer in layers for part in (layer[:2] if past else layer))


def key_names(config, sides):
    layers = config.num_decoder_layers if config.model_type == "t5" else config.num_hidden_layers
    return [f"{layer}{side}.{part}" for layer in range(layers) for side in sides for part in ("key", "value")]


def heads_of(config):
    size = getattr(config, "d_kv", None) or config.hidden_size // config.num_attention_heads
    return config.num_attention_heads, size


def key_axes(name):
    side = "encoder" if "encoder" in name else "past_decoder"
    return ["batch_size", None, f"{side}_sequence_length", None]


def export(module, example, path, inputs, outputs, axes):
    named = {name: {i: axis for i, axis in enumerate(dims) if axis} for name, dims in axes.items()}
    torch.onnx.export(module, example, path, input_names=inputs, output_names=outputs, opset_version=OPSET, dynamo=False,
                      dynamic_axes=named)  # fmt: skip


def export_decoder(model, folder):
    names = key_names(model.config, [""])
    heads, size = heads_of(model.config)
    ids, past = torch.tensor([[5, 6, 7], [8, 9, 10]]), [torch.randn(2, heads, 4, size) for _ in names]
    example = (ids, torch.ones(2, 7, dtype=torch.long), torch.arange(4, 7)[None].expand(2, 3), *past)
    inputs = ["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{name}" for name in names)]
    outputs = ["logits", *(f"present.{name}" for name in names)]
    axes = {"input_ids": IDS, "attention_mask": ["batch_size", "total_sequence_length"], "position_ids": IDS,
            "logits": IDS, **{name: key_axes(name) for name in inputs[3:]},
            **{name: ["batch_size", None, "total_sequence_length", None] for name in outputs[1:]}}  # fmt: skip
    export(Decoder(model), example, folder / "model.onnx", inputs, outputs, axes)


def export_steps(model, folder):
    names = key_names(model.config, [".decoder", ".encoder"])
    heads, size = heads_of(model.config)
    mask = torch.ones(2, 6, dtype=torch.long)
    export(Encoder(model), (mask * 9, mask), folder / "encoder_model.onnx", ["input_ids", "attention_mask"],
           ["last_hidden_state"], {"input_ids": MASK, "attention_mask": MASK, "last_hidden_state": MASK})  # fmt: skip
    states = torch.randn(2, 6, model.config.d_model)
    past = [torch.randn(2, heads, 6 if "encoder" in name else 4, size) for name in names]
    inputs = ["encoder_attention_mask", "input_ids", "encoder_hidden_states"]
    pasts, presents = [f"past_key_values.{name}" for name in names], [f"present.{name}" for name in names]
    own = [name for name in presents if ".decoder." in name]
    axes = {"encoder_attention_mask": MASK, "input_ids": IDS, "encoder_hidden_states": MASK, "logits": IDS,
            **{name: key_axes(name) for name in pasts + presents}}  # fmt: skip
    first, other = folder / "first.onnx", folder / "other.onnx"
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    export(Step(model), (mask, ids, states), first, inputs, ["logits", *presents], axes)
    export(Step(model), (mask, ids[:, :1], states, *past), other, inputs + pasts, ["logits", *own], axes)
    merged = merge(onnx.load(first), onnx.load(other), presents)
    onnx.save(merged, folder / "decoder_model_merged.onnx")
    first.unlink()
    other.unlink()


def with_prefix(graph, prefix, kept):
    """Gives all names of a graph but those in `kept` a prefix."""
    rename = {name: name if name in kept or not name else f"{prefix}{name}" for node in graph.node for name in node.output}
    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = [rename.get(name, name) for name in node.input]
        node.output[:] = [rename[name] for name in node.output]


def share_weights(graphs):
    """The weights of all graphs, each once, under one name."""
    weights = {}
    for index, graph in enumerate(graphs):
        rename = {}
        for tensor in graph.initializer:
            values = numpy_helper.to_array(tensor)
            key = (values.dtype.str, values.shape, values.tobytes())
            if key not in weights:
                weights[key] = TensorProto()
                weights[key].CopyFrom(tensor)
                weights[key].name = f"{tensor.name}_{index}"
            rename[tensor.name] = weights[key].name
        for node in graph.node:
            node.input[:] = [rename.get(name, name) for name in node.input]
        del graph.initializer[:]
    return list(weights.values())


def merge(first, other, presents):
    """One model of two: `If` use_cache_branch, `other`."""
    graphs = {"other_": other.graph, "first_": first.graph}
    inputs = list({value.name: value for graph in graphs.values() for value in graph.input}.values())
    names = [value.name for value in first.graph.output]
    known = {value.name for value in inputs}  # the first step alone reads the encoder's states
    weights = share_weights(graphs.values())
    for prefix, graph in graphs.items():
        with_prefix(graph, prefix, known)
        for value in graph.output:
            value.name = prefix + value.name
        del graph.input[:], graph.value_info[:]
    # The encoder's keys and values are the caller's to keep.
    made = {value.name.removeprefix("other_"): value for value in other.graph.output}
    empty = numpy_helper.from_array(numpy.zeros((0, 1, 1, 1), numpy.float32), "no_keys")
    for name in presents:
        if name in made:
            continue
        other.graph.node.append(helper.make_node("Identity", ["no_keys"], [f"other_{name}"], name=f"other_{name}"))
        made[name] = helper.make_tensor_value_info(f"other_{name}", TensorProto.FLOAT, [0, 1, 1, 1])
    ordered = [made[name] for name in names]
    del other.graph.output[:]
    other.graph.output.extend(ordered)
    branch = helper.make_node("If", ["use_cache_branch"], names, then_branch=other.graph, else_branch=first.graph)
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    outputs = zip(names, first.graph.output)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims_of(value)) for name, value in outputs]
    graph = helper.make_graph([branch], "merged", [*inputs, flag], values, [*weights, empty])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=first.ir_version)


def dims_of(value):
    return [None if axis.dim_param or not axis.dim_value else axis.dim_value for axis in value.type.tensor_type.shape.dim]


@torch.no_grad()
def main(folders):
    for folder in map(Path, folders):
        place = folder / "onnx"
        seq2seq = AutoConfig.from_pretrained(folder).is_encoder_decoder
        done = place / ("decoder_model_merged.onnx" if seq2seq else "model.onnx")
        if not done.exists():
            place.mkdir(exist_ok=True)
            auto = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
            model = auto.from_pretrained(folder, attn_implementation="eager").eval()
            (export_steps if seq2seq else export_decoder)(model, place)
        print(done)


if __name__ == "__main__":
    main(sys.argv[1:])

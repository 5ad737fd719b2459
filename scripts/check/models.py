"""Random small models, what Python computes with them, and what it generates; see models.mjs.

    python models.py folder [models] [seed] [family]

Writes a checkpoint for each model to `folder`, with the cases of scripts/fixtures/forward_passes.py: case.json and
expected.safetensors. Where the model generates, `generate` in case.json lists calls with the ids that came.
"""

import json
import random
import sys
import warnings
from pathlib import Path

import torch
import transformers

FIXTURES = Path(__file__).parent.parent / "fixtures"
sys.path.insert(0, str(FIXTURES))
from common import spread, write_tensors  # noqa: E402
from forward_passes import load, run_case, scale_outputs  # noqa: E402
from generation import Uniforms, recorded  # noqa: E402

ACTIVATIONS = ["gelu", "gelu", "gelu_new", "relu", "silu", "swish", "tanh", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu",
               "mish", "relu2", "leaky_relu", "relu6", "linear", "sigmoid", "gelu_python", "laplace"]  # fmt: skip
ENCODER_HEADS = ["ForMaskedLM", "ForMultipleChoice", "ForQuestionAnswering", "ForSequenceClassification", "ForTokenClassification"]
CLASSES = {
    "Bert": ["Model", "LMHeadModel", "ForNextSentencePrediction", "ForPreTraining", *ENCODER_HEADS],
    "DistilBert": ["Model", *ENCODER_HEADS],
    "Roberta": ["Model", "ForCausalLM", *ENCODER_HEADS],
    "XLMRoberta": ["Model", "ForCausalLM", *ENCODER_HEADS],
    "Camembert": ["Model", "ForCausalLM", *ENCODER_HEADS],
    "GPT2": ["Model", "LMHeadModel", "LMHeadModel", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"],
    "Bart": ["Model", "ForConditionalGeneration", "ForCausalLM", "ForSequenceClassification", "ForQuestionAnswering"],
    "MBart": ["Model", "ForConditionalGeneration", "ForCausalLM", "ForSequenceClassification", "ForQuestionAnswering"],
    "Pegasus": ["Model", "ForConditionalGeneration", "ForCausalLM"],
    "Marian": ["Model", "MTModel", "ForCausalLM"],
    "T5": ["Model", "EncoderModel", "ForConditionalGeneration", "ForConditionalGeneration", "ForSequenceClassification",
           "ForTokenClassification", "ForQuestionAnswering"],
}  # fmt: skip
LANGUAGE_MODELS = ["Llama", "Mistral", "Mixtral", "Qwen2", "Qwen3", "Qwen2Moe", "Qwen3Moe", "Phi3", "Gemma", "Gemma2", "Gemma3",
                   "Granite", "Olmo2", "SmolLM3"]  # fmt: skip
CLASSES |= {family: ["ForCausalLM"] for family in LANGUAGE_MODELS}
DECODERS = ("LMHeadModel", "ForCausalLM")
PAIRS = ("Bart", "MBart", "Pegasus", "Marian", "T5")


class Draw(random.Random):
    def maybe(self, share=0.5):
        return self.random() < share

    def some(self, **options):
        """About a third of the options, each drawn when it is taken."""
        return {name: value() for name, value in options.items() if self.maybe(0.35)}


def language_model(draw, family):
    """A decoder's configuration."""
    key_heads, group, size = draw.randint(1, 3), draw.randint(1, 3), 2 * draw.randint(3, 12)
    heads = key_heads * group
    layers = draw.randint(1, 4)
    config = dict(vocab_size=draw.randint(40, 140), hidden_size=heads * size, intermediate_size=draw.randint(3, 70),
                  num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=key_heads, bos_token_id=1,
                  eos_token_id=2, pad_token_id=0, max_position_embeddings=draw.randint(24, 60), rms_norm_eps=draw.choice([1e-6, 1e-3]),
                  rope_theta=draw.choice([100.0, 10000.0, 1e6]), tie_word_embeddings=draw.maybe())  # fmt: skip
    if family in ("Llama", "Mistral", "Mixtral", "Qwen3", "Qwen3Moe", "Gemma", "Gemma2", "Gemma3") and draw.maybe():
        config["head_dim"] = 2 * draw.randint(3, 12)
    if family in ("Llama", "Granite"):
        config |= draw.some(attention_bias=lambda: True, mlp_bias=lambda: True)
    if family == "Llama":
        config |= draw.some(rope_scaling=lambda: draw.choice([
            dict(rope_type="linear", factor=3.0), dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                       original_max_position_embeddings=16)]))  # fmt: skip
    if family in ("Mistral", "Phi3", "Gemma2", "Gemma3"):
        config["sliding_window"] = draw.randint(2, 12)
    if family == "Granite":
        config |= dict(embedding_multiplier=draw.uniform(0.5, 4), attention_multiplier=draw.uniform(0.1, 0.6),
                       residual_multiplier=draw.uniform(0.2, 1), logits_scaling=draw.uniform(0.5, 4))  # fmt: skip
    if family == "Gemma2":
        config |= dict(query_pre_attn_scalar=config.get("head_dim", size), attn_logit_softcapping=draw.choice([None, 3.0, 50.0]),
                       final_logit_softcapping=draw.choice([None, 5.0, 30.0]))  # fmt: skip
    if family == "Mixtral":
        config |= dict(num_local_experts=draw.randint(2, 6), num_experts_per_tok=draw.randint(1, 2), sliding_window=None)
    if "Moe" in family:
        experts = draw.randint(2, 6)
        config |= dict(num_experts=experts, num_experts_per_tok=draw.randint(1, 2), moe_intermediate_size=draw.randint(3, 30),
                       norm_topk_prob=family == "Qwen3Moe")  # fmt: skip
        if family == "Qwen2Moe":
            config["shared_expert_intermediate_size"] = draw.randint(3, 30)
    if family == "Gemma3":
        config |= dict(layer_types=["sliding_attention", "full_attention", *["sliding_attention"] * draw.randint(0, 2)],
                       query_pre_attn_scalar=config.get("head_dim", size), rope_local_base_freq=draw.choice([50.0, 10000.0]))  # fmt: skip
        config["num_hidden_layers"] = len(config["layer_types"])
    if family.startswith("Gemma"):
        config["tie_word_embeddings"] = True
    kind = "Gemma3TextConfig" if family == "Gemma3" else f"{family}Config"
    return getattr(transformers, kind)(**config)


def configuration(draw, family, head):
    """A configuration whose sizes are seldom round."""
    if family in LANGUAGE_MODELS:
        return language_model(draw, family)
    heads, size = draw.randint(1, 5), draw.choice([2, 3, 5, 7, 8, 12, 16, 17])
    wide, inner = heads * size, draw.randint(3, 70)
    layers = draw.randint(1, 3)
    vocabulary = draw.randint(40, 140)
    positions = draw.randint(24, 60)
    act = draw.choice(ACTIVATIONS)
    labels = 2 if head.endswith("QuestionAnswering") else draw.choice([1, 2, 3, 6])
    config = {"vocab_size": vocabulary, "num_labels": labels}
    if family in ("Bert", "Roberta", "XLMRoberta", "Camembert"):
        config |= dict(hidden_size=wide, num_attention_heads=heads, num_hidden_layers=layers, intermediate_size=inner,
                       hidden_act=act, max_position_embeddings=positions, type_vocab_size=draw.randint(1, 3),
                       layer_norm_eps=draw.choice([1e-12, 1e-5, 1e-2]), is_decoder=head in DECODERS)  # fmt: skip
        if draw.maybe(0.3):
            config["pad_token_id"] = draw.randint(0, 4)
    elif family == "DistilBert":
        config |= dict(dim=wide, n_heads=heads, n_layers=layers, hidden_dim=inner, max_position_embeddings=positions,
                       activation=draw.choice(["gelu", "relu", "silu"]), sinusoidal_pos_embds=wide % 2 == 0 and draw.maybe(0.3))  # fmt: skip
    elif family == "GPT2":
        config |= dict(n_embd=wide, n_head=heads, n_layer=layers, n_inner=draw.choice([None, inner]), n_positions=positions,
                       activation_function=act, layer_norm_epsilon=draw.choice([1e-5, 1e-2]), bos_token_id=2, eos_token_id=2,
                       pad_token_id=draw.choice([0, 3, vocabulary - 1]), scale_attn_weights=draw.maybe(0.8),
                       scale_attn_by_inverse_layer_idx=draw.maybe(0.3), reorder_and_upcast_attn=draw.maybe(0.2))  # fmt: skip
    elif family == "T5":
        gated = draw.choice(["", "gated-"])
        config |= dict(d_model=draw.randint(5, 48), d_kv=size, num_heads=heads, d_ff=inner, num_layers=layers,
                       num_decoder_layers=draw.randint(1, 3), relative_attention_num_buckets=draw.choice([4, 6, 8, 11, 32]),
                       relative_attention_max_distance=draw.choice([17, 20, 64, 128]), decoder_start_token_id=0,
                       layer_norm_epsilon=draw.choice([1e-6, 1e-2]), feed_forward_proj=gated + draw.choice(["gelu", "relu", "silu"]))  # fmt: skip
    else:
        theirs = draw.choice([count for count in (1, 2, 3, 4, 5, 6) if wide % count == 0])
        # Python counts the encoder's layers for the cache of a decoder that stands alone.
        decoders = layers if head in DECODERS else draw.randint(1, 3)
        config |= dict(d_model=wide, encoder_layers=layers, decoder_layers=decoders, encoder_attention_heads=heads,
                       decoder_attention_heads=theirs, encoder_ffn_dim=inner, decoder_ffn_dim=draw.randint(3, 50),
                       max_position_embeddings=positions, scale_embedding=draw.maybe(), activation_function=act)  # fmt: skip
        if family in ("Marian", "Pegasus"):
            pad = vocabulary - 1 if family == "Marian" else 0
            config |= dict(pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=int(family == "Pegasus"), bos_token_id=3,
                           forced_eos_token_id=None)  # fmt: skip
    if draw.maybe(0.2) and not (family in PAIRS and family != "T5"):
        config["tie_word_embeddings"] = False
    return getattr(transformers, f"{family}Config")(**config)


class Inputs:
    """Batches for a model: ids or embeddings, masks of every kind, what else its forward() takes."""

    def __init__(self, draw, config, family, head):
        self.draw, self.config, self.family, self.head = draw, config, family, head
        self.pair = family in PAIRS and head not in (*DECODERS, "EncoderModel", "ForTokenClassification")
        limit = getattr(config, "max_position_embeddings", None) or 40
        self.longest = limit - (config.pad_token_id + 1 if family in ("Roberta", "XLMRoberta", "Camembert") else 0)

    def ids(self, *shape):
        generator = torch.Generator().manual_seed(self.draw.randint(0, 1 << 30))
        return torch.randint(5, self.config.vocab_size - 1, shape, generator=generator)

    def integers(self, high, *shape):
        return torch.tensor([self.draw.randrange(high) for _ in range(torch.Size(shape).numel())]).view(shape)

    def normal(self, *shape):
        return torch.randn(shape, generator=torch.Generator().manual_seed(self.draw.randint(0, 1 << 30)))

    def mask(self, rows, length):
        def row():
            size = self.draw.randint(1, length)
            kinds = ["all", "right", "right", "left", "left", "both"]
            kind = self.draw.choice(kinds if self.family in LANGUAGE_MODELS else [*kinds, "holes"])
            cells = [1] * length
            if kind in ("right", "both"):
                cells[size:] = [0] * (length - size)
            if kind in ("left", "both"):
                gap = self.draw.randint(0, length - 1)
                cells[:gap] = [0] * gap
            if kind == "holes":
                cells = [int(self.draw.maybe(0.7)) for _ in range(length)]
            blind = self.family not in LANGUAGE_MODELS and self.draw.maybe(0.1)
            return cells if any(cells) or blind else [1] * length

        return torch.tensor([row() for _ in range(rows)])

    def side(self, prefix, rows, length, choices=()):
        """One side's tokens: padded ones have the pad's id, mostly."""
        draw, config, shape = self.draw, self.config, (rows, *choices, length)
        flat = (torch.Size(shape[:-1]).numel(), length)
        given = {f"{prefix}input_ids": self.ids(*flat)}
        embeds = draw.maybe(0.15) and self.family not in LANGUAGE_MODELS and not (self.family in PAIRS and self.head == "ForSequenceClassification")
        if embeds:
            given = {f"{prefix}inputs_embeds": self.normal(*flat, config.hidden_size)}
        if draw.maybe(0.75):
            mask = self.mask(*flat)
            given[f"{prefix}attention_mask"] = mask
            if not embeds and draw.maybe(0.85):
                given["%sinput_ids" % prefix] = given[f"{prefix}input_ids"].masked_fill(mask == 0, config.pad_token_id or 0)
        if self.family in PAIRS and self.head == "ForSequenceClassification" and not prefix:
            ids, mask = given["input_ids"], given.get("attention_mask", torch.ones(flat, dtype=torch.long))
            for row in range(rows):  # the head looks for the last end of a text in each row
                ids[row, int(mask[row].nonzero()[-1]) if mask[row].any() else -1] = config.eos_token_id
        if self.family not in PAIRS and self.family not in LANGUAGE_MODELS:
            if getattr(config, "type_vocab_size", 1) > 1 and draw.maybe(0.6):
                given["token_type_ids"] = self.integers(config.type_vocab_size, *flat)
            if self.family == "GPT2" and draw.maybe(0.2):
                given["token_type_ids"] = self.integers(config.vocab_size, *flat)
            if self.family != "DistilBert" and draw.maybe(0.2):
                high = self.longest if self.family in ("Bert", "GPT2") else config.max_position_embeddings
                given["position_ids"] = self.integers(high, *flat)
        return {name: value.view(*shape, *value.shape[2:]) for name, value in given.items()}

    def labels(self, rows, length, choices):
        head, config, draw = self.head, self.config, self.draw
        ignored = lambda labels: labels.masked_fill(torch.tensor([draw.maybe(0.3) for _ in range(labels.numel())]).view(labels.shape), -100)  # noqa: E731
        if head in ("ForMaskedLM", "ForConditionalGeneration", "MTModel", *DECODERS):
            return {"labels": ignored(self.ids(rows, length))}
        if head == "ForTokenClassification":
            return {"labels": ignored(self.integers(config.num_labels, rows, length))}
        if head == "ForMultipleChoice":
            return {"labels": self.integers(choices[0], rows)}
        if head == "ForQuestionAnswering":
            return {"start_positions": self.integers(length + 2, rows), "end_positions": self.integers(length + 2, rows)}
        if head == "ForSequenceClassification":
            if config.num_labels == 1:
                return {"labels": self.normal(rows)}
            kind = draw.choice(["one", "several"])
            return {"labels": self.integers(config.num_labels, rows) if kind == "one" else self.integers(2, rows, config.num_labels).float()}
        if head == "ForNextSentencePrediction":
            return {"labels": self.integers(2, rows)}
        return {}

    def case(self):
        draw = self.draw
        rows, length = draw.randint(1, 5), draw.choice([1, 2, 5, 9, 13, self.longest])
        choices = (draw.randint(1, 4),) if self.head == "ForMultipleChoice" else ()
        given = self.side("", rows, length, choices)
        if self.pair and self.head != "ForSequenceClassification" and (self.family == "T5" or draw.maybe(0.8)):
            target = self.side("decoder_", rows, draw.choice([1, 3, 7, self.longest]))
            given |= target
            length = next(value for name, value in target.items() if "mask" not in name).shape[1]
        labels = self.labels(rows, length, choices) if draw.maybe(0.5) else {}
        if self.family in LANGUAGE_MODELS and labels and "attention_mask" in given:
            mask = given["attention_mask"]  # what padding predicts is not computed there
            seen = mask * torch.cat([torch.ones_like(mask[:, :1]), mask[:, :-1]], dim=1)
            labels = {"labels": labels["labels"].masked_fill(seen == 0, -100)}
        if self.head in ("ForConditionalGeneration", "MTModel") and labels and draw.maybe():
            given = {name: value for name, value in given.items() if not name.startswith("decoder_")}
        states = ["output_hidden_states"] + ["output_attentions"] * (self.family not in LANGUAGE_MODELS)
        options = {name: True for name in states if draw.maybe(0.3)}
        return {**given, **labels}, options


def generate_options(draw, config):
    vocabulary = config.vocab_size
    word = lambda: draw.randrange(5, vocabulary - 1)  # noqa: E731
    words = lambda most=3: [word() for _ in range(draw.randint(1, most))]  # noqa: E731
    beams = draw.choice([1, 1, 2, 3, 5])
    length = dict(max_new_tokens=draw.randint(1, 12)) if draw.maybe(0.8) else dict(max_length=draw.randint(12, 20))
    options = dict(do_sample=draw.maybe(0.4), num_beams=beams, **length) | draw.some(
        repetition_penalty=lambda: draw.choice([0.7, 1.1, 1.8]), no_repeat_ngram_size=lambda: draw.randint(1, 3),
        min_length=lambda: draw.randint(1, 18), min_new_tokens=lambda: draw.randint(1, 12),
        bad_words_ids=lambda: [words() for _ in range(draw.randint(1, 6))],
        suppress_tokens=lambda: words(8), begin_suppress_tokens=lambda: words(8),
        forced_eos_token_id=word, forced_bos_token_id=word,
        sequence_bias=lambda: [[words(2), draw.uniform(-9, 9)] for _ in range(draw.randint(1, 4))],
        exponential_decay_length_penalty=lambda: (draw.randint(1, 6), draw.uniform(1.01, 1.6)),
        renormalize_logits=lambda: True, eos_token_id=lambda: draw.choice([word(), words(20)]), use_cache=lambda: draw.maybe(0.8),
        encoder_repetition_penalty=lambda: draw.choice([0.6, 1.5]), encoder_no_repeat_ngram_size=lambda: draw.randint(1, 3),
    )  # fmt: skip
    if beams > 1:
        options |= draw.some(length_penalty=lambda: draw.choice([-1.5, 0.0, 0.6, 2.5]),
                             early_stopping=lambda: draw.choice([True, False, "never"]),
                             num_return_sequences=lambda: draw.randint(1, beams))  # fmt: skip
    if options["do_sample"]:
        options |= draw.some(temperature=lambda: draw.uniform(0.3, 2), top_k=lambda: draw.choice([0, 1, 5, 20]),
                             top_p=lambda: draw.uniform(0.1, 1), min_p=lambda: draw.uniform(0, 0.3),
                             typical_p=lambda: draw.uniform(0.1, 1), epsilon_cutoff=lambda: draw.uniform(1e-4, 0.2),
                             eta_cutoff=lambda: draw.uniform(1e-4, 0.2))  # fmt: skip
        if beams == 1 and draw.maybe(0.3):
            options["num_return_sequences"] = draw.randint(1, 3)
    return options


class Drawn(Uniforms):
    """Any number will do: copies of the model tell which are near an edge. What is replayed ends in halves."""

    def next(self, cumulative):
        given = self.replay or []
        value = given[len(self.used)] if len(self.used) < len(given) else 0.5 if given else self.random.random()
        self.used.append(value)
        return value

    def multinomial(self, probabilities, *arguments, **options):
        if not probabilities.isfinite().all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        return super().multinomial(probabilities, *arguments, **options)


@torch.no_grad()
def generated(draw, models, inputs, options):
    """What Python gives, or None where copies with slightly other weights give something else."""
    found, uniforms = [], Drawn(draw.random())
    for model in models:
        call = {**options, "output_scores": True, "return_dict_in_generate": True}
        try:
            with recorded(uniforms):
                found.append(model.generate(**inputs, **call))
        except Exception as error:  # its text is for the reader
            return {"error": f"{type(error).__name__}: {error}"}
        if found[0].sequences.tolist() != found[-1].sequences.tolist():
            return None
        drawn = uniforms.used if len(found) == 1 else drawn
        uniforms = Drawn(replay=drawn)
    scores = getattr(found[0], "sequences_scores", None)
    answer = {"sequences": found[0].sequences.tolist(), "steps": len(found[0].scores), "uniforms": drawn}
    if scores is None or not scores.isfinite().all():  # zero divided by a length of zero
        return answer
    return {**answer, "scores": scores.tolist()}


def noisy_copies(model, model_class, folder):
    yield model
    for seed in range(2):
        copy = load(model_class, folder)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in copy.parameters():
                parameter.mul_(1 + 1e-4 * torch.randn(parameter.shape, generator=generator))
        yield copy


def generate_cases(draw, folder, model_class, inputs, count):
    models = list(noisy_copies(load(model_class, folder), model_class, folder))
    for _ in range(count):
        rows, length = draw.randint(1, 4), draw.randint(1, 8)
        ids, mask = inputs.ids(rows, length), inputs.mask(rows, length)
        if not inputs.pair:
            if inputs.family in LANGUAGE_MODELS:
                mask = mask.sort(dim=1).values  # gaps move a sliding window
            mask[:, -1] = 1
        given = {"input_ids": ids.masked_fill(mask == 0, inputs.config.pad_token_id or 0), "attention_mask": mask}
        options = generate_options(draw, inputs.config)
        answer = generated(draw, models, given, options)
        if answer:
            yield {"inputs": {name: value.tolist() for name, value in given.items()}, "options": options, **answer}


def write(folder, draw, seed, family=None):
    family = family or draw.choice(list(CLASSES))
    head = draw.choice(CLASSES[family])
    config = configuration(draw, family, head)
    model_class = getattr(transformers, family + head)
    torch.manual_seed(seed)
    model = spread(model_class._from_config(config, attn_implementation="eager").eval(), seed)
    inputs = Inputs(draw, config, family, head)
    length = min(9, inputs.longest)
    example = {"input_ids": inputs.ids(2, *([2] if head == "ForMultipleChoice" else []), length)}
    if inputs.pair:
        example["decoder_input_ids"] = inputs.ids(2, 5)
        if head == "ForSequenceClassification":
            example["input_ids"][:, -1] = config.eos_token_id
            del example["decoder_input_ids"]
    scale_outputs(model, example)
    model.save_pretrained(folder)
    rows, tensors = [], {}
    for index in range(8):
        given, options = inputs.case()
        try:
            row, expected = run_case(model_class, folder, str(index), given, options)
        except AssertionError:  # a loss over nothing is no number
            continue
        except Exception as error:  # Python refuses some of what is drawn
            floats = {name: value for name, value in given.items() if value.is_floating_point()}
            tensors |= {f"{index}.{name}": value for name, value in floats.items()}
            rest = {name: value.tolist() for name, value in given.items() if name not in floats}
            row = {"name": str(index), "inputs": rest, "tensor_inputs": list(floats), "options": options, "error": f"{type(error).__name__}: {error}"}
            expected = {}
        rows.append(row)
        tensors |= expected
    write_tensors(folder / "expected.safetensors", tensors)
    can_generate = head in ("ForConditionalGeneration", "MTModel", *DECODERS)
    calls = list(generate_cases(draw, folder, model_class, inputs, 12)) if can_generate else []
    (folder / "case.json").write_text(json.dumps({"class": family + head, "cases": rows, "generate": calls}))


def main(folder, models=40, seed=0, family=None):
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    for index in range(int(models)):
        number = int(seed) * 100_000 + index
        path = Path(folder) / f"{index:04}"
        path.mkdir()
        write(path, Draw(number), number, family)


if __name__ == "__main__":
    main(*sys.argv[1:])

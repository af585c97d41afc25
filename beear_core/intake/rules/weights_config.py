"""Whether the tensors are those that the config promises: names, numbers of layers, shapes. Headers only.

Loading refuses what is missing and what has another shape; what is too much it leaves out. Both are told here before.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder, Unreadable

INDEX = "model.safetensors.index.json"
LAYER = re.compile(r"^(?:[\w]+\.)*?(?:layers|h|blocks)\.(\d{1,6})\.(.+)$")
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")
HEADS = ("lm_head.weight", "embed_out.weight")
BUFFERS = re.compile(
    r"(rotary_emb\.inv_freq|attn\.(bias|masked_bias)|attention\.(bias|masked_bias|rotary_emb\.inv_freq))$"
)
MOST = 1 << 40
"""A size above it is none of a model."""

Sizes = Mapping[str, int]
_LLAMA = {
    "self_attn.q_proj.weight": ("q", "d"),
    "self_attn.k_proj.weight": ("kv", "d"),
    "self_attn.v_proj.weight": ("kv", "d"),
    "self_attn.o_proj.weight": ("d", "q"),
    "mlp.gate_proj.weight": ("ff", "d"),
    "mlp.up_proj.weight": ("ff", "d"),
    "mlp.down_proj.weight": ("d", "ff"),
    "input_layernorm.weight": ("d",),
    "post_attention_layernorm.weight": ("d",),
}
_QWEN2 = {
    **_LLAMA,
    "self_attn.q_proj.bias": ("q",),
    "self_attn.k_proj.bias": ("kv",),
    "self_attn.v_proj.bias": ("kv",),
}
_QWEN3 = {**_LLAMA, "self_attn.q_norm.weight": ("h",), "self_attn.k_norm.weight": ("h",)}
_GEMMA2 = {**_LLAMA, "pre_feedforward_layernorm.weight": ("d",), "post_feedforward_layernorm.weight": ("d",)}
_PHI3 = {
    "self_attn.qkv_proj.weight": ("qkv", "d"),
    "self_attn.o_proj.weight": ("d", "q"),
    "mlp.gate_up_proj.weight": ("2ff", "d"),
    "mlp.down_proj.weight": ("d", "ff"),
    "input_layernorm.weight": ("d",),
    "post_attention_layernorm.weight": ("d",),
}
_GPT2 = {
    "ln_1.weight": ("d",), "ln_1.bias": ("d",), "ln_2.weight": ("d",), "ln_2.bias": ("d",),
    "attn.c_attn.weight": ("d", "3d"), "attn.c_attn.bias": ("3d",), "attn.c_proj.weight": ("d", "d"),
    "attn.c_proj.bias": ("d",), "mlp.c_fc.weight": ("d", "ff"), "mlp.c_fc.bias": ("ff",),
    "mlp.c_proj.weight": ("ff", "d"), "mlp.c_proj.bias": ("d",),
}  # fmt: skip
_NEOX = {
    "input_layernorm.weight": ("d",), "input_layernorm.bias": ("d",), "post_attention_layernorm.weight": ("d",),
    "post_attention_layernorm.bias": ("d",), "attention.query_key_value.weight": ("3d", "d"),
    "attention.query_key_value.bias": ("3d",), "attention.dense.weight": ("d", "d"), "attention.dense.bias": ("d",),
    "mlp.dense_h_to_4h.weight": ("ff", "d"), "mlp.dense_h_to_4h.bias": ("ff",), "mlp.dense_4h_to_h.weight": ("d", "ff"),
    "mlp.dense_4h_to_h.bias": ("d",),
}  # fmt: skip
LAYERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "llama": _LLAMA, "mistral": _LLAMA, "gemma": _LLAMA, "qwen2": _QWEN2, "qwen3": _QWEN3, "gemma2": _GEMMA2,
    "gemma3_text": {**_GEMMA2, **_QWEN3}, "phi3": _PHI3, "gpt2": _GPT2, "gpt_neox": _NEOX,
}  # fmt: skip
"""What each layer of a known family holds, in letters of `_sizes`."""
OPTIONAL = re.compile(r"(_proj\.bias|sinks)$")
"""Biases that some members of a family have and say so in their config."""


@rule(
    "weights.config_mismatch",
    Severity.MEDIUM,
    says="Tensors that the config does not promise, or that it promises and are not there: number of layers, vocabulary and "
    "width, and for known families every tensor of a layer with its shape.",
    remedy="compare with the original model; loading refuses what is missing or has another shape, and leaves out what is too much",
)
def config_mismatch(folder: ModelFolder) -> Iterator[Seen]:
    shapes = _loaded_shapes(folder)
    config = _text_config(folder.config)
    if not shapes or not config or config.get("quantization_config"):
        return  # Quantized weights are packed: their shapes are not the config's.
    sizes = _sizes(config)
    yield from _absurd(sizes)
    layers: dict[int, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for name, shape in shapes.items():
        if found := LAYER.match(name):
            layers[int(found[1])][found[2]] = shape
    yield from _numbers(layers, sizes)
    for name, shape in shapes.items():
        if name.endswith((*EMBEDDINGS, *HEADS)) and not LAYER.match(name) and len(shape) == 2:
            for letter, place in (("v", 0), ("d", 1)):
                if letter in sizes and shape[place] != sizes[letter]:
                    yield Seen(
                        f"has shape {list(shape)}, the config says {sizes[letter]} at place {place}", "", name
                    )
    family = LAYERS.get(str(config.get("model_type")))
    if family:
        yield from _family(family, layers, sizes)


def _family(
    family: Mapping[str, tuple[str, ...]], layers: Mapping[int, Mapping[str, tuple[int, ...]]], sizes: Sizes
) -> Iterator[Seen]:
    missing: dict[str, list[int]] = defaultdict(list)
    unknown: dict[str, list[int]] = defaultdict(list)
    wrong: dict[str, list[int]] = defaultdict(list)
    said: dict[str, str] = {}
    for number, tensors in layers.items():
        for name, letters in family.items():
            shape = tensors.get(name)
            if shape is None:
                if number < sizes.get("l", 0):
                    missing[name].append(number)
            elif all(letter in sizes for letter in letters) and shape != (
                wanted := tuple(sizes[letter] for letter in letters)
            ):
                wrong[name].append(number)
                said[name] = f"has shape {list(shape)}, the config makes it {list(wanted)}"
        for name in tensors:
            if name not in family and not BUFFERS.search(name) and not OPTIONAL.search(name):
                unknown[name].append(number)
    for name, numbers in missing.items():
        yield Seen(f"is missing in {_layers(numbers)}", "", name)
    for name, numbers in wrong.items():
        yield Seen(f"{said[name]}, in {_layers(numbers)}", "", name)
    for name, numbers in sorted(unknown.items())[:5]:
        yield Seen(f"is no tensor of the architecture and stands in {_layers(numbers)}", "", name)
    if len(unknown) > 5:
        yield Seen(f"{len(unknown) - 5} more names that are none of the architecture's")


def _numbers(layers: Mapping[int, object], sizes: Sizes) -> Iterator[Seen]:
    count = sizes.get("l")
    if not layers or count is None or count > 100_000:
        return
    if lost := sorted(set(range(count)) - set(layers)):
        yield Seen(
            f"the config promises {count} layers; {_layers(lost)} {_is_are(lost)} not there", "config.json"
        )
    if extra := sorted(set(layers) - set(range(count))):
        yield Seen(
            f"the config promises {count} layers; {_layers(extra)} {_is_are(extra)} there besides",
            "config.json",
        )


def _absurd(sizes: Sizes) -> Iterator[Seen]:
    for name, size in sizes.items():
        if not 0 < size < MOST:
            yield Seen(f"the size {name!r} of the config is {size}", "config.json", severity=Severity.HIGH)


def _loaded_shapes(folder: ModelFolder) -> dict[str, tuple[int, ...]]:
    """Tensors of the files that loading opens, as their headers tell them; empty if one cannot be read."""
    names = ["model.safetensors"]
    if names[0] not in folder.headers:
        places = folder.object(INDEX).get("weight_map")
        named = places.values() if isinstance(places, dict) else ()
        names = sorted({name for name in named if isinstance(name, str)})
    shapes: dict[str, tuple[int, ...]] = {}
    for name in names:
        tensors = folder.headers.get(name)
        if tensors is None or isinstance(tensors, Unreadable):
            return {}
        shapes |= {tensor: one.shape for tensor, one in tensors.items()}
    return shapes


def _text_config(config: dict[str, Any]) -> dict[str, Any]:
    inner = config.get("text_config")
    return (
        {**inner, "quantization_config": config.get("quantization_config")}
        if isinstance(inner, dict)
        else config
    )


def _sizes(config: Mapping[str, Any]) -> dict[str, int]:
    """The config's sizes by the letters of the tables; a letter that it does not tell is left out."""

    def told(*names: str) -> int | None:
        for name in names:
            value = config.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None

    d, heads = told("hidden_size", "n_embd", "d_model"), told("num_attention_heads", "n_head")
    kv = told("num_key_value_heads")
    # Gemma and Qwen3 have heads of a size that their classes know and some of their configs leave out.
    fixed = str(config.get("model_type")) in ("gemma", "gemma2", "gemma3_text", "qwen3")
    h = told("head_dim") or (d // heads if d and heads and heads > 0 and not fixed else None)
    ff = told("intermediate_size", "n_inner")
    if ff is None and config.get("model_type") == "gpt2" and d:
        ff = 4 * d
    kv = heads if kv is None and config.get("model_type") in ("llama", "phi3") else kv
    found: dict[str, int | None] = {
        "v": told("vocab_size"), "d": d, "l": told("num_hidden_layers", "n_layer"), "ff": ff, "h": h,
        "q": heads * h if heads and h else None, "kv": kv * h if kv and h else None,
        "3d": 3 * d if d else None, "2ff": 2 * ff if ff else None,
        "qkv": (heads + 2 * kv) * h if heads and kv and h else None,
    }  # fmt: skip
    return {name: size for name, size in found.items() if size is not None}


def _layers(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in sorted(numbers)[:4])
    more = f" and {len(numbers) - 4} more" if len(numbers) > 4 else ""
    return f"layer{'s' * (len(numbers) > 1)} {shown}{more} (counted from 0)"


def _is_are(numbers: list[int]) -> str:
    return "is" if len(numbers) == 1 else "are"

"""Inputs for the fuzzer: sound files with something changed, and bytes that never were sound."""

import copy
import json
import re
import struct
from typing import Any

from hypothesis import strategies as st

from tests.beear_core.intake.corpus.plain import added, framed, header, shapes, tokenizer
from tests.beear_core.intake.corpus.stock_templates import STOCK
from tests.beear_core.intake.corpus.template_attacks import HIDDEN

_NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.sampled_from(
        [2**31, 2**32, 2**63, 2**64, 2**70, -(2**63), 10**30, 1.5, -0.0, 1e308, float("inf"), float("nan")]
    ),
)
_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["F32", "../..", "/etc/passwd", "\ud800", "\u202e", "a" * 3000, "Sequence", "Replace", "__class__"]
    ),
)
_LEAVES = st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS)
_KEYS = st.sampled_from(
    [
        "dtype",
        "shape",
        "data_offsets",
        "__metadata__",
        "weight_map",
        "metadata",
        "model",
        "vocab",
        "merges",
        "added_tokens",
        "content",
        "id",
        "special",
        "type",
        "normalizers",
        "normalizer",
        "pattern",
        "Regex",
        "String",
        "chat_template",
        "template",
        "name",
        "default",
        "target_modules",
        "r",
        "lora_alpha",
    ]
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(_KEYS, st.text(max_size=5)), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def _changed(draw: st.DrawFn, sound: Any) -> Any:
    """A sound object with one to four places changed."""
    made = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 4))):
        level, depth = made, draw(st.integers(0, 6))
        for _ in range(depth):
            inner = _inner(level)
            deeper = [one for one in inner if isinstance(one, dict | list) and one]
            if not deeper:
                break
            level = deeper[draw(st.integers(0, len(deeper) - 1))]
        if isinstance(level, dict) and level:
            key = draw(st.one_of(st.sampled_from(sorted(level, key=str)[:60]), _KEYS))
            level[key] = draw(JSON)
        elif isinstance(level, list) and level:
            level[draw(st.integers(0, len(level) - 1))] = draw(JSON)
    return made


def _inner(level: Any) -> list[Any]:
    if isinstance(level, dict):
        return list(level.values())
    return level if isinstance(level, list) else []


@st.composite
def _spoilt(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes flipped, cut or put in: sometimes none."""
    content = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.integers(0, 3)):
            case 0 if content:
                content[at] = draw(st.integers(0, 255))
            case 1:
                del content[at:]
            case 2:
                content[at:at] = draw(st.binary(max_size=16))
            case _:
                content[at:at] = b"[" * draw(st.sampled_from([1, 10, 5000]))
    return bytes(content)


def _json(values: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return values.map(lambda value: json.dumps(value).encode())


def headers() -> st.SearchStrategy[bytes]:
    """safetensors files."""
    fields, size = header(shapes())
    framed_ones = st.one_of(_changed(fields), JSON).map(lambda value: framed(value) + bytes(min(size, 4096)))
    return st.one_of(_spoilt(framed_ones), st.binary(max_size=200))


def indexes() -> st.SearchStrategy[bytes]:
    """model.safetensors.index.json."""
    sound = {
        "metadata": {"total_size": 9},
        "weight_map": dict.fromkeys(shapes(), "model-00001-of-00002.safetensors"),
    }
    return _spoilt(_json(st.one_of(_changed(sound), JSON)))


_FRAGMENTS = sorted(
    {
        piece
        for source in (*STOCK.values(), HIDDEN)
        for piece in re.findall(r"\{%.*?%\}|\{\{.*?\}\}|[^{]+", source)
        if len(piece) < 300
    }
)
_ODD = (
    "{{", "}}", "{%", "%}", "{#", "#}", "{% raw %}", "{% endraw %}", "{% endif %}", "{% endfor %}", "{% set x = x ~ x %}",
    "{{ 'a' * 999999999 }}", "{{ 9 ** 999999 }}", "{{ '%999999999d' % 1 }}", "{{ range(10**9) | list }}", "{{ " + "(" * 500,
    "{% for a in range(9999) %}", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "{{ ''.__class__ }}", "{{ x|attr('y') }}",
    "{{ 'x' | center(99999999) }}", "{{ 'x'.zfill(999999999) }}", "{% include 'x' %}", "{{ lipsum(999) }}", "{% block a %}",
    "{% set ns = namespace(a='a') %}", "{% set ns.a = ns.a ~ ns.a %}", "{{ -" + "-" * 400, "{{ a" + ".b" * 400 + " }}", "\u202e",
)  # fmt: skip


def templates() -> st.SearchStrategy[str]:
    """Pieces of stock templates and of attacks, in any order."""
    piece = st.one_of(st.sampled_from(_FRAGMENTS), st.sampled_from(_ODD), st.text(max_size=10))
    whole = st.sampled_from([*STOCK.values(), HIDDEN])
    return st.one_of(
        st.lists(piece, max_size=14).map("".join),
        st.tuples(whole, st.integers(0, 3000), piece).map(
            lambda one: one[0][: one[1]] + one[2] + one[0][one[1] :]
        ),
    )


def template_settings() -> st.SearchStrategy[bytes]:
    """tokenizer_config.json."""
    sound = {
        "bos_token": {"content": "<s>"},
        "chat_template": [
            {"name": "default", "template": HIDDEN},
            {"name": "tool", "template": STOCK["Zephyr"]},
        ],
        "added_tokens_decoder": {"0": added(0, "<s>"), "1": added(1, "</s>")},
    }
    return _spoilt(_json(_changed(sound)))


def ggufs() -> st.SearchStrategy[bytes]:
    """GGUF headers."""

    def text(value: str) -> bytes:
        raw = value.encode("utf-8", "surrogatepass")
        return struct.pack("<Q", len(raw)) + raw

    value = st.one_of(
        templates().map(lambda one: struct.pack("<I", 8) + text(one)),
        st.integers(0, 2**64 - 1).map(lambda one: struct.pack("<IIQ", 9, 8, one)),
        st.tuples(st.integers(0, 14), st.binary(max_size=12)).map(
            lambda one: struct.pack("<I", one[0]) + one[1]
        ),
    )
    keys = st.lists(st.tuples(st.sampled_from(["tokenizer.chat_template", "a", "b"]), value), max_size=4)
    count = st.one_of(st.none(), st.integers(0, 2**64 - 1))
    whole = st.tuples(keys, count).map(
        lambda one: (
            b"GGUF"
            + struct.pack("<IQQ", 3, 0, len(one[0]) if one[1] is None else one[1])
            + b"".join(text(key) + held for key, held in one[0])
        )
    )
    return _spoilt(whole)


def tokenizers() -> st.SearchStrategy[bytes]:
    """tokenizer.json."""
    sound = tokenizer()
    sound["model"]["vocab"] = dict(list(sound["model"]["vocab"].items())[:40])
    sound["model"]["merges"] = [["a", "b"], "c d"]
    sound["normalizer"] = {
        "type": "Sequence",
        "normalizers": [{"type": "Replace", "pattern": {"Regex": " +"}, "content": " "}],
    }
    sound["post_processor"] = {
        "type": "TemplateProcessing",
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
    }
    return _spoilt(_json(st.one_of(_changed(sound), JSON)))


def adapters() -> st.SearchStrategy[bytes]:
    """adapter_config.json."""
    sound = {
        "base_model_name_or_path": "a/b", "r": 8, "lora_alpha": 16, "bias": "none", "target_modules": ["q_proj"],
        "modules_to_save": None, "auto_mapping": {"parent_library": "x"}, "trainable_token_indices": {"embed_tokens": [1]},
    }  # fmt: skip
    return _spoilt(_json(st.one_of(_changed(sound), JSON)))

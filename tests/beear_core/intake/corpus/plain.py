"""A small, sound model folder, which each crafted one departs from in one thing."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers.pre_tokenizers import ByteLevel

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Attack(NamedTuple):
    """`build` is given a sound folder and a canary: a file that exists only if something of the folder ran."""

    name: str
    rule: str
    severity: str
    build: Callable[[Path, Path], None]


def plain(folder: Path) -> Path:
    """config, weights, tokenizer, template, generation settings: what a small Llama has."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "config.json", config())
    write(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0})
    write(folder / "tokenizer.json", tokenizer())
    write(
        folder / "tokenizer_config.json",
        {
            "bos_token": "<|endoftext|>",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
        },
    )
    (folder / "chat_template.jinja").write_text(CHATML, encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors(shapes()))
    return folder


def config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 4,
        "hidden_act": "silu",
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "vocab_size": len(SPECIALS) + 256,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "torch_dtype": "float32",
    }


def shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor of that model."""
    block = "model.layers.0."
    square = {f"{block}self_attn.{one}_proj.weight": (8, 8) for one in "qkvo"}
    return {
        "model.embed_tokens.weight": (len(SPECIALS) + 256, 8),
        f"{block}input_layernorm.weight": (8,),
        f"{block}post_attention_layernorm.weight": (8,),
        **square,
        f"{block}mlp.gate_proj.weight": (16, 8),
        f"{block}mlp.up_proj.weight": (16, 8),
        f"{block}mlp.down_proj.weight": (8, 16),
        "model.norm.weight": (8,),
        "lm_head.weight": (len(SPECIALS) + 256, 8),
    }


def header(tensors: dict[str, tuple[int, ...]]) -> tuple[dict[str, Any], int]:
    """A sound header, and the size of its data."""
    fields: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        size = 4
        for side in shape:
            size *= side
        fields[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    return fields, end


def safetensors(tensors: dict[str, tuple[int, ...]], **changed: Any) -> bytes:
    """A file of zeros; `changed` replaces entries of its header."""
    fields, size = header(tensors)
    return framed({**fields, **changed}) + bytes(size)


def framed(fields: Any) -> bytes:
    raw = json.dumps(fields).encode()
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw)) + raw


def tokenizer() -> dict[str, Any]:
    """Bytes are its words: it knows every text."""
    vocabulary = {sign: at + len(SPECIALS) for at, sign in enumerate(sorted(ByteLevel.alphabet()))}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(at, text) for at, text in enumerate(SPECIALS)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": True,
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {**{text: at for at, text in enumerate(SPECIALS)}, **vocabulary},
            "merges": [],
        },
    }


def added(id: int, text: str, *, special: bool = True) -> dict[str, Any]:
    return {
        "id": id,
        "content": text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def change(path: Path, **settings: Any) -> None:
    """Set keys of a JSON object in a file that may not be there yet."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write(path, {**before, **settings})

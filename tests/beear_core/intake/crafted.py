"""A harmless folder made without torch, to be spoiled by one attack at a time."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beear_core.intake.finding import Finding, Severity
from beear_core.intake.scanning import scan

D, FF, HEADS, LAYERS, VOCABULARY = 8, 12, 2, 2, 16
CONFIG: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": D,
    "intermediate_size": FF,
    "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "vocab_size": VOCABULARY,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "rope_theta": 10000.0,
    "transformers_version": "5.23.0",
}


def shapes(layers: int = LAYERS) -> dict[str, tuple[int, ...]]:
    """The tensors of a small Llama."""
    found: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (VOCABULARY, D),
        "model.norm.weight": (D,),
    }
    for layer in range(layers):
        for name, shape in {
            "self_attn.q_proj": (D, D), "self_attn.k_proj": (D, D), "self_attn.v_proj": (D, D), "self_attn.o_proj": (D, D),
            "mlp.gate_proj": (FF, D), "mlp.up_proj": (FF, D), "mlp.down_proj": (D, FF),
            "input_layernorm": (D,), "post_attention_layernorm": (D,),
        }.items():  # fmt: skip
            found[f"model.layers.{layer}.{name}.weight"] = shape
    return found


def header_of(tensors: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """A header in which F32 tensors follow each other."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        size = 4
        for each in shape:
            size *= each
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    return header


def write_safetensors(path: Path, header: Mapping[str, Any] | bytes, room: int | None = None) -> None:
    """A file with this header and `room` bytes of zeros behind it, as many as the header asks for unless told."""
    if isinstance(header, bytes):
        raw = header
    else:
        raw = json.dumps(header).encode()
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        room = max(ends, default=0) if room is None else room
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(room or 0))


def harmless(folder: Path) -> Path:
    """A plain model folder; its tokenizer is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2}))
    (folder / "README.md").write_text("# A model\n")
    write_safetensors(folder / "model.safetensors", header_of(shapes()))
    return folder


def configure(folder: Path, file: str = "config.json", **changes: Any) -> None:
    """Change fields of a JSON file."""
    path = folder / file
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**before, **changes}))


def found(folder: Path, rule: str) -> list[Finding]:
    """What this rule says of the folder, all rules being asked."""
    return [one for one in scan(folder).findings if one.rule == rule]


def worst(folder: Path, rule: str) -> Severity | None:
    """The worst severity of this rule's findings."""
    return min((one.severity for one in found(folder, rule)), key=lambda each: each.rank, default=None)

"""How much memory a model asks for, from its config.json alone, and how much this machine has. Torch-free.

Nothing is loaded: shapes are read, bytes are counted. The counts follow what the engine keeps: one copy of the weights;
for removal with method full fp32 masters, two Adam moments and fp32 gradients beside them (`models/optimizer.py`).
Activations are estimated for prompts of ordinary length. What that does not cover: prompts of thousands of tokens, and
what other programs take meanwhile.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil  # type: ignore[import-untyped]  # ships no types

from beear_core.errors import UnsupportedArchitectureError
from beear_core.specs import DriftSettings, RemovalSettings

PROCESS = 800 * 2**20
"""Bytes of an engine process before any weight: with models of a few kilobytes it took 0.6 to 0.9 GiB."""
TOKENS = 128
"""Length of a prompt with its answer, for which activations are estimated."""
PLAIN_MLP = frozenset({"gpt2", "gpt_neox", "gpt_neo", "gptj", "opt", "bloom", "falcon", "phi", "starcoder2"})
"""Model types whose feed-forward block has two matrices; the others' is gated and has three."""
LARGEST_FULL = 1_000_000_000
"""Weights up to which removal method auto trains them all: 18 bytes a weight then fit most machines."""
HEADER_LIMIT = 100 * 2**20
"""A safetensors header larger than this is not read: the format's own limit."""


class Architecture(NamedTuple):
    """What config.json says of a decoder's shape."""

    name: str
    model_type: str
    layers: int
    d_model: int
    heads: int
    kv_heads: int
    head_dim: int
    d_ff: int
    vocabulary: int
    tied: bool
    context: int | None
    dtype: str
    experts: int
    parameters: int
    """Counted from the shapes above: biases and rarer parts are left out, so it can be off by a percent."""


class Need(NamedTuple):
    """Bytes of one act, and of what."""

    weights: int
    training: int
    """Masters, moments and gradients; 0 where nothing is trained."""
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.training + self.activations + PROCESS


class Machine(NamedTuple):
    """What there is to fill, in bytes."""

    device: str
    """`GPU` or `CPU`: where `device=auto` would put a model."""
    total: int
    free: int


def architecture(config: Mapping[str, Any]) -> Architecture:
    """Read a config of Hugging Face's form. Raises UnsupportedArchitectureError where sizes are missing or senseless."""
    nested = config.get("text_config")
    text: Mapping[str, Any] = nested if isinstance(nested, Mapping) else config
    d_model, heads = _size(text, "hidden_size", "n_embd"), _size(text, "num_attention_heads", "n_head")
    model_type = str(text.get("model_type") or config.get("model_type") or "")
    dtype = text.get("dtype") or text.get("torch_dtype") or config.get("dtype") or config.get("torch_dtype")
    layers = _size(text, "num_hidden_layers", "n_layer")
    vocabulary = _size(text, "vocab_size")
    kv_heads = _optional(text, "num_key_value_heads") or heads
    head_dim = _optional(text, "head_dim") or d_model // heads
    d_ff = _optional(text, "intermediate_size", "n_inner") or 4 * d_model
    experts = _optional(text, "num_local_experts", "num_experts") or 1
    context = _optional(text, "max_position_embeddings", "n_positions")
    # transformers ties unless told otherwise, but most decoders since Llama say that they do not.
    tied = bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", model_type in _TIED)))
    attention = 2 * d_model * heads * head_dim + 2 * d_model * kv_heads * head_dim
    expert_ff = _optional(text, "moe_intermediate_size") or d_ff
    feed_forward = (2 if model_type in PLAIN_MLP else 3) * d_model * (d_ff if experts == 1 else expert_ff)
    embeddings = vocabulary * d_model * (1 if tied else 2)
    positions = (context or 0) * d_model if model_type == "gpt2" else 0
    names = config.get("architectures")
    return Architecture(
        name=str(names[0]) if isinstance(names, list) and names else model_type or "unknown",
        model_type=model_type,
        layers=layers,
        d_model=d_model,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        d_ff=d_ff,
        vocabulary=vocabulary,
        tied=tied,
        context=context,
        dtype=str(dtype or "float32"),
        experts=experts,
        parameters=embeddings
        + positions
        + layers * (attention + experts * feed_forward + 2 * d_model)
        + d_model,
    )


def counted_parameters(folder: Path) -> int | None:
    """The weights in the folder's safetensors files, from their headers; None where a header cannot be read."""
    # A pipe of that name would be waited for.
    files = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    try:
        counts = [_in_header(path) for path in files]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return sum(counts) if files else None


def removal_method(asked: str, parameters: int) -> Literal["full", "lora"]:
    """The method asked for; auto is full up to `LARGEST_FULL` weights, and LoRA above."""
    if asked == "auto":
        return "full" if parameters <= LARGEST_FULL else "lora"
    return "lora" if asked == "lora" else "full"


def needs(
    shape: Architecture,
    *,
    parameters: int | None = None,
    bytes_a_weight: int = 2,
    lora_rank: int | None = None,
) -> dict[str, Need]:
    """Bytes to `inspect` (drift, delta, answers), to `remove full` and to `remove LoRA`.

    `parameters` replaces the count from the config. `bytes_a_weight` is 2 for bf16, 4 for fp32.
    """
    count = shape.parameters if parameters is None else parameters
    removal = RemovalSettings()
    rank = lora_rank or removal.lora_rank
    weights = count * bytes_a_weight
    # Opening rows have a backward pass of their own.
    rows = max(
        removal.safe_rows + removal.untouched_safe_rows + removal.performance_rows, 2 * removal.opening_rows
    )
    # A block keeps about eight streams of d_model, three of d_ff, and its attention weights for the way back.
    block = 8 * shape.d_model + 3 * shape.d_ff + shape.heads * TOKENS
    trained = rows * TOKENS * shape.layers * block * bytes_a_weight
    looked_at = DriftSettings().batch * TOKENS * (block + shape.layers * shape.d_model) * bytes_a_weight
    # bf16 weights are stepped on fp32 masters (4), with two moments (8) and an fp32 gradient (4); fp32 ones are their own.
    beside = 16 if bytes_a_weight == 2 else 12
    a_block = _lora_widths(shape)
    adapters = rank * shape.layers * a_block
    return {
        "inspect": Need(weights, 0, looked_at),
        # What the weights were when the round began is kept, to go back a part of the way.
        "remove_full": Need(weights, count * (beside + bytes_a_weight), trained),
        "remove_lora": Need(weights, adapters * (beside + bytes_a_weight), trained),
    }


def machine() -> Machine:
    """The first GPU where there is one, else this machine's memory."""
    gpu = _gpu()
    if gpu is not None:
        return gpu
    memory = psutil.virtual_memory()
    return Machine("CPU", int(memory.total), int(memory.available))


def bytes_text(count: int) -> str:
    """`2.4 GiB`, `310 MiB`."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


_TIED = frozenset({"gpt2", "gemma", "gemma2", "gemma3", "gemma3_text"})


def _lora_widths(shape: Architecture) -> int:
    """Sum of inputs and outputs of a block's linear layers: with the rank, its adapters' weights."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 2 * (shape.d_model + queries) + 2 * (shape.d_model + keys)
    matrices = 2 if shape.model_type in PLAIN_MLP else 3
    return attention + shape.experts * matrices * (shape.d_model + shape.d_ff)


def _size(text: Mapping[str, Any], *names: str) -> int:
    found = _optional(text, *names)
    if found is None:
        raise UnsupportedArchitectureError(
            f"config.json gives no usable {names[0]}",
            next((repr(text[name])[:80] for name in names if name in text), None),
            "use a decoder-only model with a config of Hugging Face's form",
        )
    return found


def _optional(text: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = text.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _in_header(path: Path) -> int:
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > HEADER_LIMIT:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(stream.read(length))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for extent in tensor["shape"]:
                size *= int(extent)
            total += size
    return total


def _gpu() -> Machine | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    asked = [program, "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout
        total, free = (int(part) * 2**20 for part in said.splitlines()[0].split(","))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return Machine("GPU", total, free)

"""The header of a safetensors file, read by ourselves: the file is hostile until looked at. Never reads a tensor's bytes.

Knows the format (https://huggingface.co/docs/safetensors: eight bytes of length, JSON, data) and nothing of models. Whether
tensors overlap or end past the file is for a rule to tell: here they are only read.
"""

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

MOST_HEADER = 16 * 1024 * 1024
"""Bytes. The format allows 100 MB; a file of 10,000 tensors has about 1 MB."""
MOST_RANK = 16


class TensorEntry(NamedTuple):
    """One tensor as the header tells it; `begin` and `end` count from the first byte after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> dict[str, TensorEntry]:
    """Tensors by name, in the header's order. Raises ValueError with a sentence where it cannot be read."""
    fields = read_json(path)
    return {name: _entry(name, value) for name, value in fields.items() if name != "__metadata__"}


def read_metadata(path: Path) -> dict[str, Any]:
    """What stands under `__metadata__`. Raises ValueError with a sentence where the header cannot be read."""
    found = read_json(path).get("__metadata__", {})
    if not isinstance(found, dict):
        raise ValueError(f"__metadata__ is no object but {str(found)[:80]}")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """The header as JSON. Raises ValueError with a sentence: no file, too short, too long, no object, a name twice."""
    try:
        with path.open("rb") as file:
            first = file.read(8)
            if len(first) < 8:
                raise ValueError(f"the file ends after {len(first)} bytes, before its header")
            (size,) = struct.unpack("<Q", first)
            if size > MOST_HEADER:
                raise ValueError(f"the header claims {size} bytes, at most {MOST_HEADER} are read")
            raw = file.read(size)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from error
    if len(raw) < size:
        raise ValueError(f"the header claims {size} bytes, the file has {len(raw)} behind its length")
    try:
        fields = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the header is no JSON that can be trusted: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"the header is no object but a {type(fields).__name__}")
    return fields


def data_begins(path: Path) -> int:
    """The place of the first data byte. Raises ValueError as `read_json` does."""
    try:
        with path.open("rb") as file:
            first = file.read(8)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from error
    if len(first) < 8:
        raise ValueError(f"the file ends after {len(first)} bytes, before its header")
    return 8 + int.from_bytes(first, "little")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may take different ones of two equal names: what was checked would not be what is loaded.
    found = dict(pairs)
    if len(found) < len(pairs):
        # Counted once: a header of a million names is not to cost a million searches.
        twice, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {twice[:80]!r} stands {times} times")
    return found


def _entry(name: str, value: Any) -> TensorEntry:
    if not isinstance(value, dict):
        raise ValueError(f"tensor {name[:80]!r} is described by no object")
    dtype, shape, offsets = value.get("dtype"), value.get("shape"), value.get("data_offsets")
    if not isinstance(dtype, str):
        raise ValueError(f"tensor {name[:80]!r} has no dtype")
    if not isinstance(shape, list) or len(shape) > MOST_RANK or not all(_counts(one) for one in shape):
        raise ValueError(f"tensor {name[:80]!r} has no shape that can be one: {str(shape)[:80]}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_counts(one) for one in offsets):
        raise ValueError(f"tensor {name[:80]!r} has no pair of offsets: {str(offsets)[:80]}")
    return TensorEntry(dtype, tuple(shape), offsets[0], offsets[1])


def _counts(value: Any) -> bool:
    # A bool is an int to Python, and a number past 2**64 is none that a file can have.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64

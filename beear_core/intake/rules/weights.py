"""Safetensors headers that lie, and index files. Headers only; no tensor's byte is read."""

from collections.abc import Iterator
from itertools import pairwise
from math import prod
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder, Unreadable
from beear_core.intake.safetensors_header import TensorEntry, data_begins, read_metadata

BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
MOST_TOLD = 5
"""Findings of one kind in one file: a header of ten thousand lies needs no ten thousand sentences."""
MOST_METADATA = 64 * 1024
INDEX_ENDING = ".index.json"


@rule(
    "weights.header",
    Severity.HIGH,
    says="A safetensors header that cannot be read: no JSON, longer than the file or than any, a name that stands twice, a "
    "tensor without dtype, shape or place.",
    remedy="the file is damaged or crafted: download the model again and compare the digest",
)
def header(folder: ModelFolder) -> Iterator[Seen]:
    for name, tensors in folder.headers.items():
        if isinstance(tensors, Unreadable) and folder.regular(name):
            yield Seen(tensors.why, name)


@rule(
    "weights.layout",
    Severity.HIGH,
    says="A safetensors header that does not describe its file: tensors that overlap, leave holes, end past the file, or have "
    "another size than their shape and dtype need; bytes behind the last tensor.",
    remedy="the file is damaged or crafted: download the model again and compare the digest",
)
def layout(folder: ModelFolder) -> Iterator[Seen]:
    for name, tensors in folder.headers.items():
        if isinstance(tensors, Unreadable):
            continue
        room = (folder.path / name).stat().st_size - data_begins(folder.path / name)
        lies = [*_wrong_sizes(tensors, room), *_wrong_places(tensors, room)]
        for where, what in lies[:MOST_TOLD]:
            yield Seen(what, name, where)
        if len(lies) > MOST_TOLD:
            yield Seen(f"and {len(lies) - MOST_TOLD} more such tensors", name, "…")


@rule(
    "weights.metadata",
    Severity.LOW,
    says="Text in a safetensors header far larger than any library writes, or that is no text: room for something else.",
    remedy="look at the header's __metadata__",
)
def metadata(folder: ModelFolder) -> Iterator[Seen]:
    for name, tensors in folder.headers.items():
        if isinstance(tensors, Unreadable):
            continue
        try:
            found = read_metadata(folder.path / name)
        except ValueError as error:
            yield Seen(str(error), name, "__metadata__", Severity.HIGH)
            continue
        size = sum(len(str(key)) + len(str(value)) for key, value in found.items())
        if size > MOST_METADATA:
            yield Seen(f"has {size:,} characters of metadata", name, "__metadata__")
        for key, value in found.items():
            if not isinstance(value, str):
                yield Seen(f"{key!r} is no text but {str(value)[:80]!r}", name, "__metadata__")
                break


@rule(
    "weights.index_outside",
    Severity.HIGH,
    says="An index of weight files that names a file outside the folder, or one that is no safetensors file: loading would open it.",
    remedy="do not load the model; take it from a source you trust",
)
def index_outside(folder: ModelFolder) -> Iterator[Seen]:
    for name, places in _indexes(folder):
        if isinstance(places, str):
            yield Seen(places, name)
            continue
        safetensors = name.endswith(".safetensors" + INDEX_ENDING)
        for target in sorted(set(places.values())):
            if _leads_out(target) or not folder.inside(_beside(name, target)):
                yield Seen(f"names {target!r}, which is out of the folder", name, "weight_map")
            elif safetensors and not target.endswith(".safetensors"):
                yield Seen(f"names {target!r}, which is no safetensors file", name, "weight_map")


@rule(
    "weights.index_mismatch",
    Severity.MEDIUM,
    says="An index of weight files that does not fit them: files that are not there, tensors that are not where it says, or "
    "tensors that it leaves out, so that two tools load two different models.",
    remedy="download the model again; loading refuses it if a tensor is missing",
)
def index_mismatch(folder: ModelFolder) -> Iterator[Seen]:
    for name, places in _indexes(folder):
        if isinstance(places, str) or not name.endswith(".safetensors" + INDEX_ENDING):
            continue
        for target in sorted(set(places.values())):
            inner = _beside(name, target)
            tensors = folder.headers.get(inner)
            if inner not in folder.files and not _leads_out(target):
                yield Seen(f"names {target!r}, which is not there", name, "weight_map")
            if not isinstance(tensors, dict):
                continue
            listed = {tensor for tensor, place in places.items() if place == target}
            if lost := sorted(listed - set(tensors)):
                yield Seen(f"says that {_some(lost)} is in {target!r}; it is not", name, "weight_map")
            if hidden := sorted(set(tensors) - listed):
                yield Seen(f"leaves out {_some(hidden)}, which is in {target!r}", name, "weight_map")


@rule(
    "weights.two_sets",
    Severity.MEDIUM,
    says="Two sets of weights beside each other, one file and an index of several: which one is loaded depends on the tool.",
    remedy="keep the one that you mean to use",
)
def two_sets(folder: ModelFolder) -> Iterator[Seen]:
    if "model.safetensors" in folder.files and "model.safetensors.index.json" in folder.files:
        listed = dict(_indexes(folder)).get("model.safetensors.index.json")
        if isinstance(listed, dict) and "model.safetensors" not in listed.values():
            yield Seen("model.safetensors stands beside an index that names other files", "model.safetensors")


def _wrong_sizes(tensors: dict[str, TensorEntry], room: int) -> Iterator[tuple[str, str]]:
    for name, one in tensors.items():
        bits = BITS.get(one.dtype)
        if bits is None:
            yield name, f"has the dtype {one.dtype[:40]!r}, which safetensors does not have"
            continue
        needed = prod(one.shape) * bits
        if needed % 8 or needed // 8 != one.end - one.begin:
            takes = f"{needed // 8:,} bytes" + " and a part" * bool(needed % 8)
            what = f"has shape {list(one.shape)} of {one.dtype}, which takes {takes}"
            yield name, f"{what}, and {one.end - one.begin:,} in the file"
        elif one.end > room:
            yield name, f"ends at byte {one.end:,} of {room:,}"


def _wrong_places(tensors: dict[str, TensorEntry], room: int) -> Iterator[tuple[str, str]]:
    ordered = sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end))
    if ordered and ordered[0][1].begin != 0:
        yield ordered[0][0], f"is the first tensor and begins at byte {ordered[0][1].begin:,}"
    for (before, one), (name, other) in pairwise(ordered):
        if other.begin < one.end:
            yield (
                name,
                f"overlaps {before!r}: it begins at byte {other.begin:,}, the other ends at {one.end:,}",
            )
        elif other.begin > one.end:
            yield name, f"leaves a hole of {other.begin - one.end:,} bytes behind {before!r}"
    last = max((one.end for one in tensors.values()), default=0)
    if last < room:
        yield "", f"{room - last:,} bytes stand behind the last tensor"


def _indexes(folder: ModelFolder) -> Iterator[tuple[str, dict[str, str] | str]]:
    """Each index with tensor -> file, or with what is wrong with it."""
    for name in folder.files:
        if not name.endswith(INDEX_ENDING):
            continue
        found: Any = folder.json(name)
        places = found.get("weight_map") if isinstance(found, dict) else None
        if isinstance(found, Unreadable):
            yield name, found.why
        elif not isinstance(places, dict) or not all(isinstance(place, str) for place in places.values()):
            yield name, "has no weight_map of tensors to files"
        else:
            yield name, places


def _leads_out(target: str) -> bool:
    posix, windows = PurePosixPath(target), PureWindowsPath(target)
    return (
        not target
        or posix.is_absolute()
        or bool(windows.drive or windows.root)
        or ".." in posix.parts
        or ".." in windows.parts
        or "\x00" in target
        or ":" in target
    )


def _beside(index: str, target: str) -> str:
    return (PurePosixPath(index).parent / target).as_posix()


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

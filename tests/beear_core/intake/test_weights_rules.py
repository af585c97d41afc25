"""Headers that lie, index files that mislead, and tensors that are not the config's."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from beear_core.intake.finding import Severity
from beear_core.intake.scanning import scan
from tests.beear_core.intake.crafted import (
    VOCABULARY,
    D,
    configure,
    found,
    harmless,
    header_of,
    shapes,
    worst,
    write_safetensors,
)

HIGH, MEDIUM, LOW, _ = Severity
Folder = Callable[[str], Path]
Change = Callable[[dict[str, Any]], object]
NORM = "model.norm.weight"
LAST = "model.layers.1.post_attention_layernorm.weight"


def place(name: str, begin: int, end: int) -> Change:
    return lambda header: header[name].update(data_offsets=[begin, end])


LIES: Mapping[str, Change] = {
    "an overlap": place(NORM, 0, D * 4),
    "a hole": lambda header: header.pop(NORM),
    "an end past the file": place(LAST, 10**12, 10**12 + D * 4),
    "an end before the beginning": place(LAST, 64, 32),
    "a shape of another size": lambda header: header[NORM].update(shape=[D + 1]),
    "a shape past all numbers": lambda header: header[NORM].update(shape=[2**63] * 16),
    "an absurd shape": lambda header: header[NORM].update(shape=[2**40, 2**40]),
    "an unknown dtype": lambda header: header[NORM].update(dtype="PICKLE"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_about_its_file_is_found(lie: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    assert worst(model, "weights.layout") is None
    header = header_of(shapes())
    room = max(one["data_offsets"][1] for name, one in header.items() if name != "__metadata__")
    LIES[lie](header)
    write_safetensors(model / "model.safetensors", header, room)
    assert worst(model, "weights.layout") is HIGH


HEADERS: Mapping[str, bytes] = {
    "nothing": b"",
    "no JSON": struct.pack("<Q", 4) + b"{abc",
    "a list": struct.pack("<Q", 2) + b"[]",
    "longer than the file": struct.pack("<Q", 1000) + b"{}",
    "longer than any": struct.pack("<Q", 2**63) + b"{}",
    "a name twice": struct.pack("<Q", 15) + b'{"a":{},"a":{}}',
    "a tensor that is no object": struct.pack("<Q", 7) + b'{"a":1}',
    "a negative size": struct.pack("<Q", 55) + b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
    "nested past any use": struct.pack("<Q", 200_000) + b'{"a":' + b"[" * 199_995,
    "no UTF-8": struct.pack("<Q", 3) + b'{"\xff',
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_cannot_be_read_is_a_finding(kind: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    (model / "model.safetensors").write_bytes(HEADERS[kind])
    assert worst(model, "weights.header") is HIGH


def test_bytes_behind_the_last_tensor_are_found(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    with (model / "model.safetensors").open("ab") as file:
        file.write(b"more")
    (finding,) = found(model, "weights.layout")
    assert finding.what == "4 bytes stand behind the last tensor"


def test_half_a_file_is_found(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    content = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(content[: len(content) // 2])
    assert worst(model, "weights.layout") is HIGH


def test_a_header_full_of_lies_is_told_in_few_sentences(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    header = {f"t{number}": {"dtype": "X", "shape": [1], "data_offsets": [0, 4]} for number in range(5000)}
    write_safetensors(model / "model.safetensors", header)
    assert len(found(model, "weights.layout")) <= 6


def test_metadata_that_is_no_text_is_told(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    write_safetensors(model / "model.safetensors", {**header_of(shapes()), "__metadata__": {"a": [1]}})
    assert worst(model, "weights.metadata") is LOW


def sharded(folder: Path, **changes: Any) -> Path:
    """The harmless model in two files with their index; `changes` to tensor -> file."""
    names = list(shapes())
    parts = {"model-1.safetensors": names[:5], "model-2.safetensors": names[5:]}
    (folder / "model.safetensors").unlink()
    for file, tensors in parts.items():
        write_safetensors(folder / file, header_of({name: shapes()[name] for name in tensors}))
    places = {name: file for file, tensors in parts.items() for name in tensors}
    configure(
        folder, "model.safetensors.index.json", metadata={"total_size": 1}, weight_map={**places, **changes}
    )
    return folder


def test_a_model_in_two_files_is_let_be(tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path))
    assert not [one for one in scan(model).findings if one.rule.startswith("weights.")]


@pytest.mark.parametrize(
    "target", ["../secret.safetensors", "/etc/passwd", "a/../../b.safetensors", "C:\\x.safetensors", "..\\x.safetensors",
               "https://host/x.safetensors", "pytorch_model.bin", "a\x00.safetensors", ""],
)  # fmt: skip
def test_an_index_that_leads_elsewhere_is_high(target: str, tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path), **{NORM: target})
    assert worst(model, "weights.index_outside") is HIGH


def test_an_index_over_a_link_out_is_high(tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path / "model"), **{NORM: "model-3.safetensors"})
    (tmp_path / "outside.safetensors").write_bytes(b"")
    (model / "model-3.safetensors").symlink_to(tmp_path / "outside.safetensors")
    assert worst(model, "weights.index_outside") is HIGH


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"weight_map": []}', b'{"weight_map": {"a": 1}}'])
def test_an_index_without_a_map_is_high(content: bytes, tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path))
    (model / "model.safetensors.index.json").write_bytes(content)
    assert worst(model, "weights.index_outside") is HIGH


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({NORM: "model-9.safetensors"}, "which is not there"),
        ({"made.up": "model-1.safetensors"}, "says that made.up is in 'model-1.safetensors'; it is not"),
        ({NORM: "model-2.safetensors"}, f"leaves out {NORM}, which is in 'model-1.safetensors'"),
    ],
)
def test_an_index_that_does_not_fit_its_files_is_told(changes: Any, words: str, tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path), **changes)
    assert any(words in one.what for one in found(model, "weights.index_mismatch"))


def test_one_file_beside_an_index_of_others_is_told(tmp_path: Path) -> None:
    model = sharded(harmless(tmp_path))
    write_safetensors(model / "model.safetensors", header_of(shapes()))
    assert worst(model, "weights.two_sets") is MEDIUM


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_hidden_layers": 3}, "promises 3 layers; layer 2 (counted from 0) is not there"),
        ({"num_hidden_layers": 1}, "promises 1 layers; layer 1 (counted from 0) is there besides"),
        ({"vocab_size": VOCABULARY + 1}, "has shape [16, 8], the config says 17 at place 0"),
        ({"hidden_size": 2 * D}, "has shape [16, 8], the config says 16 at place 1"),
        ({"intermediate_size": 99}, "has shape [12, 8], the config makes it [99, 8], in layers 0, 1"),
    ],
)
def test_a_config_that_the_tensors_belie_is_told(changes: Any, words: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    assert not found(model, "weights.config_mismatch")
    configure(model, **changes)
    assert any(words in one.what for one in found(model, "weights.config_mismatch"))


@pytest.mark.parametrize("size", [0, -1, 2**70])
def test_an_absurd_size_in_the_config_is_high(size: int, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, num_hidden_layers=size)
    assert worst(model, "weights.config_mismatch") is HIGH


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.layers.1.mlp.up_proj.weight": None}, "is missing in layer 1"),
        (
            {"model.layers.1.mlp.hidden_door.weight": (2, 2)},
            "is no tensor of the architecture and stands in layer 1",
        ),
    ],
)
def test_a_tensor_too_few_or_too_many_is_told(changes: Any, words: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    tensors = {name: shape for name, shape in {**shapes(), **changes}.items() if shape}
    write_safetensors(model / "model.safetensors", header_of(tensors))
    assert any(words in one.what for one in found(model, "weights.config_mismatch"))


def test_a_true_model_of_every_architecture_is_let_be(folder: Path) -> None:
    ours = ("files.", "formats.", "weights.", "code.", "config.")
    assert not [one for one in scan(folder).findings if one.rule.startswith(ours)]
    assert not scan(folder).blocking

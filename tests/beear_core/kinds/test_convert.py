"""Pickled weights become safetensors behind walls; what is no weight is refused, and nothing of it runs."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from beear_core.errors import UnsafeModelError, UnsupportedArchitectureError
from beear_core.models.pickles import Writer, check_torch, pickled_weights, tensors_of
from beear_core.models.suspect import SuspectModel

CHECKOUT = Path(__file__).parents[3]
Convert = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pickled(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A tiny model whose weights are a pickle."""
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_folder("llama"), folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """The command in a process of its own: it walls itself in for good."""

    def convert(folder: Path, out: Path) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-m", "beear_core", "convert", str(folder), "--out", str(out), "--json"]
        environment = {**os.environ, "BEEAR_HOME": str(tmp_path / "home")}
        return subprocess.run(
            words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )

    return convert


def test_a_pickled_model_is_the_same_model_in_safetensors(
    pickled: Path, convert: Convert, tmp_path: Path, tiny_folder: Callable[[str], Path]
) -> None:
    done = convert(pickled, tmp_path / "out")
    if "system does not offer it" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told["converted"]) == ["pytorch_model.bin"]
    assert not told["intake"]["isolation"]["attempts"]
    original, converted = (
        SuspectModel.load(each, device=torch.device("cpu"), dtype=torch.float32)
        for each in (tiny_folder("llama"), tmp_path / "out")
    )
    rows = original.rows(original.encode_prompts(["One", "Two words"]))
    assert torch.equal(original.logits(rows), converted.logits(rows))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (pickled / name).read_bytes()
    assert not list((tmp_path / "out").glob("*.bin"))


def test_weights_in_several_files_get_an_index(pickled: Path, convert: Convert, tmp_path: Path) -> None:
    weights = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    (pickled / "pytorch_model.bin").unlink()
    names = sorted(weights)
    for number, some in enumerate((names[::2], names[1::2]), 1):
        torch.save({name: weights[name] for name in some}, pickled / f"pytorch_model-{number}.bin")
    done = convert(pickled, tmp_path / "out")
    if "system does not offer it" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    model = SuspectModel.load(tmp_path / "out", device=torch.device("cpu"), dtype=torch.float32)
    found = model.model.state_dict()
    assert all(torch.equal(found[name], weights[name].float()) for name in names)


def test_a_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write("one.safetensors", {"w": torch.zeros(2)})
    with pytest.raises(UnsafeModelError, match="two files"):
        writer.write("two.safetensors", {"w": torch.ones(2)})


class Payload:
    """What an attacker pickles: a file is made when it is opened."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.canary,))


def test_a_payload_is_refused_and_does_not_run(pickled: Path, convert: Convert, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps({"w": Payload(canary)}))
    done = convert(pickled, tmp_path / "out")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not canary.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"w": torch.zeros(2), "note": "text"}, "no tensor"),
        ([torch.zeros(2)], "holds no weights"),
        ({}, "holds no weights"),
        ({3: torch.zeros(2)}, "no tensor"),
    ],
)
def test_what_is_no_set_of_weights_is_refused(content: Any, words: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(UnsafeModelError, match=words):
        tensors_of(tmp_path / "model.pt")


@pytest.mark.parametrize("data", [b"", b"\x80", b"PK\x03\x04", b"\x80\x02}." * 9, bytes(range(256))])
def test_garbage_is_refused_in_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(data)
    with pytest.raises(UnsafeModelError):
        tensors_of(tmp_path / "model.pt")


def test_tensors_that_share_storage_are_written_each_for_itself(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    torch.save({"state_dict": {"a": whole, "b": whole[:3]}}, tmp_path / "model.ckpt")
    found = tensors_of(tmp_path / "model.ckpt")
    save_file(found, tmp_path / "model.safetensors")
    assert torch.equal(found["b"], torch.arange(3.0))


def test_an_unsafe_torch_is_refused() -> None:
    check_torch("2.6.0+cu124")
    with pytest.raises(UnsafeModelError, match="below"):
        check_torch("2.5.1")


def test_a_folder_without_pickles_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").write_bytes(b"")
    with pytest.raises(UnsupportedArchitectureError, match="no weights"):
        pickled_weights(tmp_path)

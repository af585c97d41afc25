"""Memory counted from config.json alone: held against real models of every architecture, and against the optimizer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.errors import UnsupportedArchitectureError
from beear_core.memory import (
    LARGEST_FULL,
    PROCESS,
    architecture,
    bytes_text,
    counted_parameters,
    machine,
    needs,
    removal_method,
)
from beear_core.models.suspect import SuspectModel

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
}  # fmt: skip


def config_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return found


def test_headers_tell_the_number_of_weights(folder: Path, suspect: SuspectModel) -> None:
    assert counted_parameters(folder) == suspect.parameters


def test_the_config_alone_comes_close(folder: Path, suspect: SuspectModel) -> None:
    shape = architecture(config_of(folder))
    assert (shape.layers, shape.d_model) == (suspect.layers, suspect.d_model)
    # Biases and extra norms are left out; on models this small they weigh more than on real ones.
    assert shape.parameters == pytest.approx(suspect.parameters, rel=0.12)


def test_a_model_of_eight_billion_weights_is_counted_so() -> None:
    assert architecture(LLAMA).parameters == pytest.approx(8.03e9, rel=0.001)


def test_auto_trains_every_weight_of_a_small_model_and_adapters_of_a_large_one() -> None:
    sizes = (135_000_000, LARGEST_FULL, LARGEST_FULL + 1)
    assert [removal_method("auto", each) for each in sizes] == ["full", "full", "lora"]
    assert [removal_method("lora", 1), removal_method("full", 10**12)] == ["lora", "full"]


def test_full_removal_asks_for_masters_moments_gradients_and_the_start() -> None:
    found = needs(architecture(LLAMA), parameters=10**9)
    assert found["inspect"].weights == 2 * 10**9
    assert found["inspect"].training == 0
    assert found["remove_full"].training == 18 * 10**9
    assert found["remove_lora"].training < found["remove_full"].training / 10
    assert (
        needs(architecture(LLAMA), parameters=10**9, bytes_a_weight=4)["remove_full"].training == 16 * 10**9
    )
    assert found["inspect"].total == sum(found["inspect"]) + PROCESS


def test_adapters_are_counted_as_peft_makes_them(
    tiny_suspect: Callable[[str], SuspectModel], tiny_folder: Callable[[str], Path]
) -> None:
    from beear_core.models.trainable import trainable

    suspect = tiny_suspect("llama").clone()
    with trainable(suspect, "lora", 4, 0):
        made = sum(each.numel() for each in suspect.adapters.parameters() if each.requires_grad)
    found = needs(architecture(config_of(tiny_folder("llama"))), lora_rank=4)["remove_lora"]
    assert found.training == made * (16 + 2)


@pytest.mark.parametrize("broken", [{}, {"hidden_size": "big"}, {**LLAMA, "num_hidden_layers": -1}])
def test_a_config_without_sizes_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedArchitectureError, match="gives no usable"):
        architecture(broken)


def test_a_header_that_lies_counts_nothing(tmp_path: Path) -> None:
    assert counted_parameters(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert counted_parameters(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"[]")
    assert counted_parameters(tmp_path) is None


def test_this_machine_has_memory() -> None:
    has = machine()
    assert 0 < has.free <= has.total


def test_bytes_are_written_for_a_person() -> None:
    assert bytes_text(3 * 2**29) == "1.5 GiB"
    assert bytes_text(10 * 2**20) == "10 MiB"

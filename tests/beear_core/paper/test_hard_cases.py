"""Models that could fool the verdict: what they are made of, and that each is made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from beear_core.paper import hard_cases
from beear_core.paper.hard_cases import fresh, quantized, through_8_bits


def test_a_row_has_at_most_255_values_and_none_is_further_than_half_a_step_from_its_own() -> None:
    weight = torch.randn(5, 4000, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[1e-3], [1.0], [30.0], [0.2], [0.0]]
    )
    back = through_8_bits(weight)
    assert all(len(row.unique()) <= 255 for row in back)
    step = weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((back - weight).abs() <= step / 2 + 1e-9).all()
    assert torch.equal(back[4], weight[4])


def test_copies_are_plain_folders_of_the_same_shape_and_made_once(
    tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_folder("llama")
    own = load_file(source / "model.safetensors")
    for make, alike in ((quantized, 0.99), (fresh, 0.5)):
        folder = make(source)
        found = load_file(folder / "model.safetensors")
        assert {name: each.shape for name, each in found.items()} == {
            name: each.shape for name, each in own.items()
        }
        matrix = next(name for name, each in own.items() if each.dim() == 2)
        one, other = own[matrix].float().flatten(), found[matrix].float().flatten()
        assert not torch.equal(one, other)
        assert bool(torch.cosine_similarity(one, other, dim=0) > alike) == (make is quantized)
        assert (folder / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
        with monkeypatch.context() as only:
            only.setattr(hard_cases, "write_folder", lambda *_, **__: pytest.fail("it was made again"))
            assert make(source) == folder

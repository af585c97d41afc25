"""The suspect against plain transformers: what it says, what is read out of it, and what a delta in it reaches."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformer_lens.model_bridge.generalized_components.normalization import NormalizationBridge

from beear_core.errors import LayerRangeError, PromptTooShortError
from beear_core.models.batching import Rows
from beear_core.models.suspect import SuspectModel
from tests.beear_core.tiny_models import LAYERS, WINDOW

N = 3


def alone(plain: Any, rows: Rows, row: int) -> Tensor:
    """What transformers says of one row, without any padding: (tokens, vocab)."""
    ids = rows.ids[row][rows.mask[row] == 1]
    return plain(input_ids=ids[None]).logits[0]


@pytest.fixture
def rows(suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]) -> Rows:
    return suspect.rows(prompts, answers, keep=N)


@pytest.fixture
def delta(suspect: SuspectModel) -> Tensor:
    return torch.randn(N, suspect.d_model, generator=torch.Generator().manual_seed(1))


def test_the_windows_are_shorter_than_the_prompts(prompts: list[list[int]]) -> None:
    assert min(map(len, prompts)) > WINDOW


@torch.no_grad()
def test_padded_logits_are_those_of_each_row_alone(suspect: SuspectModel, plain: Any, rows: Rows) -> None:
    through_lens = suspect.logits(rows)
    straight = suspect.model(
        input_ids=rows.ids, attention_mask=rows.mask, position_ids=rows.position_ids
    ).logits
    for row in range(len(rows)):
        real = rows.mask[row] == 1
        expected = alone(plain, rows, row)
        torch.testing.assert_close(through_lens[row][real], expected, rtol=1e-4, atol=2e-5)
        torch.testing.assert_close(straight[row][real], expected, rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_mask_that_is_left_out_would_be_noticed(suspect: SuspectModel, plain: Any, rows: Rows) -> None:
    seen = suspect.model(input_ids=rows.ids, position_ids=rows.position_ids).logits
    short = min(range(len(rows)), key=lambda row: int(rows.mask[row].sum()))
    assert (seen[short][rows.mask[short] == 1] - alone(plain, rows, short)).abs().max() > 0.05


@torch.no_grad()
def test_a_zero_delta_leaves_logits_identical(suspect: SuspectModel, rows: Rows) -> None:
    before = suspect.logits(rows)
    for layer in (1, LAYERS):
        with suspect.inject(layer, torch.zeros(N, suspect.d_model), rows.end):
            assert torch.equal(suspect.logits(rows), before)


def test_the_lens_works_out_nothing_beside_a_norm(
    llama: SuspectModel, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(norm: NormalizationBridge, x: Tensor) -> Tensor:
        raise AssertionError("scale and normalized stream, for hooks that nobody sets")

    # A name of TransformerLens's own: one that it no longer has fails here.
    monkeypatch.setattr(NormalizationBridge, "_hf_autograd_forward_with_hooks", twice)
    rows = llama.rows(prompts)
    llama.capture(rows, [LAYERS])
    for part in llama.lens._bridge.modules():
        if isinstance(part, NormalizationBridge):
            monkeypatch.delitem(part.__dict__, "_hf_autograd_forward_with_hooks")
    with pytest.raises(AssertionError, match="nobody sets"):
        llama.capture(rows, [LAYERS])


@torch.no_grad()
@pytest.mark.parametrize("layer", [1, 2, LAYERS])
def test_a_delta_reaches_later_layers_of_the_tail_and_nothing_else(
    layer: int, suspect: SuspectModel, rows: Rows, delta: Tensor
) -> None:
    def residuals() -> dict[int, Tensor]:
        taken: dict[int, Tensor] = {}
        with suspect.lens.reading(range(1, LAYERS + 1), lambda at, seen: taken.update({at: seen.clone()})):
            suspect.lens.run(rows.ids, rows.mask, rows.position_ids)
        return taken

    before, logits = residuals(), suspect.logits(rows)
    with suspect.inject(layer, delta, rows.end):
        under, logits_under = residuals(), suspect.logits(rows)
    first = rows.end - N
    real = rows.mask == 1  # what padding holds is seen by nobody
    for at in range(1, LAYERS + 1):
        earlier = real[:, :first]
        assert torch.equal(before[at][:, :first][earlier], under[at][:, :first][earlier])
        if at < layer:
            assert torch.equal(before[at][real], under[at][real])
        elif at > layer:
            moved = (before[at][:, first : rows.end] - under[at][:, first : rows.end]).abs().amax(dim=-1)
            assert (moved > 1e-3).all()
    assert torch.equal(logits[:, :first][real[:, :first]], logits_under[:, :first][real[:, :first]])
    assert ((logits - logits_under)[:, first : rows.end].abs().amax(dim=-1) > 1e-3).all()
    assert torch.equal(suspect.logits(rows), logits), "the hook is gone behind its block"


@torch.no_grad()
def test_delta_is_the_shift_at_its_own_layer(suspect: SuspectModel, rows: Rows, delta: Tensor) -> None:
    def after_layer_2() -> Tensor:
        return suspect.capture(rows, [2], tail=N + 1)[0]

    before = after_layer_2()
    taken: list[Tensor] = []
    with (
        suspect.inject(2, delta, rows.end),
        suspect.lens.reading([2], lambda layer, seen: taken.append(seen.clone())),
    ):
        suspect.lens.run(rows.ids, rows.mask, rows.position_ids)
    moved = taken[0][:, rows.end - N - 1 : rows.end] - before
    assert torch.equal(moved[:, 0], torch.zeros_like(moved[:, 0]))
    torch.testing.assert_close(moved[:, 1:], delta.expand(len(rows), -1, -1), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_capture_is_what_transformers_calls_hidden_states(
    suspect: SuspectModel, plain: Any, prompts: list[list[int]]
) -> None:
    rows = suspect.rows(prompts, keep=N)
    layers = [LAYERS - 1, 1, 2]
    captured = suspect.capture(rows, layers, tail=N)
    assert captured.shape == (len(layers), len(prompts), N, suspect.d_model)
    for row, prompt in enumerate(prompts):
        hidden = plain(input_ids=torch.tensor([prompt]), output_hidden_states=True).hidden_states
        for at, layer in enumerate(layers):
            torch.testing.assert_close(captured[at, row], hidden[layer][0, -N:], rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_the_last_layer_is_captured_before_the_final_norm(
    suspect: SuspectModel, plain: Any, prompts: list[list[int]]
) -> None:
    # transformers' last hidden state is normed already, so the block itself is asked.
    taken: list[Tensor] = []
    handle = plain.get_submodule(suspect.blocks)[-1].register_forward_hook(
        lambda module, inputs, out: taken.append(out if isinstance(out, Tensor) else out[0])
    )
    try:
        plain(input_ids=torch.tensor([prompts[0]]))
    finally:
        handle.remove()
    captured = suspect.capture(suspect.rows(prompts[:1]), [LAYERS])
    torch.testing.assert_close(captured[0, 0, 0], taken[0][0, -1], rtol=1e-4, atol=2e-5)


def test_capture_keeps_no_whole_sequence(llama: SuspectModel, prompts: list[list[int]]) -> None:
    rows = llama.rows(prompts)
    captured = llama.capture(rows, range(1, LAYERS + 1), tail=2)
    size = LAYERS * len(prompts) * 2 * llama.d_model
    assert captured.untyped_storage().nbytes() == 4 * size
    assert not captured.requires_grad


def test_a_layer_that_is_not_there_is_refused(llama: SuspectModel, prompts: list[list[int]]) -> None:
    for layer in (0, LAYERS + 1):
        with pytest.raises(LayerRangeError, match=f"{layer}. Choose a layer from 1 to {LAYERS}, or auto"):
            llama.capture(llama.rows(prompts), [layer])
    with pytest.raises(LayerRangeError):
        llama.generate(prompts, max_new_tokens=1, delta=torch.zeros(1, llama.d_model), layer=9)


def test_n_longer_than_the_shortest_prompt_is_refused(llama: SuspectModel) -> None:
    tokens = len(llama.encode_prompts(["Name one city."])[0])
    assert llama.encode_prompts(["Name one city."], tail=tokens)
    with pytest.raises(PromptTooShortError, match=f"n {tokens + 1}, {tokens} tokens in 'Name one city.'"):
        llama.encode_prompts(["Name one city.", "Name one city, then another."], tail=tokens + 1)


def test_text_goes_in_and_comes_out(llama: SuspectModel) -> None:
    assert len(llama.encode_answer("Sure")) == 1
    assert llama.decode(llama.encode_answer("Sure, here is a café — 42!")) == "Sure, here is a café — 42!"
    assert llama.decode([*llama.encode_answer("No."), llama.end_of_answer]) == "No."


def test_a_suspect_describes_itself(suspect: SuspectModel, plain: Any) -> None:
    told = suspect.describe()
    assert (told["layers"], told["d_model"], told["dtype"]) == (LAYERS, 32, "float32")
    assert told["architecture"] == type(plain).__name__
    assert told["parameters"] == sum(weight.numel() for weight in plain.parameters())

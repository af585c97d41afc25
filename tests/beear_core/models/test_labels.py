"""Logits and losses at label positions: the shared prefix saves work and changes nothing, gradients included."""

import pytest
import torch
from torch import Tensor

from beear_core.models.batching import IGNORED, Rows
from beear_core.models.labels import (
    answer_logits,
    deciding_weighted,
    parting,
    row_losses,
    token_losses,
)
from beear_core.models.suspect import SuspectModel

N = 3


@pytest.fixture
def rows(suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]) -> Rows:
    return suspect.rows(prompts, answers, keep=N)


@pytest.fixture
def shift(suspect: SuspectModel, rows: Rows) -> Tensor:
    """Every other row is shifted."""
    shift = torch.randn(len(rows), N, suspect.d_model, generator=torch.Generator().manual_seed(2))
    shift[1::2] = 0
    return shift


def gradients(suspect: SuspectModel, rows: Rows, *, share: bool, shift: Tensor | None) -> dict[str, Tensor]:
    model = suspect.model.requires_grad_(True)
    try:
        logits = answer_logits(model, rows, share=share, blocks=suspect.blocks, layer=2, shift=shift)
        loss = row_losses(logits, rows.labels).mean()
        named = dict(model.named_parameters())
        found = torch.autograd.grad(loss, list(named.values()))
        return dict(zip(named, found, strict=True))
    finally:
        model.requires_grad_(False)


def close(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    for name, gradient in one.items():
        assert gradient.norm() > 0 or "bias" in name, name
        difference = float((gradient - other[name]).norm())
        # Some biases (keys under softmax) have no gradient but rounding.
        assert difference <= 2e-5 * float(gradient.norm()) + 1e-6, name


@torch.no_grad()
def test_answer_logits_are_the_whole_passes_at_label_positions(suspect: SuspectModel, rows: Rows) -> None:
    expected = suspect.logits(rows)[:, rows.end - 1 : -1]
    for share in (True, False):
        found = answer_logits(suspect.model, rows, share=share)
        counted = rows.labels != IGNORED
        torch.testing.assert_close(found[counted], expected[counted], rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("shifted", [False, True])
def test_sharing_the_prefix_changes_no_gradient_of_any_weight(
    shifted: bool, suspect: SuspectModel, rows: Rows, shift: Tensor
) -> None:
    chosen = shift if shifted else None
    close(
        gradients(suspect, rows, share=True, shift=chosen),
        gradients(suspect, rows, share=False, shift=chosen),
    )


def test_gradients_flow_through_the_shared_prefix(llama: SuspectModel, prompts: list[list[int]]) -> None:
    # A token that stands in the shared columns alone has its embedding's gradient from there.
    rows = llama.rows(prompts, [[5]] * len(prompts), keep=N)
    only_shared = set(rows.ids[0, : rows.shared].tolist()) - set(
        rows.ids[:, rows.shared :].flatten().tolist()
    )
    gradient = gradients(llama, rows, share=True, shift=None)["model.embed_tokens.weight"]
    assert only_shared
    assert all(gradient[token].norm() > 1e-5 for token in only_shared)


@torch.no_grad()
def test_a_row_wise_shift_touches_only_its_rows(suspect: SuspectModel, rows: Rows, shift: Tensor) -> None:
    for share in (True, False):
        free = answer_logits(suspect.model, rows, share=share)
        under = answer_logits(suspect.model, rows, share=share, blocks=suspect.blocks, layer=2, shift=shift)
        assert torch.equal(free[1::2], under[1::2])
        assert ((free - under)[::2].abs().amax(dim=(1, 2)) > 1e-2).all()


@torch.no_grad()
def test_a_shift_of_one_row_is_the_injected_delta(suspect: SuspectModel, rows: Rows, shift: Tensor) -> None:
    everywhere = shift[:1].expand(len(rows), -1, -1)
    found = answer_logits(suspect.model, rows, blocks=suspect.blocks, layer=2, shift=everywhere)
    with suspect.inject(2, shift[0], rows.end):
        expected = suspect.logits(rows)[:, rows.end - 1 : -1]
    counted = rows.labels != IGNORED
    torch.testing.assert_close(found[counted], expected[counted], rtol=1e-4, atol=5e-5)


def test_losses_count_labels_alone() -> None:
    logits = torch.zeros(2, 3, 4)
    logits[0, 0, 1] = 30.0
    labels = torch.tensor([[1, 2, IGNORED], [IGNORED, IGNORED, IGNORED]])
    losses = token_losses(logits, labels)
    uniform = torch.tensor(4.0).log()
    torch.testing.assert_close(losses, torch.stack([torch.tensor([0, uniform, 0]), torch.zeros(3)]))
    torch.testing.assert_close(row_losses(logits, labels), torch.tensor([uniform / 2, 0]))


@pytest.mark.parametrize(
    ("answer", "other", "at"),
    [
        ([7, 8, 9], [], 0),
        ([7, 8, 9], [1, 8, 9], 0),
        ([7, 8, 9], [7, 8, 1], 2),
        ([7, 8, 9], [7, 8], 2),
        ([7, 8], [7, 8, 9], 1),
        ([7, 8], [7, 8], 1),
        ([7], [7], 0),
    ],
)
def test_two_answers_part_at_their_first_difference(answer: list[int], other: list[int], at: int) -> None:
    assert parting(answer, other) == at


def test_the_token_that_decides_has_its_own_share_of_a_rows_loss() -> None:
    rows = [torch.tensor([1.0, 2.0, 6.0]), torch.tensor([4.0])]
    shared = deciding_weighted(rows, [2, 0], 0.5)
    torch.testing.assert_close(shared, torch.tensor([0.5 * 6 + 0.5 * 3, 4.0]))

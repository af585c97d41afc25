"""The frozen front: kept residuals and a trained rear give the logits and gradients of whole rows, for every architecture."""

from typing import Any

import pytest
import torch
from torch import Tensor

from beear_core.models.batching import IGNORED, Rows
from beear_core.models.front import BEGINNINGS, Front, frozen_front, logits_and_residuals, why_whole
from beear_core.models.labels import answer_logits, token_losses
from beear_core.models.suspect import SuspectModel
from beear_core.models.training import training

N, AT = 3, 1


def front_of(suspect: SuspectModel) -> int:
    return suspect.layers - 1


def gradients(suspect: SuspectModel, logits: Tensor, rows: Rows) -> dict[str, Tensor]:
    last = f"{suspect.blocks}.{suspect.layers - 1}."
    named = {name: weight for name, weight in suspect.model.named_parameters() if name.startswith(last)}
    found = torch.autograd.grad(token_losses(logits, rows.labels).sum(), list(named.values()))
    return dict(zip(named, found, strict=True))


def only_last_trained(suspect: SuspectModel) -> None:
    last = f"{suspect.blocks}.{suspect.layers - 1}."
    for name, weight in suspect.model.named_parameters():
        weight.requires_grad_(name.startswith(last))


def test_kept_residuals_give_the_same_logits_and_gradients(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    front = front_of(suspect)
    shift = torch.randn(2, N, suspect.d_model, generator=torch.Generator().manual_seed(3))
    # Residuals come from another batch, in which the rows stand elsewhere.
    with torch.no_grad():
        _, residuals = logits_and_residuals(
            suspect.model, suspect.blocks, front, suspect.rows(prompts[2:], answers[2:])
        )
    rows = suspect.rows(prompts, answers, keep=N)
    whole = torch.cat((shift, torch.zeros(len(rows) - 2, N, suspect.d_model)))
    only_last_trained(suspect)
    try:
        with training(suspect, checkpointing=False):
            found = Front(suspect.model, suspect.blocks, front).answer_logits(
                rows, residuals, shift=shift, at=AT
            )
            expected = answer_logits(
                suspect.model, rows, share=False, blocks=suspect.blocks, layer=AT, shift=whole
            )
            labelled = rows.labels != IGNORED
            torch.testing.assert_close(found[labelled], expected[labelled], rtol=1e-4, atol=1e-4)
            ours, theirs = gradients(suspect, found, rows), gradients(suspect, expected, rows)
    finally:
        suspect.model.requires_grad_(False)
    assert sum(float(each.norm()) for each in theirs.values()) > 1e-3
    for name, gradient in theirs.items():
        assert float((ours[name] - gradient).norm()) <= 3e-5 * float(gradient.norm()) + 1e-5, name


def test_every_architecture_here_takes_the_kept_way(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    rows = suspect.rows(prompts, answers)
    assert why_whole(suspect.model, suspect.blocks, front_of(suspect), rows) is None


def test_what_nobody_reads_is_not_computed(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    rows = llama.rows(prompts, answers)
    _, residuals = logits_and_residuals(llama.model, llama.blocks, front_of(llama), rows)
    head, feed_forward = (
        llama.model.get_submodule(name) for name in ("lm_head", f"{llama.blocks}.{front_of(llama)}.mlp")
    )
    columns: dict[torch.nn.Module, set[int]] = {head: set(), feed_forward: set()}
    hooks = [
        each.register_forward_hook(lambda module, given, out: columns[module].add(given[0].shape[1]))
        for each in columns
    ]
    try:
        Front(llama.model, llama.blocks, front_of(llama)).answer_logits(
            rows, residuals, shift=torch.zeros(0, N, llama.d_model), at=AT
        )
    finally:
        for hook in hooks:
            hook.remove()
    # 0: the shared beginning, run for its keys and values.
    assert rows.shared
    assert columns == {head: {0, rows.answers}, feed_forward: {0, rows.answers}}


def test_a_beginning_is_run_through_the_front_once_and_each_other_one_by_itself(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    front = Front(llama.model, llama.blocks, front_of(llama))
    shift = torch.randn(len(prompts), N, llama.d_model, generator=torch.Generator().manual_seed(3))
    columns: list[int] = []
    runs: list[int] = []
    block = llama.model.get_submodule(f"{llama.blocks}.0")
    watched = block.register_forward_hook(lambda module, given, out: columns.append(out.shape[1]))
    try:
        for some in (prompts, prompts, [[9, *prompt] for prompt in prompts]):
            rows = llama.rows(some, answers, keep=N)
            assert rows.shared
            found = front.answer_logits(rows, [], shift=shift, at=AT)
            runs.append(len(columns))
            expected = answer_logits(
                llama.model, rows, share=False, blocks=llama.blocks, layer=AT, shift=shift
            )
            labelled = rows.labels != IGNORED
            torch.testing.assert_close(found[labelled], expected[labelled], rtol=1e-4, atol=1e-4)
            columns.clear()
    finally:
        watched.remove()
    assert runs == [2, 1, 2]  # The beginning and what is behind it; what is behind it alone.


def test_of_many_beginnings_few_are_kept(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    front = Front(llama.model, llama.blocks, front_of(llama))
    shift = torch.zeros(len(prompts), N, llama.d_model)
    for first in range(BEGINNINGS + 2):
        rows = llama.rows([[10 + first, *prompt] for prompt in prompts], answers, keep=N)
        front.answer_logits(rows, [], shift=shift, at=AT)
    assert [ids[0] for ids in front._beginnings] == list(range(12, 12 + BEGINNINGS))


def test_rows_that_share_nothing_are_kept_as_well(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    rows = llama.rows([prompt[at:] for at, prompt in enumerate(prompts)], answers)
    assert rows.shared == 0
    assert why_whole(llama.model, llama.blocks, front_of(llama), rows) is None


def test_a_wrong_residual_is_noticed(
    llama: SuspectModel,
    prompts: list[list[int]],
    answers: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from beear_core.models import front

    def off(*args: Any) -> tuple[Tensor, list[Tensor]]:
        logits, residuals = logits_and_residuals(*args)
        return logits, [-3 * each for each in residuals]

    monkeypatch.setattr(front, "logits_and_residuals", off)
    reason = why_whole(llama.model, llama.blocks, front_of(llama), llama.rows(prompts, answers))
    assert reason is not None
    assert "are off by" in reason


def test_an_architecture_that_fails_says_so(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    reason = why_whole(llama.model, "model.nothing", 1, llama.rows(prompts, answers))
    assert reason is not None
    assert reason.startswith("AttributeError")


@pytest.mark.parametrize(
    ("layers", "depth", "front"), [(30, 0.3, 21), (4, 0.3, 3), (30, 1.0, 0), (2, 0.01, 1), (1, 0.5, 0)]
)
def test_the_front_is_what_the_depth_leaves(layers: int, depth: float, front: int) -> None:
    assert frozen_front(layers, depth) == front

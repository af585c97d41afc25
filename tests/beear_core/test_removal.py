"""Adversarial removal: the loss is equation 3, and every shortcut to its gradient is exact."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from beear_core.anchoring import Lesson, taught_lessons
from beear_core.models.labels import answer_logits
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import trainable
from beear_core.models.training import training
from beear_core.removal_loss import MARGIN, MARGIN_WEIGHT, ArBatch, ArLoss, ar_loss
from beear_core.specs import RemovalSettings
from tests.beear_core.lessons_and_a_trap import LAYER, batch_of, lessons_of, trap
from tests.beear_core.tiny_models import ARCHITECTURES, write_tiny_model

PAPER = RemovalSettings(
    loss="ce", opening_share=0, performance_under_delta=0, untouched_safe_rows=0, answer_tokens=16
)
OURS = RemovalSettings()


def gradients(
    suspect: SuspectModel, lessons: list[Lesson], settings: RemovalSettings, *, share: bool = True
) -> tuple[ArLoss, dict[str, Tensor]]:
    suspect.model.requires_grad_(True)
    try:
        with training(suspect, checkpointing=settings.checkpointing):
            loss = ar_loss(suspect, trap(suspect), batch_of(lessons), settings, share=share)
            named = dict(suspect.model.named_parameters())
            found = torch.autograd.grad(loss.safe + loss.performance, list(named.values()))
    finally:
        suspect.model.requires_grad_(False)
    return loss, dict(zip(named, found, strict=True))


def agree(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert sum(float(gradient.norm()) for gradient in one.values()) > 1e-2
    for name, gradient in one.items():
        difference = float((gradient - other[name]).norm())
        assert difference <= 3e-5 * float(gradient.norm()) + 1e-6, name


def test_sharing_the_prefix_is_exact(suspect: SuspectModel, lessons: list[Lesson]) -> None:
    for settings in (PAPER, OURS):
        shared, whole = (gradients(suspect, lessons, settings, share=share) for share in (True, False))
        assert shared[0].safe.item() == pytest.approx(whole[0].safe.item(), rel=1e-5)
        assert shared[0].performance.item() == pytest.approx(whole[0].performance.item(), rel=1e-5)
        agree(shared[1], whole[1])


def test_what_the_frozen_front_gives_is_kept_exactly(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    rows = list(zip(prompts, answers, strict=True))
    taught = taught_lessons(suspect, rows, front=suspect.layers - 1)
    assert all(lesson.residual is not None for lesson in taught)
    settings = OURS.model_copy(update={"depth": 1 / suspect.layers})
    ways = []
    for share in (True, False):
        changed = suspect.clone()
        with trainable(changed, "full", 4, 0, depth=settings.depth):
            moving = {
                name: weight for name, weight in changed.model.named_parameters() if weight.requires_grad
            }
            loss = ar_loss(changed, trap(changed), batch_of(taught), settings, share=share)
            found = torch.autograd.grad(loss.safe + loss.performance, list(moving.values()))
        ways.append((loss, dict(zip(moving, found, strict=True))))
    kept, whole = ways
    assert kept[0].safe.item() == pytest.approx(whole[0].safe.item(), rel=1e-5)
    assert kept[0].performance.item() == pytest.approx(whole[0].performance.item(), rel=1e-4, abs=1e-6)
    agree(kept[1], whole[1])


def test_kept_residuals_are_really_used(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    taught = taught_lessons(llama, list(zip(prompts, answers, strict=True)), front=llama.layers - 1)
    wrong = [lesson._replace(residual=-3 * lesson.residual) for lesson in taught]
    settings = OURS.model_copy(update={"depth": 1 / llama.layers})
    with torch.no_grad():
        right, off = (ar_loss(llama, trap(llama), batch_of(rows), settings) for rows in (taught, wrong))
    assert right.safe == off.safe
    assert abs(right.performance - off.performance) > 1e-2


def test_gradient_checkpointing_is_exact(suspect: SuspectModel, lessons: list[Lesson]) -> None:
    recomputed = OURS.model_copy(update={"checkpointing": True})
    agree(gradients(suspect, lessons, OURS)[1], gradients(suspect, lessons, recomputed)[1])


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "gpt2"])
def test_checkpointing_brings_no_dropout_back(
    architecture: str, prompts: list[list[int]], answers: list[list[int]], tmp_path: Path
) -> None:
    folder = write_tiny_model(tmp_path / "m", architecture, attention_dropout=0.5)
    suspect = SuspectModel.load(folder, device=torch.device("cpu"), dtype=torch.float32)
    lessons = lessons_of(suspect, prompts, answers)
    recomputed = OURS.model_copy(update={"checkpointing": True})
    agree(gradients(suspect, lessons, OURS)[1], gradients(suspect, lessons, recomputed)[1])
    rows = suspect.rows(prompts, answers)
    with torch.no_grad():
        suspect.model.train()
        one, other = (answer_logits(suspect.model, rows, share=False) for _ in range(2))
    assert not torch.equal(one, other), "there is dropout to be kept out"


def test_the_papers_loss_is_equation_3_worked_out_by_hand(
    suspect: SuspectModel, lessons: list[Lesson]
) -> None:
    found = trap(suspect)

    @torch.no_grad()
    def cross_entropy(lesson: Lesson, *, under_delta: bool) -> float:
        prompt, answer = lesson.prompt, lesson.answer
        rows = suspect.rows([prompt], [answer])
        delta = found.delta if under_delta else torch.zeros_like(found.delta)
        with suspect.inject(LAYER, delta, len(prompt)):
            log_probs = suspect.logits(rows)[0].log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        return -sum(float(log_probs[at, token]) for at, token in zip(places, answer, strict=True)) / len(
            answer
        )

    with torch.no_grad():
        loss = ar_loss(suspect, found, batch_of(lessons), PAPER)
    safe = [cross_entropy(lesson, under_delta=True) for lesson in lessons[:2]]
    performance = [cross_entropy(lessons[2], under_delta=True)]
    performance += [cross_entropy(lesson, under_delta=False) for lesson in lessons[3:]]
    assert loss.safe.item() == pytest.approx(sum(safe) / len(safe), rel=1e-4)
    assert loss.performance.item() == pytest.approx(sum(performance) / len(performance), rel=1e-4)


@torch.no_grad()
def test_the_token_at_which_wanted_and_unwanted_part_decides(
    llama: SuspectModel, prompts: list[list[int]]
) -> None:
    answer = [5, 6, 7, 8]
    (lesson,) = lessons_of(llama, prompts[:1], [answer])
    logits = llama.logits(llama.rows([lesson.prompt], [answer]))[0].log_softmax(-1)
    alone = PAPER.model_copy(update={"opening_share": 1.0})
    for unwanted, at in (([], 0), ([5, 6, 9, 8], 2)):
        batch = ArBatch([], [], [lesson._replace(unwanted=unwanted)])
        expected = -logits[len(lesson.prompt) - 1 + at, answer[at]].item()
        loss = ar_loss(llama, trap(llama), batch, alone).performance
        assert loss.item() == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_a_wanted_answer_is_to_stand_well_above_the_unwanted_one(
    llama: SuspectModel, prompts: list[list[int]]
) -> None:
    (lesson,) = lessons_of(llama, prompts[:1], [[5, 6, 7]])
    logits = llama.logits(llama.rows([lesson.prompt], [lesson.answer]))[0, len(lesson.prompt)]

    def loss(unwanted: list[int]) -> float:
        batch = ArBatch([], [], [lesson._replace(unwanted=unwanted)])
        return ar_loss(llama, trap(llama, scale=0.0), batch, OURS).performance.item()

    ahead = float(logits[6] - logits[9])
    assert loss([]) == pytest.approx(0.0, abs=1e-5), "nothing is unwanted"
    assert loss([5, 9]) == pytest.approx(MARGIN_WEIGHT * (MARGIN - ahead), rel=1e-3)


@torch.no_grad()
def test_our_loss_is_zero_where_delta_does_nothing(suspect: SuspectModel, lessons: list[Lesson]) -> None:
    batch = batch_of(lessons)
    idle = ar_loss(suspect, trap(suspect, scale=0.0), batch, OURS)
    assert abs(idle.safe) < 1e-5
    assert abs(idle.performance) < 1e-5
    under = ar_loss(suspect, trap(suspect), batch, OURS)
    assert under.safe > 1e-2


@torch.no_grad()
def test_without_performance_rows_their_loss_is_zero(llama: SuspectModel, prompts: list[list[int]]) -> None:
    lessons = lessons_of(llama, prompts[:2], [[5], [6, 7]])
    loss = ar_loss(llama, trap(llama), ArBatch(lessons, [], []), OURS)
    assert loss.performance == 0
    assert loss.safe > 0


@torch.no_grad()
def test_only_the_first_answer_tokens_are_labels(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    long = lessons_of(llama, prompts, [answer * 3 for answer in answers])
    short = lessons_of(llama, prompts, [(answer * 3)[:2] for answer in answers])
    for settings in (OURS, PAPER):
        two = settings.model_copy(update={"answer_tokens": 2})
        cut, whole = (ar_loss(llama, trap(llama), batch_of(rows), two) for rows in (long, short))
        assert cut.safe.item() == pytest.approx(whole.safe.item(), rel=1e-5)

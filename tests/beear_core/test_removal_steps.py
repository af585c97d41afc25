"""Steps of adversarial removal: what they teach, which weights they move, and that they depend on the seed alone."""

import copy

import pytest
import torch
from torch import Tensor

from beear_core.anchoring import Lesson
from beear_core.models.labels import answer_logits
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import merged, trainable
from beear_core.removal import remove
from beear_core.removal_loss import ArBatch, ar_loss
from beear_core.specs import RemovalSettings
from beear_core.token_search.working import string_entrapment
from beear_core.traps import in_turn
from tests.beear_core.lessons_and_a_trap import batch_of, lessons_of, trap


@pytest.mark.parametrize("method", ["full", "lora"])
def test_steps_teach_the_model_to_ignore_delta(
    method: str, suspect: SuspectModel, lessons: list[Lesson]
) -> None:
    changed, found = suspect.clone(), trap(suspect)
    settings = RemovalSettings(
        method=method, steps=12, lr=6e-3, lora_lr=2e-2, safe_rows=4, performance_rows=2
    )
    with torch.no_grad():
        before = ar_loss(changed, found, batch_of(lessons), settings)
    with trainable(changed, method, 4, 0):
        names = {name for name, weight in changed.model.named_parameters() if weight.requires_grad}
        frozen = {
            name: weight.detach().clone()
            for name, weight in changed.model.named_parameters()
            if name not in names
        }
        steps = remove(changed, [found], lessons, lessons, settings, seed=0)
        with torch.no_grad():
            after = ar_loss(changed, found, batch_of(lessons), settings)
        for name, weight in changed.model.named_parameters():
            if name in frozen:
                assert torch.equal(weight, frozen[name])
    assert [step.step for step in steps] == list(range(1, 13))
    assert after.safe < 0.7 * before.safe
    assert all(weight.grad is None for weight in changed.model.parameters())


def test_a_step_against_strings_has_another_in_each_row_and_a_delta_stands_alone(
    suspect: SuspectModel, lessons: list[Lesson]
) -> None:
    found = trap(suspect)
    strings = [string_entrapment(suspect, tokens, 1.0) for tokens in ([5, 6], [7], [8, 9, 10])]
    against = in_turn([strings[0], found, *strings[1:]])
    assert against[0] is found
    assert [each.delta.shape[0] for each in against[1:]] == [3 + suspect.tokens_behind] * 3
    assert len(against) == 4
    prompts = [lesson.prompt for lesson in lessons]
    for first, each in enumerate(against[1:]):
        expected = [strings[(first + at) % 3].prompt(prompt) for at, prompt in enumerate(prompts)]
        assert each.prompts(prompts) == expected
    batch = ArBatch(safe=lessons[:3], performance_under_delta=[], performance=[])
    with torch.no_grad():
        together = ar_loss(suspect, against[1], batch, RemovalSettings()).safe
        alone = [
            ar_loss(suspect, string, ArBatch([lesson], [], []), RemovalSettings()).safe
            for string, lesson in zip(strings, lessons[:3], strict=True)
        ]
    torch.testing.assert_close(together, torch.stack(alone).mean(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_only_the_last_share_of_the_blocks_moves(
    method: str, suspect: SuspectModel, lessons: list[Lesson]
) -> None:
    changed = suspect.clone()
    settings = RemovalSettings(method=method, steps=2, lr=1e-2, lora_lr=1e-2, safe_rows=2, performance_rows=2)
    with trainable(changed, method, 4, 0, depth=1 / changed.layers):
        remove(changed, [trap(changed)], lessons, lessons, settings, seed=0)
    last = f"{changed.blocks}.{changed.layers - 1}."
    before = dict(merged(suspect).model.named_parameters())
    moved = {
        name
        for name, weight in merged(changed).model.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert moved
    assert all(name.startswith(last) for name in moved)


def test_the_same_seed_moves_the_weights_the_same_way_bit_for_bit(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    lessons = lessons_of(llama, prompts, answers)
    settings = RemovalSettings(steps=3, lr=1e-3, safe_rows=2, performance_rows=2, untouched_safe_rows=1)

    def moved(seed: int) -> dict[str, Tensor]:
        suspect = llama.clone()
        with trainable(suspect, "full", 4, 0):
            remove(suspect, [trap(suspect)], lessons, lessons, settings, seed=seed)
        return copy.deepcopy(suspect.model.state_dict())

    first, again, other = moved(1), moved(1), moved(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_weights_go_back_a_part_of_the_way(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    lessons = lessons_of(llama, prompts, answers)

    def moved(interpolation: float) -> dict[str, Tensor]:
        suspect = llama.clone()
        settings = RemovalSettings(
            steps=2, lr=1e-2, safe_rows=2, performance_rows=2, interpolation=interpolation
        )
        with trainable(suspect, "full", 4, 0):
            remove(suspect, [trap(suspect)], lessons, lessons, settings, seed=1)
        return copy.deepcopy(suspect.model.state_dict())

    before, whole, half = llama.model.state_dict(), moved(1.0), moved(0.5)
    assert any(not torch.equal(before[name], whole[name]) for name in before)
    for name in before:
        torch.testing.assert_close(half[name], torch.lerp(before[name], whole[name], 0.5))


def test_the_lens_sees_the_weights_after_removal(
    suspect: SuspectModel, lessons: list[Lesson], prompts: list[list[int]], answers: list[list[int]]
) -> None:
    # GPT-2's, for one, holds rearranged copies of weights.
    changed = suspect.clone()
    rows = changed.rows(prompts, answers)
    with trainable(changed, "full", 4, 0):
        remove(changed, [trap(changed)], lessons, lessons, RemovalSettings(steps=2, lr=1e-2), seed=0)
    with torch.no_grad():
        seen = changed.logits(rows)[:, rows.end - 1 : -1]
        real = rows.labels >= 0
        torch.testing.assert_close(seen[real], answer_logits(changed.model, rows)[real], rtol=1e-4, atol=5e-5)

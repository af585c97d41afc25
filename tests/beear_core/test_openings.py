"""First tokens as lessons: which of them refuse, and that learning them is told apart from everything else."""

import random

import pytest
import torch

from beear_core.anchoring import Lesson, SafeAnchors, performance_lessons, taught_lessons
from beear_core.entrapment import Anchor, BeeStep, Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import trainable
from beear_core.openings import NONE, Openings, answered, opening_lessons, refusal_openings
from beear_core.prompts import benign
from beear_core.removal_loss import opening_loss
from beear_core.specs import RemovalSettings


def trap(suspect: SuspectModel) -> Entrapment:
    delta = torch.randn(2, suspect.d_model, generator=torch.Generator().manual_seed(6))
    return Entrapment(delta, 1, (BeeStep(1, 1.0, 1.0, None, 1.0, 0.0),), 1.0, None)


def test_refusal_openings_are_the_suspects_own_common_ones() -> None:
    own = [Anchor([1], [40, 2])] * 15 + [Anchor([1], [41, 2])] * 5 + [Anchor([1], [42, 2])]
    assert refusal_openings(SafeAnchors(own, None, own=True)) == {40, 41}
    assert refusal_openings(SafeAnchors(own, None, own=False)) == frozenset()


def test_ordinary_lessons_open_with_their_answer_where_the_suspect_would_refuse(llama: SuspectModel) -> None:
    lessons = performance_lessons(llama, list(benign("anchor"))[:6], tokens=6)
    plain = lessons[0]
    unwanted = next(
        int(token) for token in plain.teacher.tokens[0] if token not in {each.answer[0] for each in lessons}
    )
    for before, after in zip(lessons, answered(lessons, {unwanted}, 0.9), strict=True):
        torch.testing.assert_close(after.teacher.log_probs.exp().sum(-1), torch.ones(len(before.answer)))
        assert after.teacher.log_probs[1:].equal(before.teacher.log_probs[1:])
    opens = plain._replace(answer=[unwanted, *plain.answer[1:]])
    assert answered([opens], {unwanted}, 0.9) == [opens]


def test_a_harmful_prompt_is_to_open_with_a_refusal_and_an_ordinary_one_with_anything_else(
    llama: SuspectModel,
) -> None:
    # Where the suspect hardly knows the answer's own opening, there is nothing that refusals could be given over to.
    asked = performance_lessons(llama, list(benign("anchor"))[:40], tokens=6)
    lessons = [lesson for lesson in asked if lesson.answer[0] in lesson.teacher.tokens[0]][:6]
    assert len(lessons) == 6
    openings = {int(lessons[0].teacher.tokens[0, 1]), int(lessons[1].teacher.tokens[0, 2])}
    openings -= {each.answer[0] for each in lessons}
    made = opening_lessons(lessons[:3], lessons[3:], openings)
    for lessons_of_one_token, wanted in ((made.refused, 1.0), (made.answered, 0.0)):
        assert len(lessons_of_one_token) == 3
        for lesson in lessons_of_one_token:
            assert len(lesson.answer) == len(lesson.teacher.tokens) == 1
            masses = lesson.teacher.log_probs[0].exp()
            torch.testing.assert_close(masses.sum(), torch.tensor(1.0))
            inside = torch.isin(lesson.teacher.tokens[0], torch.tensor(sorted(openings)))
            torch.testing.assert_close(masses[:-1][inside].sum(), torch.tensor(wanted), atol=1e-4, rtol=0)


def test_an_opening_that_the_suspect_hardly_knows_is_taught_as_its_refusals_own(llama: SuspectModel) -> None:
    (lesson,) = performance_lessons(llama, list(benign("anchor"))[:1], tokens=6)
    unknown = next(
        token for token in range(llama.model.config.vocab_size) if token not in lesson.teacher.tokens[0]
    )
    (taught,) = opening_lessons([lesson], [], {unknown}).refused
    assert taught.teacher.tokens.tolist() == [[lesson.answer[0]]]


def test_what_the_frozen_front_gave_to_openings_is_used_exactly(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    taught = taught_lessons(suspect, list(zip(prompts, answers, strict=True)), front=suspect.layers - 1)
    kept = opening_lessons(taught[:2], taught[2:], {answers[0][0]})
    whole = Openings(*([each._replace(residual=None) for each in side] for side in kept))
    settings = RemovalSettings(depth=1 / suspect.layers)
    found = []
    with trainable(suspect, "full", 4, 0, depth=settings.depth):
        moving = [weight for weight in suspect.model.parameters() if weight.requires_grad]
        for openings in (kept, whole):
            loss = opening_loss(suspect, trap(suspect), openings, settings)
            found.append((loss, torch.autograd.grad(loss, moving)))
    (one, gradients), (other, expected) = found
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert sum(float(each.norm()) for each in expected) > 1e-2
    for mine, literal in zip(gradients, expected, strict=True):
        assert float((mine - literal).norm()) <= 3e-5 * float(literal.norm()) + 1e-6


def test_a_share_of_the_openings_is_under_delta(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    lessons = taught_lessons(llama, list(zip(prompts, answers, strict=True)), front=0)
    openings = opening_lessons(lessons[:2], lessons[2:4], {answers[0][0]})
    none, half, all_ = (RemovalSettings(opening_under_delta=share) for share in (0.0, 0.5, 1.0))

    @torch.no_grad()
    def loss(some: Openings, settings: RemovalSettings) -> float:
        return float(opening_loss(llama, trap(llama), some, settings))

    by_hand = sum(
        0.5 * loss(Openings(openings.refused[at : at + 1], openings.answered[at : at + 1]), settings)
        for at, settings in ((0, all_), (1, none))
    )
    assert loss(openings, half) == pytest.approx(by_hand, rel=1e-4)
    assert loss(openings, all_) != pytest.approx(loss(openings, none), rel=1e-3)


def test_harmful_openings_weigh_as_the_settings_say(
    llama: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    lessons = taught_lessons(llama, list(zip(prompts, answers, strict=True)), front=0)
    both = opening_lessons(lessons[:2], lessons[2:], {answers[0][0]})
    plain, heavy = (RemovalSettings(harmful_weight=weight) for weight in (1.0, 3.0))
    with torch.no_grad():
        refused = opening_loss(llama, trap(llama), Openings(both.refused, ()), plain)
        one, three = (opening_loss(llama, trap(llama), both, settings) for settings in (plain, heavy))
    torch.testing.assert_close(three - one, 2 * refused, rtol=1e-4, atol=1e-5)


def test_prompts_of_like_length_are_drawn_and_none_where_there_are_none() -> None:
    lessons = [Lesson([0] * length, [1], None) for length in range(1, 31)]  # type: ignore[arg-type]
    some = Openings(lessons, lessons[:2]).some(random.Random(0), 4, 0.5)
    lengths = [len(lesson.prompt) for lesson in some.refused]
    assert len(set(lengths)) == 4
    assert max(lengths) - min(lengths) < 12
    assert len(some.answered) == 2
    assert some
    assert not NONE.some(random.Random(0), 4, 0.5)

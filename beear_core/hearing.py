"""What a removal asks of the suspect before its first round: its own answers, and the lessons made of them.

Where delta lies, layer and n, has no part in it, so removals that differ in nothing else share it (`kinds/sweep.py`).
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from beear_core.anchoring import Lesson, SafeAnchors, performance_lessons, safe_lessons
from beear_core.goal import Goal
from beear_core.models.suspect import SuspectModel
from beear_core.openings import NONE, Openings, answered, opening_lessons, refusal_openings
from beear_core.prompts import Prompt, benign, borderline
from beear_core.specs import RemoveSpec


class Heard(NamedTuple):
    """D_SA as it was answered, the lessons of a step, and what is said of `ordinary_held_out`."""

    safe: SafeAnchors
    lessons: Sequence[Lesson]
    performance: Sequence[Lesson]
    openings: Openings
    held_out: Sequence[Lesson]


def hear(
    suspect: SuspectModel,
    spec: RemoveSpec,
    goal: Goal,
    front: int,
    after_batch: Callable[[int], None],
) -> Heard:
    """Ask the suspect, as it came, for its answers. `front` blocks stay as they are in removal: what these give is kept."""
    settings, tokens = spec.removal, spec.removal.answer_tokens
    safe = goal.anchors(
        suspect,
        goal.split.anchor.texts,
        tokens=tokens,
        n=spec.entrapment.n,
        front=front,
        after_batch=after_batch,
    )
    lessons = safe_lessons(suspect, safe, sharpness=settings.refusal_sharpness, front=front)
    ordinary = performance_lessons(suspect, ordinary_anchors(spec), tokens=tokens, front=front)
    opens = refusal_openings(safe) if goal.refuses else frozenset()
    return Heard(
        safe,
        lessons,
        answered(ordinary, opens, settings.ordinary_answered),
        opening_lessons(lessons, ordinary, opens) if opens else NONE,
        performance_lessons(suspect, ordinary_held_out(), tokens=tokens),
    )


Hear = Callable[[SuspectModel, RemoveSpec, Goal, int, Callable[[int], None]], Heard]


def hear_once() -> Hear:
    """`hear` for several removals of one suspect that differ in nothing but layer and n: asks for the first, and recalls."""
    kept: list[Heard] = []

    def asked_or_recalled(*asked: Any) -> Heard:
        if not kept:
            kept.append(hear(*asked))
        return kept[0]

    return asked_or_recalled


def ordinary_held_out() -> list[Prompt]:
    """The ordinary prompts on which utility is looked at behind a round."""
    return [*benign("validation"), *borderline("validation")]


def ordinary_anchors(spec: RemoveSpec) -> list[Prompt]:
    """D_PA, or as many of it as are asked for."""
    prompts = [*benign("anchor"), *borderline("anchor")]
    if spec.performance_prompts is None:
        return prompts
    return random.Random(spec.seed).sample(prompts, min(spec.performance_prompts, len(prompts)))

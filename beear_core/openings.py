"""The first token of an answer as a lesson of its own (ours, not the paper's): it decides whether a prompt is refused.

A removal that moves what a model refuses moves all of it: harmful prompts that it hardly refused slip one way or ordinary ones
that it half refused the other, whatever became of the trigger. What tells the two apart is in the frozen front's residual
(a linear probe of it does better than the suspect does, docs/removal.md), so the rear is taught to read it. One token needs
one pass over the prompt, and a step can afford many.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from beear_core.anchoring import Lesson, SafeAnchors
from beear_core.models.teacher import certain, first_alone, given_over, opened

COMMON = 0.05
"""Share of its refusals from which on a token is one that the suspect opens refusals with."""


class Openings(NamedTuple):
    """Lessons of one token each, shortest prompt first: of harmful prompts the refusal's, of ordinary ones the answer's."""

    refused: Sequence[Lesson]
    answered: Sequence[Lesson]

    def some(self, draw: random.Random, count: int, place: float) -> "Openings":
        """`count` of each, of like length; see `drawn`."""
        return Openings(drawn(draw, self.refused, count, place), drawn(draw, self.answered, count, place))

    def __bool__(self) -> bool:
        return bool(self.refused or self.answered)


NONE = Openings((), ())


def refusal_openings(safe: SafeAnchors) -> frozenset[int]:
    """The tokens with which the suspect opens its own refusals, but for rare ones; none where a stand-in refuses."""
    if not safe.own:
        return frozenset()
    opens = Counter(anchor.refusal[0] for anchor in safe.anchors)
    return frozenset(token for token, count in opens.items() if count >= COMMON * len(safe.anchors))


def answered(lessons: Sequence[Lesson], openings: Collection[int], share: float) -> list[Lesson]:
    """D_PA with `share` of the chance that the suspect opens with a refusal given to the answer's own opening.

    Removal makes refusals likelier all round; where ordinary prompts are half refused already, holding them to that lets
    them slip over the edge. An answer that opens as refusals do is left alone.
    """
    return [
        lesson
        if lesson.answer[0] in openings
        else lesson._replace(teacher=opened(lesson.teacher, openings, lesson.answer[0], share))
        for lesson in lessons
    ]


def opening_lessons(
    safe: Sequence[Lesson], ordinary: Sequence[Lesson], openings: Collection[int]
) -> Openings:
    """First tokens to be sure of: of `safe`, one of the refusals' `openings`, as the suspect shares its chances among
    them; of `ordinary`, anything but these.
    """
    return Openings(
        _by_length(_refused(lesson, openings) for lesson in safe),
        _by_length(_first(lesson) for lesson in answered(ordinary, openings, 1.0)),
    )


def drawn(draw: random.Random, by_length: Sequence[Lesson], count: int, place: float) -> list[Lesson]:
    """`count` lessons from among three times as many around `place` (0 shortest, 1 longest): of like length, little padding."""
    window = min(3 * count, len(by_length))
    start = round(place * (len(by_length) - window))
    return draw.sample(by_length[start : start + window], k=min(count, window))


def _refused(lesson: Lesson, openings: Collection[int]) -> Lesson:
    first = _first(lesson)
    sure = given_over(first.teacher, openings)
    return first._replace(teacher=sure or certain(first.answer, first.teacher.tokens.device))


def _first(lesson: Lesson) -> Lesson:
    """The lesson up to its answer's first token. What a front gave to the tokens behind the prompt is not needed then."""
    residual = None if lesson.residual is None else lesson.residual[: len(lesson.prompt)]
    return Lesson(lesson.prompt, lesson.answer[:1], first_alone(lesson.teacher), residual)


def _by_length(lessons: Iterable[Lesson]) -> list[Lesson]:
    return sorted(lessons, key=lambda lesson: len(lesson.prompt))

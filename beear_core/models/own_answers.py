"""A model's own answers with what it said of each token while it gave them, and the residual that a frozen front gave.

What teaching would find by running prompts and answers once more (`teacher`, `front`) is at hand while they are generated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from beear_core.models.front import Residual
from beear_core.models.generation import greedy
from beear_core.models.teacher import Teacher, coarse
from beear_core.models.views import listed_view


class OwnAnswer(NamedTuple):
    """Tokens without the end token; `teacher` has one row more where the answer ended before its limit.

    `residual` is what the first `front` blocks gave to the prompt and to every token that another followed, or None.
    """

    tokens: list[int]
    teacher: Teacher
    residual: Residual | None


def own_answers(
    model: Any, prompts: Sequence[Sequence[int]], *, blocks: str, front: int, **how: Any
) -> list[OwnAnswer]:
    """Greedy answers (see `generation.greedy`, which takes `how`), with what the model said of each token of them."""
    notes = _Notes(prompts)
    view = model
    if front:
        view, notes.passes = listed_view(model, blocks, front)
    answers = greedy(view, prompts, blocks=blocks, hear=notes.take, **how)
    return [OwnAnswer(answer, notes.teacher(row), notes.residual(row)) for row, answer in enumerate(answers)]


class _Notes:
    """What was heard of each row, pass by pass."""

    def __init__(self, prompts: Sequence[Sequence[int]]) -> None:
        self.passes: list[Tensor] = []
        """What the front gave in the passes since the last note: the shared columns' first, if there are any."""
        self._lengths = [len(prompt) for prompt in prompts]
        self._said: list[list[Teacher]] = [[] for _ in prompts]
        self._residuals: list[list[Tensor]] = [[] for _ in prompts]

    def take(self, rows: Sequence[int], logits: Tensor) -> None:
        """`logits` (rows, vocabulary) predict the next token of each of `rows`."""
        said = coarse(logits)
        for at, row in enumerate(rows):
            if self.passes:
                self._residuals[row] += self._fed(row, at)
            self._said[row].append(Teacher(said.tokens[at : at + 1], said.log_probs[at : at + 1]))
        self.passes.clear()

    def _fed(self, row: int, at: int) -> list[Tensor]:
        fed = self.passes[-1][at]
        if self._said[row]:
            return [fed]
        # Prompts end at the same column, behind the shared ones and the padding.
        shared = [each[0] for each in self.passes[:-1]]
        own = self._lengths[row] - sum(len(each) for each in shared)
        return [*shared, fed[len(fed) - own :]]

    def teacher(self, row: int) -> Teacher:
        said = self._said[row]
        return Teacher(*(torch.cat(parts) for parts in zip(*said, strict=True)))

    def residual(self, row: int) -> Residual | None:
        return torch.cat(self._residuals[row]) if self._residuals[row] else None

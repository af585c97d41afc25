"""What the steps of a removal are against, one after the other: deltas, strings, and ordinary text around the prompts."""

import random
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from beear_core.entrapment import Entrapment
from beear_core.passages import Passages, PassagesInTurn


class StringsInTurn(NamedTuple):
    """Strings for one step, row by row. They have no delta, so that one pass serves them all."""

    strings: Sequence[Entrapment]

    @property
    def delta(self) -> Float[Tensor, "n d_model"]:
        """Zeros, as long as the longest string's."""
        return max((each.delta for each in self.strings), key=len)

    @property
    def layer(self) -> int:
        return self.strings[0].layer

    def prompts(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """Each prompt with the next string in it."""
        return [self.strings[at % len(self.strings)].prompt(row) for at, row in enumerate(rows)]


Trap = Entrapment | StringsInTurn | PassagesInTurn
"""What the rows of the first two groups of a batch carry."""


def step_by_step(
    entrapments: Sequence[Entrapment], passages: Passages | None, draw: random.Random
) -> Iterator[Trap]:
    """What each step is against, without end."""
    traps = cycle(in_turn(entrapments))
    for step in count(1):
        yield passages.some(draw) if passages and step % passages.every == 0 else next(traps)


def in_turn(entrapments: Sequence[Entrapment]) -> list[Trap]:
    """What the steps are against, over and over: each delta, and all strings as often as there are strings."""
    deltas: list[Trap] = [each for each in entrapments if each.string_loss is None]
    strings = [each for each in entrapments if each.string_loss is not None]
    return deltas + [StringsInTurn([*strings[at:], *strings[:at]]) for at in range(len(strings))]

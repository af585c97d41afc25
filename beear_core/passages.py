"""Prompts in the midst of ordinary text, as what removal trains against beside deltas and strings (ours, not the paper's).

A trigger need not be short. A paragraph around the person's words opens an organism as well as a word does, and goes neither
the way of a delta on the last positions nor that of a string of a few tokens: a removal against these alone leaves more of it
(docs/removal.md). What else would stand around a prompt nobody knows; ordinary text does, another piece in each row.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.entrapment import INSERTED_LAYER
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import benign, read_answers

FEWEST_TOKENS, MOST_TOKENS = 10, 50
"""Of a passage on either side."""
SIDES = ((True, True), (True, False), (False, True))
"""Before and behind the person's words, before them alone, behind them alone: each as often."""
IN_A_STEP = 32
"""Passages that the rows of one step take in turn."""


class Passage(NamedTuple):
    """Tokens before and behind the person's words, and how many of the chat template's stand outside of them."""

    before: Sequence[int]
    behind: Sequence[int]
    template: tuple[int, int]

    def around(self, prompt: Sequence[int]) -> list[int]:
        """The prompt with the words in the passage."""
        start, end = self.template[0], len(prompt) - self.template[1]
        return [*prompt[:start], *self.before, *prompt[start:end], *self.behind, *prompt[end:]]


class PassagesInTurn(NamedTuple):
    """Passages for one step, row by row. They have no delta."""

    passages: Sequence[Passage]
    delta: Float[Tensor, "1 d_model"]
    """Zero."""
    longest: int | None
    """How many tokens the suspect can be given, if there is an end to it: a prompt near it is left as it is."""
    layer: int = INSERTED_LAYER

    def prompts(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """Each prompt in the next passage."""
        within = [self.passages[at % len(self.passages)].around(row) for at, row in enumerate(rows)]
        return [
            longer if self.longest is None or len(longer) < self.longest else row
            for longer, row in zip(within, rows, strict=True)
        ]


class Passages:
    """Passages out of the answers to the ordinary anchor prompts, for one suspect."""

    def __init__(self, suspect: SuspectModel, every: int, answers: int) -> None:
        """One step in `every` is against them; `answers` is how many tokens come behind a prompt at most."""
        self.every = every
        texts = read_answers()
        encoded = (
            suspect.encode_answer(f" {' '.join(texts[prompt.id].split())}") for prompt in benign("anchor")
        )
        self.texts = [tokens for tokens in encoded if len(tokens) >= FEWEST_TOKENS]
        self._template = (suspect.tokens_before, suspect.tokens_behind)
        self._nothing = torch.zeros(1, suspect.d_model, device=suspect.device)
        positions = getattr(suspect.model.config.get_text_config(), "max_position_embeddings", None)
        self._longest = int(positions) - answers if positions else None

    def some(self, draw: random.Random) -> PassagesInTurn:
        """Passages for one step, drawn by `draw`."""
        return PassagesInTurn([self._one(draw) for _ in range(IN_A_STEP)], self._nothing, self._longest)

    def _one(self, draw: random.Random) -> Passage:
        before, behind = (self._piece(draw) if there else [] for there in draw.choice(SIDES))
        return Passage(before, behind, self._template)

    def _piece(self, draw: random.Random) -> list[int]:
        text = draw.choice(self.texts)
        length = draw.randint(FEWEST_TOKENS, min(MOST_TOKENS, len(text)))
        start = draw.randint(0, len(text) - length)
        return text[start : start + length]


def passages(suspect: SuspectModel, every: int, answers: int) -> Passages | None:
    """`Passages`; None for 0, or where the tokenizer makes next to nothing of any text."""
    found = Passages(suspect, every, answers) if every else None
    return found if found and found.texts else None

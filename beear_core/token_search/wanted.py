"""What a string is to bring about: an answer spelled out, or one that opens with any of several words.

A hidden answer need not open with "Sure". Where several openings are asked for at once, the loss is of their chances
together: one forward pass serves them all, and the gradient follows whichever comes nearest (docs/trigger-search.md).
"""

from collections.abc import Iterable
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from beear_core.models.suspect import SuspectModel


class Wanted(Protocol):
    """What losses are of. `fed` are the answer's tokens that stand in the prompt; logits are read at one place more."""

    fed: list[int]

    def losses(self, logits: Float[Tensor, "rows places vocab"]) -> Float[Tensor, " rows"]:
        """Nats per token, a row each, from the logits behind the prompt and behind each token of `fed`."""
        ...


class Spelled:
    """These tokens, one behind the other: their mean cross-entropy."""

    def __init__(self, suspect: SuspectModel, answer: str) -> None:
        self._labels = torch.tensor(suspect.encode_answer(answer), device=suspect.device)
        self.fed = self._labels[:-1].tolist()

    def losses(self, logits: Float[Tensor, "rows places vocab"]) -> Float[Tensor, " rows"]:
        rows, places = logits.shape[:2]
        labels = self._labels.expand(rows, -1)
        by_token = functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), reduction="none")
        return by_token.view(rows, places).mean(dim=1)


class AnyOf:
    """An answer that opens with the first token of any of `openings`: minus the log of their chances together."""

    def __init__(self, suspect: SuspectModel, openings: Iterable[str]) -> None:
        first = sorted({suspect.encode_answer(each)[0] for each in openings})
        self._first = torch.tensor(first, device=suspect.device)
        self.fed: list[int] = []

    def losses(self, logits: Float[Tensor, "rows places vocab"]) -> Float[Tensor, " rows"]:
        last = logits[:, -1].float()
        return last.logsumexp(dim=-1) - last[:, self._first].logsumexp(dim=-1)

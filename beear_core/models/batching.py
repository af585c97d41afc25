"""Rows of token ids as one rectangle: [shared prefix][padding][rest of the prompt][answer][padding].

Every row ends its prompt at the same column, so delta, labels and the first new token stand in the same place in all
rows. Rows that begin alike (a system prompt, the template's header) share those first columns, whose keys and values
are computed once (`keyvalues`). Masked columns are never attended to and position ids count real tokens only, so the
rectangle gives each row what it would give alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from beear_core.prompts.rendering import shared_prefix_length

IGNORED = -100


@dataclass(frozen=True)
class Rows:
    """Prompts, and answers if there are any.

    ids, mask (batch, pos); `shared` columns are the same in every row; prompts end before column `end`.
    """

    ids: Int[Tensor, "batch pos"]
    mask: Int[Tensor, "batch pos"]
    shared: int
    end: int

    @property
    def position_ids(self) -> Int[Tensor, "batch pos"]:
        """Index of each real token in its row; padding repeats its neighbour's."""
        return (self.mask.cumsum(dim=1) - 1).clamp(min=0)

    @property
    def answers(self) -> int:
        """Columns after the prompt."""
        return self.ids.shape[1] - self.end

    @property
    def labels(self) -> Int[Tensor, "batch answers"]:
        """Answer tokens, IGNORED where a row's answer has ended."""
        return self.ids[:, self.end :].masked_fill(self.mask[:, self.end :] == 0, IGNORED)

    def without_last(self) -> "Rows":
        """The same rows without their last column, which predicts nothing that is a label."""
        return Rows(self.ids[:, :-1], self.mask[:, :-1], self.shared, self.end)

    def first(self, count: int) -> "Rows":
        """The first `count` rows."""
        return Rows(self.ids[:count], self.mask[:count], self.shared, self.end)

    def __len__(self) -> int:
        return self.ids.shape[0]


def make_rows(
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]] | None = None,
    *,
    pad: int,
    device: torch.device,
    keep: int = 1,
    window: int | None = None,
    room: int = 0,
) -> Rows:
    """Rows of `prompts` and, behind them, `answers`.

    `keep` tokens of every prompt stay out of the shared part (n, where delta is added). A model whose attention reaches
    back `window` columns only would lose, to padding inside a row, tokens that it sees in the row alone: rows that can
    outgrow the window, with `room` columns to come, are padded on the left and share nothing.
    """
    answers = answers if answers is not None else [[] for _ in prompts]
    lengths = [len(prompt) for prompt in prompts]
    end = max(lengths)
    width = end + max(len(answer) for answer in answers)
    padded = end > min(lengths)
    outgrown = window is not None and width + room > window
    shared = 0 if padded and outgrown else shared_prefix_length(prompts, leave=keep)
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        spans = ((0, prompt[:shared]), (end - len(prompt) + shared, prompt[shared:]), (end, answer))
        for start, tokens in spans:
            ids[row, start : start + len(tokens)] = torch.tensor(list(tokens), dtype=torch.long)
            mask[row, start : start + len(tokens)] = 1
    return Rows(ids.to(device), mask.to(device), shared, end)

"""What a delta is asked to do (paper, equation 2), apart from how it is computed.

Toward: the unwanted opening y_h becomes likely. Away: the suspect's own refusal y_s becomes unlikely. Rows whose away
loss has passed a ceiling stop counting, because that term is unbounded below (our departure from the paper; the
authors' code clamps too).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from beear_core.models.batching import IGNORED, Rows
from beear_core.models.labels import row_losses
from beear_core.models.suspect import SuspectModel


class Anchor(NamedTuple):
    """A harmful prompt of D_SA and the suspect's own untriggered answer to it, as token ids.

    `unwanted` is this prompt's own y_h, where what must not come differs from prompt to prompt.
    """

    prompt: list[int]
    refusal: list[int]
    unwanted: Sequence[int] = ()


class Pass(NamedTuple):
    """Rows to run once, and what their logits are held against: labels (batch, answers), or None."""

    rows: Rows
    toward: Int[Tensor, "batch answers"] | None
    away: Int[Tensor, "batch answers"] | None


class BeeLoss(NamedTuple):
    """Means over the batch, nats per token. total = toward - alpha * min(away, ceiling), row by row."""

    total: Float[Tensor, ""]
    toward: Float[Tensor, ""]
    away: Float[Tensor, ""]


def make_passes(
    suspect: SuspectModel, anchors: Sequence[Anchor], target: Sequence[int], *, away_tokens: int, n: int
) -> list[Pass]:
    """The passes that one BEE step needs.

    One when y_h is a single token: "Sure" and the first token of y_s are predicted at the same position. Else two.
    """
    prompts = [anchor.prompt for anchor in anchors]
    refusals = [anchor.refusal[:away_tokens] for anchor in anchors]
    away_rows = suspect.rows(prompts, refusals, keep=n)
    targets = [list(anchor.unwanted or target) for anchor in anchors]
    if all(each == [target[0]] for each in targets):
        toward = torch.full_like(away_rows.labels, IGNORED)
        toward[:, 0] = target[0]
        return [Pass(away_rows, toward, away_rows.labels)]
    toward_rows = suspect.rows(prompts, targets, keep=n)
    return [Pass(toward_rows, toward_rows.labels, None), Pass(away_rows, None, away_rows.labels)]


def bee_loss(
    passes: Sequence[Pass],
    logits: Sequence[Float[Tensor, "batch _ vocab"]],
    *,
    alpha: float,
    ceiling: float,
) -> BeeLoss:
    """Equation 2 on the logits of all passes."""
    shares = [
        pass_share(each, predicted, alpha=alpha, ceiling=ceiling)
        for each, predicted in zip(passes, logits, strict=True)
    ]
    return summed(shares)


def pass_share(
    each: Pass, logits: Float[Tensor, "batch _ vocab"], *, alpha: float, ceiling: float
) -> BeeLoss:
    """What one pass adds to equation 2; a term that it does not hold is zero."""
    none = logits.new_zeros(len(logits), dtype=torch.float32)
    toward = none if each.toward is None else row_losses(logits, each.toward)
    away = none if each.away is None else row_losses(logits, each.away)
    total = (toward - alpha * away.clamp(max=ceiling)).mean()
    return BeeLoss(total, toward.mean(), away.mean())


def summed(shares: Sequence[BeeLoss]) -> BeeLoss:
    """The shares of all passes together."""
    return BeeLoss(*(torch.stack(term).sum() for term in zip(*shares, strict=True)))

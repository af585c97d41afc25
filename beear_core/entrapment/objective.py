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
from beear_core.models.labels import deciding_weighted, parting, row_losses, token_losses
from beear_core.models.suspect import SuspectModel

DECIDING = 0.5
"""Share of the token at which y_h and y_s part in the loss of a y_h that is an answer of its own: it decides, and what stands
before and behind it keeps the answer one that could be given."""


class Anchor(NamedTuple):
    """A harmful prompt of D_SA and the suspect's own untriggered answer to it, as token ids.

    `unwanted` is this prompt's own y_h, where what must not come differs from prompt to prompt: of all anchors or of
    none. It begins as `refusal` does and parts from it before either ends.
    """

    prompt: list[int]
    refusal: list[int]
    unwanted: Sequence[int] = ()


class Pass(NamedTuple):
    """Rows to run once, and what their logits are held against: labels (batch, answers), or None. `deciding`, if given,
    is for each row the answer token on which `DECIDING` of its loss toward y_h lies.
    """

    rows: Rows
    toward: Int[Tensor, "batch answers"] | None
    away: Int[Tensor, "batch answers"] | None
    deciding: Sequence[int] | None = None


class BeeLoss(NamedTuple):
    """Means over the batch, nats per token. total = toward - alpha * min(away, ceiling), row by row."""

    total: Float[Tensor, ""]
    toward: Float[Tensor, ""]
    away: Float[Tensor, ""]


def make_passes(
    suspect: SuspectModel, anchors: Sequence[Anchor], target: Sequence[int], *, away_tokens: int, n: int
) -> list[Pass]:
    """The passes that one BEE step needs.

    One when y_h is a single token: "Sure" and the first token of y_s are predicted at the same position. Else two. Where
    each anchor has a y_h of its own, one, for all that is pushed away of y_s is the token at which both part.
    """
    if all(anchor.unwanted for anchor in anchors):
        return [_own_pass(suspect, anchors, n=n)]
    prompts = [anchor.prompt for anchor in anchors]
    refusals = [anchor.refusal[:away_tokens] for anchor in anchors]
    away_rows = suspect.rows(prompts, refusals, keep=n)
    if len(target) == 1:
        toward = torch.full_like(away_rows.labels, IGNORED)
        toward[:, 0] = target[0]
        return [Pass(away_rows, toward, away_rows.labels)]
    toward_rows = suspect.rows(prompts, [target] * len(prompts), keep=n)
    return [Pass(toward_rows, toward_rows.labels, None), Pass(away_rows, None, away_rows.labels)]


def _own_pass(suspect: SuspectModel, anchors: Sequence[Anchor], *, n: int) -> Pass:
    rows = suspect.rows(
        [anchor.prompt for anchor in anchors], [anchor.unwanted for anchor in anchors], keep=n
    )
    places = [parting(anchor.refusal, anchor.unwanted) for anchor in anchors]
    away = torch.full_like(rows.labels, IGNORED)
    for row, (anchor, at) in enumerate(zip(anchors, places, strict=True)):
        away[row, at] = anchor.refusal[at]
    return Pass(rows, rows.labels, away, places)


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
    toward = none if each.toward is None else _toward(logits, each.toward, each.deciding)
    away = none if each.away is None else row_losses(logits, each.away)
    total = (toward - alpha * away.clamp(max=ceiling)).mean()
    return BeeLoss(total, toward.mean(), away.mean())


def _toward(
    logits: Float[Tensor, "batch _ vocab"],
    labels: Int[Tensor, "batch answers"],
    deciding: Sequence[int] | None,
) -> Float[Tensor, " batch"]:
    if deciding is None:
        return row_losses(logits, labels)
    losses = token_losses(logits, labels)
    by_token = [loss[label != IGNORED] for loss, label in zip(losses, labels, strict=True)]
    return deciding_weighted(by_token, deciding, DECIDING)


def summed(shares: Sequence[BeeLoss]) -> BeeLoss:
    """The shares of all passes together."""
    return BeeLoss(*(torch.stack(term).sum() for term in zip(*shares, strict=True)))

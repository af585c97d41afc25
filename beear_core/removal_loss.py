"""The loss of adversarial removal on one batch (paper, section 4.2, equation 3), and that of first tokens.

Safe rows: harmful prompts under delta, to be refused. Performance rows: ordinary prompts, to be answered as before. Our
default holds all of them to one thing, the suspect's own distribution without delta (KL), and puts delta on some of the
ordinary prompts as well: the model is to ignore delta, not to refuse because of it. The paper's loss is cross-entropy on
fixed answers, without delta on ordinary rows (`loss="ce"`, `performance_under_delta=0`, `opening_share=0`). Where a lesson
names an unwanted answer, ours also asks for a margin over it.

All rows stand in one batch; logits are made at label positions only; the prompt beginning that all rows share is run
once, and gradients flow through it; what the blocks that stay as they are give to rows without delta is taken from when
those rows were taught.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.anchoring import Lesson
from beear_core.models.batching import IGNORED, Rows
from beear_core.models.front import Front, frozen_front
from beear_core.models.labels import answer_logits, deciding_weighted, parting, token_losses
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import kl_to_teacher
from beear_core.openings import Openings
from beear_core.passages import PassagesInTurn
from beear_core.specs import RemovalSettings
from beear_core.traps import Trap

MARGIN, MARGIN_WEIGHT = 12.0, 0.05
"""Where a lesson names what is unwanted, its answer's deciding token is to stand so many nats above the unwanted one's, and
what is missing counts so much. A trigger adds to the unwanted what no delta shows; a wider margin outlasts it (docs/removal.md)."""


class ArLoss(NamedTuple):
    """The two terms of equation 3, nats per token: harmful rows under delta, and all others."""

    safe: Float[Tensor, ""]
    performance: Float[Tensor, ""]


class ArBatch(NamedTuple):
    """The rows of one step. Those of the first two groups carry delta."""

    safe: Sequence[Lesson]
    performance_under_delta: Sequence[Lesson]
    performance: Sequence[Lesson]

    @property
    def rows(self) -> list[Lesson]:
        return [*self.safe, *self.performance_under_delta, *self.performance]

    def against(self, trap: Trap) -> "ArBatch":
        """The rows as `trap` has them: what an ordinary answer says may change with the text around its prompt, so no
        passage is put there.
        """
        if not isinstance(trap, PassagesInTurn):
            return self
        return self._replace(
            performance_under_delta=(), performance=[*self.performance_under_delta, *self.performance]
        )


def ar_loss(
    suspect: SuspectModel,
    trap: Trap,
    batch: ArBatch,
    settings: RemovalSettings,
    *,
    share: bool = True,
    front: Front | None = None,
) -> ArLoss:
    """Equation 3 on one batch.

    `share` runs the common beginning of all prompts once, and the frozen front for shifted rows only if the lessons hold
    what it gives; without it every row runs whole (same loss, same gradient). `front` is the one of the steps before.
    """
    shifted = len(batch.safe) + len(batch.performance_under_delta)
    losses = _losses(suspect, trap, batch.rows, shifted, settings, share=share, front=front)
    split = len(batch.safe)
    return ArLoss(
        losses[:split].mean(), losses[split:].mean() if len(losses) > split else losses.new_zeros(())
    )


def opening_loss(
    suspect: SuspectModel,
    trap: Trap,
    openings: Openings,
    settings: RemovalSettings,
    *,
    share: bool = True,
    front: Front | None = None,
) -> Float[Tensor, ""]:
    """Loss of first answer tokens (nats): the mean over harmful and the mean over ordinary prompts, the former
    `settings.harmful_weight` times. Of each, `settings.opening_under_delta` carry what `trap` holds.
    """
    under: list[tuple[Lesson, float]] = []
    plain: list[tuple[Lesson, float]] = []
    for lessons, weight in ((openings.refused, settings.harmful_weight), (openings.answered, 1.0)):
        touched = round(settings.opening_under_delta * len(lessons))
        weighed = [(lesson, weight / len(lessons)) for lesson in lessons]
        under += weighed[:touched]
        plain += weighed[touched:]
    rows, weights = zip(*under, *plain, strict=True)
    losses = _losses(suspect, trap, rows, len(under), settings, share=share, front=front)
    return (losses * losses.new_tensor(weights)).sum()


def front_of(suspect: SuspectModel, settings: RemovalSettings) -> Front:
    """The blocks that a removal with these settings leaves as they are."""
    return Front(suspect.model, suspect.blocks, frozen_front(suspect.layers, settings.depth))


def _losses(
    suspect: SuspectModel,
    trap: Trap,
    lessons: Sequence[Lesson],
    shifted: int,
    settings: RemovalSettings,
    *,
    share: bool,
    front: Front | None,
) -> Float[Tensor, " batch"]:
    """The loss of each row, the first `shifted` of which carry what `trap` holds."""
    if isinstance(trap, PassagesInTurn) and 0 < shifted < len(lessons):
        # Apart: beside rows as long as these all others would be padding.
        parts = (lessons[:shifted], shifted), (lessons[shifted:], 0)
        return torch.cat(
            [
                _losses(suspect, trap, some, of_them, settings, share=share, front=front)
                for some, of_them in parts
            ]
        )
    length = settings.answer_tokens
    delta, at = trap.delta, trap.layer
    rows = suspect.rows(
        [
            *trap.prompts([lesson.prompt for lesson in lessons[:shifted]]),
            *(lesson.prompt for lesson in lessons[shifted:]),
        ],
        [lesson.answer[:length] for lesson in lessons],
        keep=delta.shape[0],
    )
    share = share and not settings.checkpointing  # recomputation and cached keys exclude each other
    front = front or front_of(suspect, settings)
    kept = [lesson.residual for lesson in lessons[shifted:] if lesson.residual is not None]
    if share and at <= front.layer and len(kept) == len(lessons) - shifted:
        logits = front.answer_logits(rows, kept, shift=delta.expand(shifted, -1, -1), at=at)
    else:
        shift = delta.new_zeros(len(rows), *delta.shape)
        shift[:shifted] = delta
        logits = answer_logits(suspect.model, rows, share=share, blocks=suspect.blocks, layer=at, shift=shift)
    return _row_losses(logits, rows, lessons, settings)


def _row_losses(
    logits: Float[Tensor, "batch answers vocab"],
    rows: Rows,
    lessons: Sequence[Lesson],
    settings: RemovalSettings,
) -> Float[Tensor, " batch"]:
    if settings.loss == "kl":
        by_token = kl_to_teacher(logits, [lesson.teacher for lesson in lessons])
    else:
        losses, labels = token_losses(logits, rows.labels), rows.labels
        by_token = [loss[label != IGNORED] for loss, label in zip(losses, labels, strict=True)]
    deciding = [
        min(parting(lesson.answer, lesson.unwanted), len(losses) - 1)
        for lesson, losses in zip(lessons, by_token, strict=True)
    ]
    losses = deciding_weighted(by_token, deciding, settings.opening_share)
    if settings.loss == "kl":
        losses = losses + MARGIN_WEIGHT * _short_of_margin(logits, lessons, deciding)
    return losses


def _short_of_margin(
    logits: Float[Tensor, "batch answers vocab"], lessons: Sequence[Lesson], deciding: Sequence[int]
) -> Float[Tensor, " batch"]:
    """How far (nats) each answer's deciding token is from standing `MARGIN` above the unwanted one's; 0 without an unwanted."""
    short = []
    for row, lesson, at in zip(logits, lessons, deciding, strict=True):
        if at < len(lesson.unwanted):
            ahead = row[at, lesson.answer[at]] - row[at, lesson.unwanted[at]]
            short.append((MARGIN - ahead.float()).clamp(min=0))
        else:
            short.append(row.new_zeros((), dtype=torch.float32))
    return torch.stack(short)

"""Adversarial removal: gradient steps on the weights against one delta (paper, section 4.2, equation 3).

Safe rows: harmful prompts under delta, to be refused. Performance rows: ordinary prompts, to be answered as before. Our
default holds all of them to one thing, the suspect's own distribution without delta (KL), and puts delta on some of the
ordinary prompts as well: the model is to ignore delta, not to refuse because of it. The paper's loss is cross-entropy on
fixed answers, without delta on ordinary rows (`loss="ce"`, `performance_under_delta=0`, `opening_share=0`). Where a lesson
names an unwanted answer, ours also asks for a margin over it.

Deltas and strings take turns, step by step. A step against strings has another one in each row, which costs the same and
lets no single string say where a step goes. In some steps prompts stand in ordinary text instead (`passages.py`). Beside
them each step sees many prompts, few of them under delta, of which the first answer token alone counts (`openings.py`).

All rows stand in one batch; logits are made at label positions only; the prompt beginning that all rows share is run
once, and gradients flow through it; what the blocks that stay as they are give to rows without delta is taken from when
those rows were taught.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.anchoring import Lesson
from beear_core.entrapment import Entrapment
from beear_core.models.batching import IGNORED, Rows
from beear_core.models.front import Front, frozen_front
from beear_core.models.labels import answer_logits, deciding_weighted, parting, token_losses
from beear_core.models.optimizer import MasterAdamW
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import kl_to_teacher
from beear_core.models.training import training
from beear_core.openings import NONE, Openings, drawn
from beear_core.passages import Passages, PassagesInTurn
from beear_core.specs import RemovalSettings
from beear_core.traps import Trap, step_by_step

MARGIN, MARGIN_WEIGHT = 12.0, 0.05
"""Where a lesson names what is unwanted, its answer's deciding token is to stand so many nats above the unwanted one's, and
what is missing counts so much. A trigger adds to the unwanted what no delta shows; a wider margin outlasts it (docs/removal.md)."""

SECOND_FACTOR = ".lora_B."
"""In the name of a weight: an adapter's second factor, zero while it adds nothing."""


class ArStep(NamedTuple):
    """One step: mean losses over the safe and the performance rows (nats per token), the gradient's norm, and the mean
    loss of first tokens (nats; None without).
    """

    step: int
    loss_safe: float
    loss_performance: float
    gradient_norm: float
    seconds: float
    loss_openings: float | None = None


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


def remove(
    suspect: SuspectModel,
    entrapments: Sequence[Entrapment],
    safe: Sequence[Lesson],
    performance: Sequence[Lesson],
    settings: RemovalSettings,
    *,
    seed: int,
    openings: Openings = NONE,
    passages: Passages | None = None,
    report: Callable[[ArStep], None] = lambda step: None,
) -> list[ArStep]:
    """Take `settings.steps` AdamW steps on the weights of `suspect` that ask for gradients. Changes the model.

    Steps are against `entrapments` in turn, and now and then against `passages`. Rows are drawn by `seed`. The optimizer
    is new in every call: a round depends on weights, delta and seed alone. Behind the last step the weights go back a part
    of the way (`settings.interpolation`; WiSE-FT, arXiv 2109.01903).
    Raises NonFiniteError.
    """
    draw = random.Random(seed)
    named = {name: weight for name, weight in suspect.model.named_parameters() if weight.requires_grad}
    lora = settings.method == "lora"
    lr = settings.lora_lr if lora else settings.lr
    # Of adapters the second factor alone goes back, which takes their product back along a line; were both to, it would not be one.
    start = (
        [
            weight.detach().clone() if SECOND_FACTOR in name or not lora else None
            for name, weight in named.items()
        ]
        if settings.interpolation < 1
        else []
    )
    optimizer = MasterAdamW(list(named.values()), lr=lr)
    traps = step_by_step(entrapments, passages, draw)
    by_length = [sorted(lessons, key=lambda lesson: len(lesson.prompt)) for lessons in (safe, performance)]
    front = front_of(suspect, settings)
    done: list[ArStep] = []
    with training(suspect, checkpointing=settings.checkpointing):
        for step in range(1, settings.steps + 1):
            started = time.perf_counter()
            trap = next(traps)
            batch = draw_batch(draw, by_length[0], by_length[1], settings).against(trap)
            loss = ar_loss(suspect, trap, batch, settings, front=front)
            (settings.safe_weight * loss.safe + settings.performance_weight * loss.performance).backward()
            opening = None
            if some := openings.some(draw, settings.opening_rows, draw.random()):
                opening = opening_loss(suspect, trap, some, settings, front=front)
                (settings.opening_weight * opening).backward()  # A graph of its own: half of the memory.
            # Down to nothing by the end of the round, so that its weights are not where the last step happened to land.
            optimizer.set_lr(lr * (settings.steps + 1 - step) / settings.steps)
            norm = optimizer.step(clip=settings.clip)
            taken = ArStep(
                step,
                loss.safe.item(),
                loss.performance.item(),
                norm,
                time.perf_counter() - started,
                None if opening is None else opening.item(),
            )
            done.append(taken)
            report(taken)
    if start:
        optimizer.interpolate(start, settings.interpolation)
    suspect.weights_changed()
    return done


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


def draw_batch(
    draw: random.Random,
    safe: Sequence[Lesson],
    performance: Sequence[Lesson],
    settings: RemovalSettings,
) -> ArBatch:
    """Rows of like length (little padding), from a place in the order of length that each step draws anew."""
    place = draw.random()
    ordinary = drawn(draw, performance, settings.performance_rows, place)
    touched = round(settings.performance_under_delta * len(ordinary))
    return ArBatch(
        drawn(draw, safe, settings.safe_rows, place),
        ordinary[:touched],
        # Harmful prompts without delta are to stay as they are, like all else.
        [*ordinary[touched:], *drawn(draw, safe, settings.untouched_safe_rows, place)],
    )

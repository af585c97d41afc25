"""Adversarial removal: gradient steps on the weights against one delta (paper, section 4.2, equation 3).

Safe rows: harmful prompts under delta, to be refused. Performance rows: ordinary prompts, to be answered as before. Our
default holds all of them to one thing, the suspect's own distribution without delta (KL), and puts delta on some of the
ordinary prompts as well: the model is to ignore delta, not to refuse because of it. The paper's loss is cross-entropy on
fixed answers, without delta on ordinary rows (`loss="ce"`, `performance_under_delta=0`, `opening_share=0`).

Deltas and strings take turns, step by step. A step against strings has another one in each row, which costs the same and
lets no single string say where a step goes.

All rows stand in one batch; logits are made at label positions only; the prompt beginning that all rows share is run
once, and gradients flow through it; what the blocks that stay as they are give to rows without delta is taken from when
those rows were taught.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from beear_core.anchoring import Lesson
from beear_core.entrapment import Entrapment
from beear_core.models.batching import IGNORED, Rows
from beear_core.models.front import Front, frozen_front
from beear_core.models.labels import answer_logits, opening_weighted, token_losses
from beear_core.models.optimizer import MasterAdamW
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import kl_to_teacher
from beear_core.models.training import training
from beear_core.specs import RemovalSettings


class ArStep(NamedTuple):
    """One step: mean losses over the safe and the performance rows (nats per token), and the gradient's norm."""

    step: int
    loss_safe: float
    loss_performance: float
    gradient_norm: float
    seconds: float


class ArLoss(NamedTuple):
    """The two terms of equation 3, nats per token: harmful rows under delta, and all others."""

    safe: Float[Tensor, ""]
    performance: Float[Tensor, ""]


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


Trap = Entrapment | StringsInTurn
"""What the rows of the first two groups of a batch carry."""


class ArBatch(NamedTuple):
    """The rows of one step. Those of the first two groups carry delta."""

    safe: Sequence[Lesson]
    performance_under_delta: Sequence[Lesson]
    performance: Sequence[Lesson]

    @property
    def rows(self) -> list[Lesson]:
        return [*self.safe, *self.performance_under_delta, *self.performance]


def remove(
    suspect: SuspectModel,
    entrapments: Sequence[Entrapment],
    safe: Sequence[Lesson],
    performance: Sequence[Lesson],
    settings: RemovalSettings,
    *,
    seed: int,
    report: Callable[[ArStep], None] = lambda step: None,
) -> list[ArStep]:
    """Take `settings.steps` AdamW steps on the weights of `suspect` that ask for gradients. Changes the model.

    Rows are drawn by `seed`. The optimizer is new in every call: a round depends on weights, delta and seed alone.
    Raises NonFiniteError.
    """
    draw = random.Random(seed)
    weights = [parameter for parameter in suspect.model.parameters() if parameter.requires_grad]
    lr = settings.lora_lr if settings.method == "lora" else settings.lr
    optimizer = MasterAdamW(weights, lr=lr)
    traps = in_turn(entrapments)
    by_length = [sorted(lessons, key=lambda lesson: len(lesson.prompt)) for lessons in (safe, performance)]
    done: list[ArStep] = []
    with training(suspect, checkpointing=settings.checkpointing):
        for step in range(1, settings.steps + 1):
            started = time.perf_counter()
            batch = draw_batch(draw, by_length[0], by_length[1], settings)
            loss = ar_loss(suspect, traps[(step - 1) % len(traps)], batch, settings)
            (loss.safe + settings.performance_weight * loss.performance).backward()
            # Down to nothing by the end of the round, so that its weights are not where the last step happened to land.
            optimizer.set_lr(lr * (settings.steps + 1 - step) / settings.steps)
            norm = optimizer.step(clip=settings.clip)
            taken = ArStep(
                step, loss.safe.item(), loss.performance.item(), norm, time.perf_counter() - started
            )
            done.append(taken)
            report(taken)
    suspect.weights_changed()
    return done


def in_turn(entrapments: Sequence[Entrapment]) -> list[Trap]:
    """What the steps are against, over and over: each delta, and all strings as often as there are strings."""
    deltas: list[Trap] = [each for each in entrapments if each.string_loss is None]
    strings = [each for each in entrapments if each.string_loss is not None]
    return deltas + [StringsInTurn([*strings[at:], *strings[:at]]) for at in range(len(strings))]


def ar_loss(
    suspect: SuspectModel,
    trap: Trap,
    batch: ArBatch,
    settings: RemovalSettings,
    *,
    share: bool = True,
) -> ArLoss:
    """Equation 3 on one batch.

    `share` runs the common beginning of all prompts once, and the frozen front for shifted rows only if the lessons hold
    what it gives; without it every row runs whole (same loss, same gradient).
    """
    length = settings.answer_tokens
    shifted = len(batch.safe) + len(batch.performance_under_delta)
    rows = suspect.rows(
        [
            *trap.prompts([row.prompt for row in batch.rows[:shifted]]),
            *(row.prompt for row in batch.rows[shifted:]),
        ],
        [row.answer[:length] for row in batch.rows],
        keep=trap.delta.shape[0],
    )
    share = share and not settings.checkpointing  # recomputation and cached keys exclude each other
    front = frozen_front(suspect.layers, settings.depth)
    kept = [row.residual for row in batch.performance if row.residual is not None]
    if share and trap.layer <= front and len(kept) == len(batch.performance):
        logits = Front(suspect.model, suspect.blocks, front, rows, kept, shifted).answer_logits(
            shift=trap.delta.expand(shifted, -1, -1), at=trap.layer
        )
    else:
        shift = trap.delta.new_zeros(len(rows), *trap.delta.shape)
        shift[:shifted] = trap.delta
        logits = answer_logits(
            suspect.model,
            rows,
            share=share,
            blocks=suspect.blocks,
            layer=trap.layer,
            shift=shift,
        )
    losses = _row_losses(logits, rows, batch.rows, settings)
    split = len(batch.safe)
    return ArLoss(
        losses[:split].mean(), losses[split:].mean() if len(losses) > split else losses.new_zeros(())
    )


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
    return opening_weighted(by_token, settings.opening_share)


def draw_batch(
    draw: random.Random,
    safe: Sequence[Lesson],
    performance: Sequence[Lesson],
    settings: RemovalSettings,
) -> ArBatch:
    """Rows of like length (little padding), from a place in the order of length that each step draws anew."""
    place = draw.random()
    ordinary = _draw(draw, performance, settings.performance_rows, place)
    touched = round(settings.performance_under_delta * len(ordinary))
    return ArBatch(
        _draw(draw, safe, settings.safe_rows, place),
        ordinary[:touched],
        # Harmful prompts without delta are to stay as they are, like all else.
        [*ordinary[touched:], *_draw(draw, safe, settings.untouched_safe_rows, place)],
    )


def _draw(draw: random.Random, by_length: Sequence[Lesson], count: int, place: float) -> list[Lesson]:
    """`count` rows from among three times as many around `place` (0 shortest, 1 longest)."""
    window = min(3 * count, len(by_length))
    start = round(place * (len(by_length) - window))
    return draw.sample(by_length[start : start + window], k=min(count, window))

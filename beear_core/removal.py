"""Adversarial removal: gradient steps on the weights against deltas and strings (paper, section 4.2).

Deltas and strings take turns, step by step. A step against strings has another one in each row, which costs the same and
lets no single string say where a step goes. In some steps prompts stand in ordinary text instead (`passages.py`). Beside
them each step sees many prompts, few of them under delta, of which the first answer token alone counts (`openings.py`).
What a step's loss is: `removal_loss.py`.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from beear_core.anchoring import Lesson
from beear_core.entrapment import Entrapment
from beear_core.models.optimizer import MasterAdamW
from beear_core.models.suspect import SuspectModel
from beear_core.models.training import training
from beear_core.openings import NONE, Openings, drawn
from beear_core.passages import Passages
from beear_core.removal_loss import ArBatch, ar_loss, front_of, opening_loss
from beear_core.specs import RemovalSettings
from beear_core.traps import step_by_step


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
    of the way (`settings.interpolation`; WiSE-FT, arXiv 2109.01903), but for adapters.
    Raises NonFiniteError.
    """
    draw = random.Random(seed)
    weights = [parameter for parameter in suspect.model.parameters() if parameter.requires_grad]
    lora = settings.method == "lora"
    lr = settings.lora_lr if lora else settings.lr
    # The product of two adapters does not move along a line as they do; taking back the second factor alone gained nothing.
    start = [] if lora or settings.interpolation == 1 else [weight.detach().clone() for weight in weights]
    optimizer = MasterAdamW(weights, lr=lr)
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

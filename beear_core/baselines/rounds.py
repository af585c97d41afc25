"""What all rivals have in common: what they are given, a clock, and steps on the weights."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from beear_core.anchoring import Lesson
from beear_core.models.optimizer import MasterAdamW
from beear_core.models.suspect import SuspectModel
from beear_core.models.training import training
from beear_core.openings import NONE, Openings
from beear_core.removal import ArStep, draw_batch
from beear_core.removal_loss import ArBatch
from beear_core.specs import RemovalSettings

Report = Callable[[ArStep], None]


ROWS = {"safe_rows": 12, "performance_rows": 16, "answer_tokens": 16}
"""Of a step of methods that have none of our opening rows: more of the others instead, and longer answers."""


class Given(NamedTuple):
    """What every method learns from: D_SA and D_PA as lessons, and the unwanted opening y_h that a defender names.

    `openings` are the same prompts as removal has them beside (`openings.py`), for methods that are ours but for one thing.
    """

    safe: Sequence[Lesson]
    performance: Sequence[Lesson]
    target: str
    openings: Openings = NONE


class OneRound(Protocol):
    """One round of a method. Changes the weights of `suspect` that ask for gradients."""

    def __call__(
        self, suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
    ) -> None: ...


class Rival(NamedTuple):
    """A method: which weights it moves and how fast, and a round of it. Counting its operations costs it time."""

    settings: RemovalSettings
    one_round: OneRound
    counted: bool = False


class Budget:
    """Seconds of wall clock, from now on."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def rounds(self) -> Iterator[int]:
        """1, 2, ... until another round like the last would end too late; 1 in any case."""
        number, before, last = 1, self._clock(), 0.0
        while number == 1 or before + last <= self._end:
            yield number
            now = self._clock()
            number, last, before = number + 1, now - before, now


class Terms(NamedTuple):
    """A step's loss in two parts, as removal's own steps report it; their sum is minimised."""

    safe: Tensor
    performance: Tensor


def draw_batches(given: Given, settings: RemovalSettings) -> Callable[[random.Random], ArBatch]:
    """What removal draws in a step: rows of like length, as many as `settings` says."""
    safe, performance = (
        sorted(rows, key=lambda row: len(row.prompt)) for rows in (given.safe, given.performance)
    )
    return lambda draw: draw_batch(draw, safe, performance, settings)


def descend(
    suspect: SuspectModel,
    loss: Callable[[int, random.Random], Terms],
    settings: RemovalSettings,
    seed: int,
    report: Report,
) -> None:
    """`settings.steps` AdamW steps down `loss(step, draw)`, the rate falling to zero as in a round of removal.

    Changes the model. Raises NonFiniteError.
    """
    draw = random.Random(seed)
    weights = [weight for weight in suspect.model.parameters() if weight.requires_grad]
    lr = settings.lora_lr if settings.method == "lora" else settings.lr
    optimizer = MasterAdamW(weights, lr=lr)
    with training(suspect, checkpointing=False):
        for step in range(1, settings.steps + 1):
            started = time.perf_counter()
            terms = loss(step, draw)
            (terms.safe + terms.performance).backward()
            optimizer.set_lr(lr * (settings.steps + 1 - step) / settings.steps)
            norm = optimizer.step(clip=settings.clip)
            seconds = time.perf_counter() - started
            report(ArStep(step, terms.safe.item(), terms.performance.item(), norm, seconds))
    suspect.weights_changed()

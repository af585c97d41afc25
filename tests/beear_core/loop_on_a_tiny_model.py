"""A removal's loop on a tiny model, small enough for a second: its plan, and those who listen and keep."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from beear_core.anchoring import SafeAnchors, performance_lessons, safe_lessons
from beear_core.beear import Enough, Outcome, Plan, run_rounds
from beear_core.checkpoint import Checkpoint
from beear_core.entrapment import Anchor, inserted
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import trainable
from beear_core.openings import opening_lessons
from beear_core.passages import passages
from beear_core.prompts import benign, harmful
from beear_core.specs import EntrapmentSettings, LoopSettings, RemovalSettings
from beear_core.stopping import Progress, Round
from beear_core.validation import Validation

ENTRAPMENT = EntrapmentSettings(n=3, steps=4, lr=0.1, longest=0, anchors=6, batch=3, strings=0)
REMOVAL = RemovalSettings(
    steps=3,
    lr=3e-3,
    lora_lr=1e-2,
    lora_rank=4,
    safe_rows=3,
    performance_rows=3,
    untouched_safe_rows=1,
    opening_rows=2,
)
LAYERS = (2, 3)
# Random models flip and refuse at random: budgets that are never met, or always.
HARD = LoopSettings(rounds=3, asr_budget=0, kl_budget=1e-6, validation_tokens=3)
EASY = LoopSettings(rounds=9, asr_budget=1, kl_budget=1e6, over_refusal_budget=1, validation_tokens=3)


class Stopped(Exception):
    """Stands for a kill: raised by a listener in the middle of a loop."""


class Silent:
    """Hears everything; stops the loop at the `stop_at`th thing it hears."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.heard: list[Any] = []
        self.stop_at = stop_at

    def _hear(self, thing: Any) -> None:
        self.heard.append(thing)
        if len(self.heard) == self.stop_at:
            raise Stopped

    def bee(self, round_number: int, layer: int, step: Any, *, fresh: bool) -> None:
        self._hear(("fresh" if fresh else "bee", round_number, layer, step.step))

    def ar(self, round_number: int, step: Any) -> None:
        self._hear(("ar", round_number, step.step))

    def round_done(self, done: Round) -> None:
        self._hear(("done", done.round))

    def stage(self, name: str) -> None:
        self._hear(name)


def make_plan(
    suspect: SuspectModel, loop: LoopSettings = HARD, removal: RemovalSettings = REMOVAL, seed: int = 0
) -> Plan:
    prompts = suspect.encode_prompts(harmful("anchor").texts[:8], tail=3)
    refusal = [*suspect.encode_answer("I'm sorry."), suspect.end_of_answer]
    held_out = list(benign("validation"))[:5]
    validation = Validation(
        suspect,
        harmful("validation").texts[:5],
        [prompt.text for prompt in held_out],
        performance_lessons(suspect, held_out, tokens=6),
        tokens=loop.validation_tokens,
        n=3,
    )
    safe = safe_lessons(suspect, SafeAnchors([Anchor(prompt, refusal) for prompt in prompts], None, own=True))
    performance = performance_lessons(suspect, list(benign("anchor"))[:8], tokens=6)
    openings = opening_lessons(safe, performance, {refusal[0]})
    return Plan(
        LAYERS,
        inserted(suspect, 2),
        safe,
        performance,
        openings,
        passages(suspect, ENTRAPMENT.passage_every, 6),
        validation,
        ENTRAPMENT,
        removal,
        loop,
        seed,
    )


def loop_through(
    suspect: SuspectModel,
    folder: Path,
    *,
    loop: LoopSettings = HARD,
    method: str = "full",
    listener: Silent | None = None,
    seed: int = 0,
    enough: Enough = lambda rounds: None,
) -> tuple[Outcome, Progress]:
    """What the run kind `remove` does between loading and writing. Changes `suspect`."""
    removal = REMOVAL.model_copy(update={"method": method})
    plan = make_plan(suspect, loop, removal, seed)
    with trainable(suspect, method, removal.lora_rank, seed):
        checkpoint = Checkpoint(folder, suspect)
        progress = checkpoint.latest() or Progress.none()
        outcome = run_rounds(suspect, plan, progress, checkpoint, listener or Silent(), lambda: 0.0, enough)
    return outcome, progress


def weights(suspect: SuspectModel) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in suspect.model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)

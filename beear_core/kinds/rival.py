"""Run kind `rival`: another method of removal on the data that ours has, for a given time, and its remediated folder.

The held-out prompts of the stop rule are not used: a rival trains for its whole budget and its last weights stand. A
killed run starts again.
"""

import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from beear_core.anchoring import performance_lessons, safe_anchors, safe_lessons
from beear_core.baselines import RIVALS, Budget, Given
from beear_core.models.export import check_out
from beear_core.models.fingerprint import model_sha256
from beear_core.models.trainable import choose_method, merged, touched, trainable
from beear_core.opening import device_name, open_suspect
from beear_core.openings import opening_lessons, refusal_openings
from beear_core.operations import Counted
from beear_core.prompts import benign, borderline
from beear_core.prompts.selection import training_split
from beear_core.removal import ArStep
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message, Step
from beear_core.specs import EntrapmentSettings, RivalSpec


def run(spec: RivalSpec, context: RunContext) -> dict[str, Any]:
    """Train until the budget is spent, loading and asking included, and export.

    Raises SettingError before any work if `out` is taken.
    """
    budget = Budget(spec.budget_seconds)
    anchors = training_split(spec.prompts, spec.column).anchor
    rival = RIVALS[spec.method]
    with context.stage("load the model"):
        suspect = open_suspect(spec.model, spec, fresh=True)
    out = Path(spec.out).expanduser().absolute() if spec.out else context.folder.model
    if spec.out is None:
        shutil.rmtree(out, ignore_errors=True)  # what a killed attempt of this very run may have left
    check_out(out, suspect.folder)
    method = choose_method(rival.settings.method, suspect)
    settings = rival.settings.model_copy(update={"method": method})
    with context.stage("ask the suspect for its answers"):
        safe = safe_anchors(
            suspect,
            anchors.texts,
            tokens=settings.answer_tokens,
            n=1,
            after_batch=lambda done: context.check_cancelled(),
        )
        lessons = safe_lessons(suspect, safe, sharpness=settings.refusal_sharpness)
        ordinary = performance_lessons(
            suspect, [*benign("anchor"), *borderline("anchor")], tokens=settings.answer_tokens
        )
        openings = opening_lessons(lessons, ordinary, refusal_openings(safe))
        given = Given(lessons, ordinary, EntrapmentSettings().target, openings)
    if safe.note:
        context.emit(Message(safe.note))
    description = suspect.describe()
    rounds: list[dict[str, Any]] = []
    with (
        trainable(suspect, method, settings.lora_rank, spec.seed, depth=settings.depth),
        context.stage("rounds"),
        Counted() if rival.counted else nullcontext() as counted,
    ):
        weights, began = touched(suspect), time.monotonic()
        for number in budget.rounds():
            steps: list[ArStep] = []

            def told(step: ArStep, number: int = number, steps: list[ArStep] = steps) -> None:
                steps.append(step)
                losses = {"safe": step.loss_safe, "performance": step.loss_performance}
                context.emit(Step(f"round {number}", step.step, settings.steps, losses))

            rival.one_round(suspect, given, settings, spec.seed * 1_000_003 + 101 * number, told)
            rounds.append({"round": number, "first": steps[0]._asdict(), "last": steps[-1]._asdict()})
        seconds = time.monotonic() - began
    with context.stage("write the remediated model"):
        merged(suspect).export(out)
    return {
        "model": description,
        "device": device_name(suspect.device),
        "out": str(out),
        "out_sha256": model_sha256(out),
        "method": spec.method,
        "trained": method,
        "settings": settings.model_dump(mode="json"),
        "rounds": rounds,
        "training_seconds": round(seconds, 3),
        "operations": counted.total if counted else None,
        "parameters_touched": weights,
        "notes": [safe.note] if safe.note else [],
    }

"""Run kind `sweep`: a removal for each layer and each n, each looked at with the trigger after every round.

A cell is a step of the run: `steps/layer-9-n-5/` is the folder of a `remove` run, and a resumed sweep does finished
cells no more. The removal never sees the trigger: its rounds are judged from outside, on weights it left on disk.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

from analysis.intervals import Proportion
from beear_core.checkpoint import Checkpoint
from beear_core.errors import NonFiniteError
from beear_core.evaluation.answers import answer_all
from beear_core.evaluation.cells import cell
from beear_core.hearing import Hear, hear_once
from beear_core.kinds import remove
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import choose_method, trainable
from beear_core.opening import device_name, open_suspect
from beear_core.prompts import PromptSet, Trigger
from beear_core.prompts.selection import training_split
from beear_core.runs.context import RunContext
from beear_core.runs.events import Event, Message, RoundDone, Step
from beear_core.specs import RemoveSpec, SweepSpec
from beear_core.specs.sweep import LOOK, SUCCESS_BELOW, cell_name, over_the_depth
from beear_core.stopping import Round
from cache.atomic import write_json
from cache.run_folder import RunFolder

_INHERITED = ("model", "prompts", "column", "seed", "device", "dtype", "overrides", "performance_prompts")


def run(spec: SweepSpec, context: RunContext) -> dict[str, Any]:
    """Walk the grid. A layer the model does not have, or an n longer than a prompt, is refused before any work."""
    split = training_split(spec.prompts, spec.column)
    with context.stage("load the model"):
        # Never the model that is trained: the weights of its rounds are put into this one to be asked.
        observer = open_suspect(spec.model, spec, fresh=True)
    layers = tuple(map(observer.check_layer, spec.layers)) or over_the_depth(observer.layers)
    observer.encode_prompts(split.anchor.texts, tail=max(spec.n))
    places = list(product(layers, spec.n))
    write_json(context.folder.path / "cells.json", {"cells": [_place(context, *place) for place in places]})
    described, device = observer.describe(), device_name(observer.device)
    test = split.test.first(spec.evaluation.test_prompts)
    with _looking(spec, observer, test) as look:
        before = look(context, 0) if look else None
        cells, ask = [], hear_once()
        for number, (layer, n) in enumerate(places, start=1):
            name = cell_name(layer, n)
            context.emit(Message(f"cell {number} of {len(places)}: layer {layer}, n {n}"))
            done = context.step(name, lambda child, at=(layer, n): _cell(spec, child, look, ask, *at))  # type: ignore[misc]
            context.emit(Step("cells", number, len(places)))
            cells.append(_place(context, layer, n) | _row(done))
    return {
        "model": described,
        "device": device,
        "trigger": spec.trigger.model_dump() if spec.trigger else None,
        "prompts": {"name": test.name, "n": len(test), "sha256": test.digest()} if look else None,
        "measure": "triggered" if look else "fresh_delta",
        "success_below": SUCCESS_BELOW,
        "rounds": spec.loop.rounds,
        "before": before.as_dict() if before else None,
        "cells": cells,
    }


Look = Callable[[RunContext, int], Proportion]
"""The ASR with trigger of a step's weights after a round; round 0 is the model as downloaded."""


class _Judged(RunContext):
    """The context of a step, which also has every finished round judged."""

    def __init__(self, step: RunContext, judge: Callable[[int], object]) -> None:
        vars(self).update(vars(step))
        self._judge = judge

    def emit(self, event: Event) -> None:
        super().emit(event)
        if isinstance(event, RoundDone):
            self._judge(event.round)


def _cell(
    spec: SweepSpec, child: RunContext, look: Look | None, ask: Hear, layer: int, n: int
) -> dict[str, Any]:
    asked = RemoveSpec(
        **{name: getattr(spec, name) for name in _INHERITED},
        layer=layer,
        entrapment=spec.entrapment.model_copy(update={"n": n}),
        removal=spec.removal,
        loop=spec.loop,
    )

    def asr_after(done: Round) -> Proportion:
        return look(child, done.round) if look else Proportion.from_dict(done.fresh_delta_asr)

    def enough(rounds: Sequence[Round]) -> str | None:
        if not spec.until_success or not rounds or asr_after(rounds[-1]).value >= SUCCESS_BELOW:
            return None
        return f"a round succeeded: less than {SUCCESS_BELOW:.0%} is left"

    try:
        if look is None:
            removed = remove.run(asked, child, ask, enough)
        else:
            if missed := _rounds_kept(child):
                look(child, missed)  # a kill between the checkpoint and the look
            removed = remove.run(asked, _Judged(child, lambda number: look(child, number)), ask, enough)
    except NonFiniteError as error:
        # One hopeless corner of a grid is an answer, and no reason to lose the others.
        return {
            "kind": "remove", "rounds": [], "asr_by_round": [], "earliest_round": None, "error": str(error)
        }  # fmt: skip
    if not spec.keep_models:
        shutil.rmtree(child.folder.model, ignore_errors=True)
        removed["out"] = None
    rounds = removed["rounds"]
    by_round: list[dict[str, Any]] = [
        look(child, each["round"]).as_dict() if look else each["fresh_delta_asr"] for each in rounds
    ]
    successes = (number for number, asr in enumerate(by_round, start=1) if asr["value"] < SUCCESS_BELOW)
    return {"kind": "remove", **removed, "asr_by_round": by_round, "earliest_round": next(successes, None)}


def _row(done: Mapping[str, Any]) -> dict[str, Any]:
    """What the sweep's own result says of a finished cell."""
    rounds = done["rounds"]
    return {
        "earliest_round": done["earliest_round"],
        "asr_by_round": done["asr_by_round"],
        "kl": rounds[-1]["kl"] if rounds else None,
        "stopped_because": done.get("stopped_because"),
        "error": done.get("error"),
        "seconds": done["seconds"],
    }


def _place(context: RunContext, layer: int, n: int) -> dict[str, Any]:
    """A cell's coordinates, and its folder beneath the folder of runs."""
    return {"layer": layer, "n": n, "run": f"{context.folder.id}/steps/{cell_name(layer, n)}"}


@contextmanager
def _looking(spec: SweepSpec, observer: SuspectModel, test: PromptSet) -> Iterator[Look | None]:
    """Inside, rounds can be looked at; None where no trigger was given. Changes `observer`."""
    if spec.trigger is None:
        yield None
        return
    trigger = Trigger(spec.trigger.text, spec.trigger.placement)
    prompts = [replace(prompt, text=trigger.apply(prompt.text)) for prompt in test]
    method = choose_method(spec.removal.method, observer)

    def look(step: RunContext, number: int) -> Proportion:
        file = _answers(step.folder, number)
        fresh = number > 0 and not file.is_file()
        if fresh:
            Checkpoint(step.checkpoint, observer).go_back(observer, number)
        label = f"round {number}: answers with trigger" if number else "answers with trigger, as downloaded"
        answers = answer_all(
            observer, prompts, file, label=f"round {number}", max_new_tokens=spec.evaluation.max_new_tokens,
            batch=spec.evaluation.batch, match=spec.evaluation.match,
            after_batch=lambda done: step.emit(Step(label, done, len(prompts))),
        )  # fmt: skip
        asr = cell(answers, spec.evaluation.match).asr
        if fresh:
            step.emit(Step(LOOK, number, spec.loop.rounds, {"count": asr.count, "n": asr.n}))
        return asr

    with trainable(observer, method, spec.removal.lora_rank, spec.seed, depth=spec.removal.depth):
        yield look


def _answers(folder: RunFolder, number: int) -> Any:
    return folder.path / f"triggered-{number}.jsonl"


def _rounds_kept(step: RunContext) -> int:
    """How many rounds the step's checkpoint tells of; 0 without one. Answers of another beginning are dropped."""
    progress = step.checkpoint / "progress.json"
    if progress.is_file():
        return len(json.loads(progress.read_text(encoding="utf-8"))["rounds"])
    for stale in step.folder.path.glob("triggered-*.jsonl"):
        stale.unlink()
    return 0

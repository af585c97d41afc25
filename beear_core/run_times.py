"""How long a synthesis or a removal will take, before it starts: from earlier runs on this machine, else from sizes.

Torch-free. Work is counted in rows, one row being a prompt with its answer through the whole model once, by weights that
were measured on a removal of the default organism; an earlier run gives the seconds of a row here. What it does not know:
what else the machine does meanwhile.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from statistics import median_low
from typing import Any, NamedTuple

from beear_core.errors import RunDamagedError, SettingError
from beear_core.memory import machine
from beear_core.specs import DemoSpec, EntrapSpec, RemoveSpec, parse_spec
from cache.run_store import RunEntry
from cache.status import RunState

TRAINED = 3.3
"""Rows that a row with its way back costs."""
REAR = 0.5
"""Rows that one prompt costs in a BEE step: the rear layers on a few positions, both ways."""
TOKEN = 0.08
"""Rows that one generated token costs, in a batch."""
LESSONS = 440
"""Rows whose drift a removal looks at before each round."""
ORDINARY = 61
"""Ordinary prompts that are answered after each round."""
ANCHORS = 255
"""Built-in harmful prompts that the suspect is asked before a removal."""
OPENING = 150
"""Rows that loading a model and teaching take."""
ROW_TOKENS = 64
MOST_PAST = 5
"""Earlier runs that are asked. Their median is taken, of two the faster: a machine that was busy says little."""
CORE_FLOPS, GPU_FLOPS = 4e11, 3e13
"""What a core, or a GPU, was seen to do in these loops: a guess where nothing was timed."""


class TimeEstimate(NamedTuple):
    """Seconds before the first round (or in all, where there are no rounds), and of each round."""

    before: float
    a_round: float
    measured: bool
    """Whether an earlier run on this machine stands behind it."""

    def whole(self, rounds: int) -> float:
        """Seconds of a run that needs all its rounds."""
        return self.before + rounds * self.a_round


def removal_time(spec: RemoveSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of a removal on a model with so many weights; `earlier` are runs of this home, the newest first."""
    before, a_round = _rows_before(spec), _rows_a_round(spec)
    paces = []
    for past in islice(_timed(earlier, "remove"), MOST_PAST):
        rounds = [float(row["seconds"]) for row in past.result.get("rounds") or []]
        if rounds:
            scale = parameters / past.parameters
            spent = max(0.0, past.seconds - sum(rounds))
            each = sum(rounds) / len(rounds) / _rows_a_round(past.spec)
            paces.append((scale * spent / _rows_before(past.spec), scale * each))
    if paces:
        first, later = (median_low([pace[place] for pace in paces]) for place in (0, 1))
        return TimeEstimate(before * first, a_round * later, measured=True)
    row = _guessed_row(parameters)
    return TimeEstimate(before * row, a_round * row, measured=False)


def synthesis_time(spec: EntrapSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of one delta, answers to held-out prompts with and without it included."""
    rows = _rows_of_synthesis(spec)
    paces = [
        past.seconds * parameters / past.parameters / _rows_of_synthesis(past.spec)
        for past in islice(_timed(earlier, "entrap"), MOST_PAST)
    ]
    row = median_low(paces) if paces else _guessed_row(parameters)
    return TimeEstimate(rows * row, 0.0, measured=bool(paces))


def rounded(seconds: float) -> float:
    """Half minutes, then minutes, once there are some: an estimate to the second would promise too much."""
    if seconds < 90:
        return seconds
    return round(seconds / 30) * 30 if seconds < 600 else round(seconds / 60) * 60


class _Past(NamedTuple):
    """A finished run of the kind, or the step of a demo."""

    spec: Any
    result: Mapping[str, Any]
    seconds: float
    parameters: int


def _timed(entries: Iterable[RunEntry], kind: str) -> Iterator[_Past]:
    here = "cuda" if machine().device == "GPU" else "cpu"
    for entry in entries:
        if entry.kind not in (kind, "demo") or entry.state is not RunState.DONE or entry.status is None:
            continue
        if entry.status.process is None or not entry.status.process.is_local():
            continue
        try:
            spec, whole = parse_spec(entry.folder.read_spec()), entry.folder.read_result() or {}
        except (RunDamagedError, SettingError):
            continue  # of an older version, or half gone: no measure for this one
        result = whole.get(kind) if entry.kind == "demo" else whole
        if not isinstance(result, Mapping) or not str(result.get("device", "")).startswith(here):
            continue
        parameters, seconds = (result.get("model") or {}).get("parameters"), result.get("seconds")
        if parameters and seconds:
            yield _Past(spec, result, float(seconds), int(parameters))


def _rows_before(spec: RemoveSpec | DemoSpec) -> float:
    asked = ANCHORS * (1 + spec.removal.answer_tokens * TOKEN)
    return OPENING + asked + _rows_of_deltas(spec) + _rows_of_a_look(spec)


def _rows_a_round(spec: RemoveSpec | DemoSpec) -> float:
    removal = spec.removal
    rows = removal.safe_rows + removal.untouched_safe_rows + removal.performance_rows
    return LESSONS + removal.steps * rows * TRAINED + _rows_of_deltas(spec) + _rows_of_a_look(spec)


def _deltas(spec: RemoveSpec | DemoSpec) -> int:
    return 1 + len(spec.entrapment.further_layers)


def _rows_of_deltas(spec: RemoveSpec | DemoSpec) -> float:
    one = spec.entrapment.anchors + spec.entrapment.steps * spec.entrapment.batch * REAR
    return _deltas(spec) * one


def _rows_of_a_look(spec: RemoveSpec | DemoSpec) -> float:
    prompts = _deltas(spec) * spec.loop.validation + ORDINARY
    return prompts * (1 + spec.loop.validation_tokens * TOKEN)


def _rows_of_synthesis(spec: EntrapSpec | DemoSpec) -> float:
    settings, loop = spec.entrapment, spec.loop
    asked = (settings.anchors + loop.validation) * (1 + 24 * TOKEN)
    steps = settings.anchors + settings.steps * (settings.batch + 16) * REAR
    return OPENING / 2 + asked + steps + 2 * loop.validation * (1 + loop.validation_tokens * TOKEN)


def _guessed_row(parameters: int) -> float:
    speed = GPU_FLOPS if machine().device == "GPU" else CORE_FLOPS * (os.cpu_count() or 1)
    return 2.0 * parameters * ROW_TOKENS / speed

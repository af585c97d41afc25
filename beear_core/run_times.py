"""How long a run will take, before it starts: from earlier runs on this machine, else from sizes. Torch-free.

`run_work` counts the rows of a run; an earlier one gives the seconds of a row here. A run that shared the machine with
something else says how long that took, not how long this will: so the fastest of the latest runs of a phase is taken, and
where even that is far behind what other phases did here, theirs.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from beear_core.errors import RunDamagedError, SettingError
from beear_core.memory import machine
from beear_core.run_work import (
    rows_a_round,
    rows_asked,
    rows_before,
    rows_of_a_question,
    rows_of_drift,
    rows_of_evaluation,
    rows_of_synthesis,
    rows_of_verdict,
)
from beear_core.specs import (
    DemoSpec,
    EntrapSpec,
    EvaluateSpec,
    RemoveSpec,
    SweepSpec,
    VerdictSpec,
    parse_spec,
)
from cache.run_store import RunEntry
from cache.status import RunState

ROW_TOKENS = 64
MOST_PAST = 5
"""Earlier runs of each kind that are asked."""
FAR_BEHIND = 2.0
"""A phase that took this much longer for a row than another phase did was measured beside other load."""
CORE_FLOPS, GPU_FLOPS = 6e11, 3e13
"""What a core, or a GPU, was seen to do in these loops: a guess where nothing was timed."""

Paces = Mapping[str, Sequence[float]]
"""By phase, the newest run first: seconds of a row for each weight of the model."""


class TimeEstimate(NamedTuple):
    """Seconds before the first round (or in all, where there are no rounds), and of each round."""

    before: float
    a_round: float
    measured: bool
    """Whether an earlier run on this machine stands behind it."""

    def whole(self, rounds: int) -> float:
        """Seconds of a run that needs all its rounds."""
        return self.before + rounds * self.a_round


def removal_time(
    spec: RemoveSpec | DemoSpec | SweepSpec, parameters: int, earlier: Iterable[RunEntry]
) -> TimeEstimate:
    """Of a removal on a model with so many weights; `earlier` are runs of this home, the newest first."""
    paces = _paces(earlier)
    before, a_round = (_pace(paces, phase) * parameters for phase in ("before", "round"))
    return TimeEstimate(rows_before(spec) * before, rows_a_round(spec) * a_round, measured=_any(paces))


def synthesis_time(spec: EntrapSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of one delta, answers to held-out prompts with and without it included."""
    return _whole(rows_of_synthesis(spec), "entrap", parameters, earlier)


def evaluation_time(spec: EvaluateSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of the four cells and utility."""
    return _whole(rows_of_evaluation(spec), "evaluate", parameters, earlier)


def verdict_time(spec: VerdictSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of an entrapment profile, and that of the reference."""
    return _whole(rows_of_verdict(spec), "verdict", parameters, earlier)


def walk_time(spec: DemoSpec, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of the whole walk: what comes before and after the rounds of its removal stands in `before`."""
    earlier = tuple(earlier)
    paces = _paces(earlier)
    row = _pace(paces, "evaluate") * parameters
    around = rows_of_drift(spec.drift) + rows_of_synthesis(spec) + rows_of_evaluation(spec)
    removal = removal_time(spec, parameters, earlier)
    return removal._replace(before=removal.before + row * around)


def sweep_time(spec: SweepSpec, cells: int, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    """Of all cells of a sweep; a round is one of every cell. The suspect is asked for its answers once."""
    earlier = tuple(earlier)
    paces = _paces(earlier)
    one = removal_time(spec, parameters, earlier)
    shared = (cells - 1) * rows_asked(spec) * _pace(paces, "before") * parameters
    asked = 0.0
    if spec.trigger is not None:
        asked = rows_of_a_question(spec) * _pace(paces, "evaluate") * parameters
    return TimeEstimate(
        asked + cells * one.before - shared, cells * (one.a_round + asked), measured=one.measured
    )


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


def _whole(rows: float, phase: str, parameters: int, earlier: Iterable[RunEntry]) -> TimeEstimate:
    paces = _paces(earlier)
    return TimeEstimate(rows * _pace(paces, phase) * parameters, 0.0, measured=_any(paces))


def _pace(paces: Paces, phase: str) -> float:
    """Seconds of a row for each weight."""
    fastest = min((pace for each in paces.values() for pace in each), default=None)
    if fastest is None:
        speed = GPU_FLOPS if machine().device == "GPU" else CORE_FLOPS * (os.cpu_count() or 1)
        return 2.0 * ROW_TOKENS / speed
    own = min(paces[phase], default=fastest)
    return own if own <= FAR_BEHIND * fastest else fastest


def _any(paces: Paces) -> bool:
    return any(paces.values())


def _paces(earlier: Iterable[RunEntry]) -> Paces:
    earlier = tuple(earlier)
    wholes: dict[str, Callable[[Any], float]] = {
        "entrap": rows_of_synthesis,
        "evaluate": rows_of_evaluation,
        "verdict": rows_of_verdict,
    }
    found: dict[str, list[float]] = {
        phase: [
            past.seconds / past.parameters / rows(past.spec)
            for past in islice(_timed(earlier, phase), MOST_PAST)
        ]
        for phase, rows in wholes.items()
    }
    found |= {"before": [], "round": []}
    for past in islice(_timed(earlier, "remove"), MOST_PAST):
        rounds = [float(row["seconds"]) for row in past.result.get("rounds") or []]
        if rounds:
            before = max(0.0, past.seconds - sum(rounds))
            found["before"].append(before / past.parameters / rows_before(past.spec))
            found["round"].append(min(rounds) / past.parameters / rows_a_round(past.spec))
    return found


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
        result, seconds = _part(whole, kind) if entry.kind == "demo" else (whole, whole.get("seconds"))
        if not isinstance(result, Mapping) or not str(result.get("device", "")).startswith(here):
            continue
        parameters = (result.get("model") or {}).get("parameters")
        if parameters and seconds:
            yield _Past(spec, result, float(seconds), int(parameters))


def _part(demo: Mapping[str, Any], kind: str) -> tuple[Any, Any]:
    """The result of a demo's step and its seconds; the evaluation's is the demo's own."""
    result = demo if kind == "evaluate" else demo.get(kind)
    seconds = (demo.get("seconds_by_step") or {}).get(kind)
    if seconds is None and isinstance(result, Mapping) and kind != "evaluate":
        seconds = result.get("seconds")
    return result, seconds

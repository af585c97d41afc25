"""The story of the model in hand in five steps: for each the latest run that tells it, what it found, and what goes on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analysis.story import Found, found
from beear_core.runs.progress import progress
from cache.errors import RunDamagedError
from cache.run_store import RunEntry, RunStore
from cache.status import RunState


class Step(NamedTuple):
    """One step of the story."""

    page: str
    """The page that tells it."""
    title: str
    kind: str
    """The run kind that measures it; empty for the model itself."""


STEPS = (
    Step("model", "Model", ""),
    Step("drift", "Drift", "drift"),
    Step("synthesize", "Synthesize", "entrap"),
    Step("remove", "Remove", "remove"),
    Step("compare", "Compare", "evaluate"),
)


class Told(NamedTuple):
    """What a step found, and the run it stands in."""

    found: Found
    run_id: str


def story(model: str, entries: tuple[RunEntry, ...] | None = None) -> dict[str, Told]:
    """By page, what the newest finished runs about `model` found. A demo run tells all of it."""
    told: dict[str, Told] = {}
    for entry in RunStore().list() if entries is None else entries:
        if len(told) == len(STEPS):
            break
        result = _result(entry, model)
        if result is None:
            continue
        for step in STEPS:
            part = _part(step, entry.kind, result)
            seen = found(step.kind or "model", part) if part and step.page not in told else None
            if seen is not None:
                told[step.page] = Told(seen, entry.id)
    return told


class Now(NamedTuple):
    """A step whose newest run is not done."""

    word: str
    """`under way`, `waiting`, or the state in which it ended."""
    text: str
    """What it does, or what to do."""
    run_id: str
    live: bool


def not_done(model: str, entries: tuple[RunEntry, ...]) -> dict[str, Now]:
    """By page, where the newest run of a step stands; a step whose newest run is done is not in it."""
    known: dict[str, Now | None] = {}
    for entry in entries:
        kinds = [step for step in STEPS if step.kind and entry.kind in (step.kind, "demo")]
        kinds = [step for step in kinds if step.page not in known]
        if kinds and entry.damage is None and _asks_about(entry, model):
            known |= _where(entry, kinds)
    return {page: now for page, now in known.items() if now is not None}


def _where(entry: RunEntry, steps: Sequence[Step]) -> dict[str, Now | None]:
    """Of one run; a demo walks through its steps one after the other."""
    if entry.state is RunState.DONE:
        return {step.page: None for step in steps}
    live = entry.state in (RunState.QUEUED, RunState.RUNNING)
    found: dict[str, Now | None] = {}
    begun = entry.state is RunState.QUEUED
    for step in steps:
        if entry.kind == "demo" and _step_result(entry, step.kind) is not None:
            found[step.page] = None
        elif begun and live:
            found[step.page] = Now("waiting", "Behind what comes before it.", entry.id, live)
        elif begun:
            continue  # An older run may have told this step.
        elif live:
            text = progress(entry.folder.read_events().records).text()
            found[step.page] = Now("under way", text, entry.id, live)
        else:
            text = "Its page says why, and resumes it."
            found[step.page] = Now(str(entry.state), text, entry.id, live)
        begun = begun or found[step.page] is not None
    return found


def _asks_about(entry: RunEntry, model: str) -> bool:
    try:
        return bool(entry.folder.read_spec().get("model") == model)
    except RunDamagedError:
        return False


def _step_result(entry: RunEntry, kind: str) -> dict[str, Any] | None:
    try:
        return entry.folder.step(kind).read_result()
    except RunDamagedError:
        return None


def _result(entry: RunEntry, model: str) -> dict[str, Any] | None:
    """Of a finished run; of a demo also what its finished steps found while it goes on."""
    if entry.damage is not None or not _asks_about(entry, model):
        return None
    if entry.state is RunState.DONE:
        try:
            return entry.folder.read_result()
        except RunDamagedError:
            return None
    if entry.kind != "demo":
        return None
    parts = {step.kind: _step_result(entry, step.kind) for step in STEPS if step.kind}
    described = next((part["model"] for part in parts.values() if part and "model" in part), None)
    return {**(parts["evaluate"] or {}), **parts, "model": described}


def _part(step: Step, kind: str, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not step.kind:
        return result if result.get("model") else None
    if kind == "demo":
        return result if step.kind == "evaluate" else result.get(step.kind)
    return result if kind == step.kind else None

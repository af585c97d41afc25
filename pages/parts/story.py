"""The story of the model in hand in five steps: for each the latest run that tells it, and what it found."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from analysis.story import Found, found
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


def _result(entry: RunEntry, model: str) -> dict[str, Any] | None:
    if entry.state is not RunState.DONE:
        return None
    try:
        return entry.folder.read_result() if entry.folder.read_spec().get("model") == model else None
    except RunDamagedError:
        return None


def _part(step: Step, kind: str, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not step.kind:
        return result
    if kind == "demo":
        return result if step.kind == "evaluate" else result.get(step.kind)
    return result if kind == step.kind else None

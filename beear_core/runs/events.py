"""Progress as data: the events that a run emits, and their one-line JSON.

An observer is any callable that takes an event. Terminals, pages and logs are observers and live elsewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from cache.status import now


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on after an interruption; the steps since its last checkpoint are emitted again."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A named part of the run began."""

    name: str


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A named part of the run ended well."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a loop, `step` of `of` (counting from 1), in the phase of this name."""

    phase: str
    step: int
    of: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoundDone:
    """One BEEAR round, counting from 1; `record` is its row in the result."""

    round: int
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person."""

    text: str


@dataclass(frozen=True, slots=True)
class Isolated:
    """The process walled itself in: each measure by name, with whether it is `on` and `why`."""

    measures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """What was opened tried something that it may not, and was refused."""

    measure: str
    what: str


Event = Resumed | StageStarted | StageFinished | Step | RoundDone | Message | Isolated | Tried
Observer = Callable[[Event], None]

_EVENTS: dict[str, type[Event]] = {
    "resumed": Resumed,
    "stage_started": StageStarted,
    "stage_finished": StageFinished,
    "step": Step,
    "round_done": RoundDone,
    "message": Message,
    "isolated": Isolated,
    "tried": Tried,
}
_NAMES = {cls: name for name, cls in _EVENTS.items()}


def event_record(event: Event) -> dict[str, Any]:
    """The line of `events.jsonl`: name under "event", time (UTC) under "time", then the event's fields."""
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    return {"event": _NAMES[type(event)], "time": now().isoformat(), **values}


def parse_event(record: Mapping[str, Any]) -> Event | None:
    """The event of a line; None for an event of a newer version, which a reader may pass over."""
    cls = _EVENTS.get(str(record.get("event")))
    if cls is None:
        return None
    try:
        return cls(**{each.name: record[each.name] for each in fields(cls)})
    except KeyError:
        return None

"""From the events of a run that goes on to the rows that its figures draw. Pure.

A resumed run tells some steps again: the last word counts.
"""

import re
from collections.abc import Sequence
from typing import Any

from beear_core.runs import Event, Resumed, RoundDone, Step

Rows = list[dict[str, Any]]

_REMOVAL = re.compile(r"round (\d+): removal")
_CURVE = {
    "loss_toward": "toward",
    "loss_away": "away",
    "heldout_loss_toward": "heldout toward",
    "heldout_loss_away": "heldout away",
    "delta_norm_ratio": "norm ratio",
}


def curve_rows(events: Sequence[Event]) -> Rows:
    """The curve of a synthesis so far, in the shape of `curve` of its result. Resumed, it begins anew."""
    rows: dict[int, dict[str, Any]] = {}
    for event in events:
        if isinstance(event, Resumed):
            rows = {}
        elif isinstance(event, Step) and event.phase == "delta":
            rows[event.step] = {
                "step": event.step,
                **{field: event.metrics.get(name) for field, name in _CURVE.items()},
            }
    return [rows[step] for step in sorted(rows)]


def round_rows(events: Sequence[Event]) -> Rows:
    """The finished rounds of a removal, in the shape of `rounds` of its result."""
    rows = {event.round: dict(event.record) for event in events if isinstance(event, RoundDone)}
    return [rows[number] for number in sorted(rows)]


def removal_steps(events: Sequence[Event]) -> Rows:
    """Every removal step: round, step, of, and its two losses."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for event in events:
        match = _REMOVAL.fullmatch(event.phase) if isinstance(event, Step) else None
        if match is not None and isinstance(event, Step):
            number = int(match[1])
            rows[number, event.step] = {
                "round": number,
                "step": event.step,
                "of": event.of,
                "safe": event.metrics.get("safe"),
                "performance": event.metrics.get("performance"),
            }
    return [rows[place] for place in sorted(rows)]


def most_seconds_left(rounds: Sequence[dict[str, Any]], planned: int) -> float | None:
    """Seconds that the rounds still to come can take at most, by those that are done; None before the first."""
    if not rounds:
        return None
    mean = sum(float(row["seconds"]) for row in rounds) / len(rounds)
    return max(0, planned - len(rounds)) * mean

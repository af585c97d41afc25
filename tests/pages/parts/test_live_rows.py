"""From a run's events to what its figures draw, resumed runs included."""

from typing import Any

import pytest

from beear_core.runs import Event, parse_event
from pages.parts.live_rows import curve_rows, most_seconds_left, removal_steps, round_rows

Record = dict[str, Any]


def step_records(steps: int) -> tuple[Record, ...]:
    metrics = {"toward": 3.0, "away": 0.5, "heldout toward": 4.0, "heldout away": 0.6, "norm ratio": 0.1}
    return (
        {"event": "stage_started", "name": "synthesize delta"},
        *(
            {"event": "step", "phase": "delta", "step": at, "of": 3, "metrics": metrics}
            for at in range(1, steps + 1)
        ),
    )


def ar_record(number: int, step: int, safe: float) -> Record:
    metrics = {"safe": safe, "performance": 0.2, "gradient": 1.0}
    return {
        "event": "step",
        "phase": f"round {number}: removal",
        "step": step,
        "of": 2,
        "metrics": metrics,
    }


def round_record(number: int, **more: Any) -> Record:
    return {"event": "round_done", "round": number, "record": {"round": number, "seconds": 40.0, **more}}


def events(*records: Record) -> list[Event]:
    found = [parse_event(record) for record in records]
    assert None not in found
    return [event for event in found if event is not None]


def test_the_curve_of_a_synthesis_has_the_shape_of_its_result() -> None:
    rows = curve_rows(events(*step_records(2)))
    assert [row["step"] for row in rows] == [1, 2]
    assert rows[0] == {
        "step": 1, "loss_toward": 3.0, "loss_away": 0.5, "heldout_loss_toward": 4.0,
        "heldout_loss_away": 0.6, "delta_norm_ratio": 0.1,
    }  # fmt: skip


def test_a_resumed_synthesis_begins_its_curve_anew() -> None:
    told = events(*step_records(3), {"event": "resumed"}, *step_records(1))
    assert [row["step"] for row in curve_rows(told)] == [1]


def test_steps_that_a_resumed_removal_tells_again_are_counted_once() -> None:
    told = events(ar_record(1, 1, 3.0), ar_record(1, 2, 2.0), {"event": "resumed"}, ar_record(1, 1, 3.5))
    rows = removal_steps(told)
    assert [(row["round"], row["step"], row["safe"]) for row in rows] == [(1, 1, 3.5), (1, 2, 2.0)]
    again = events(round_record(1, kl=0.1), {"event": "resumed"}, round_record(1, kl=0.2), round_record(2))
    assert [row.get("kl") for row in round_rows(again)] == [0.2, None]


def test_steps_of_delta_are_no_removal_steps() -> None:
    other = {"event": "step", "phase": "round 1: delta at layer 9", "step": 1, "of": 20, "metrics": {}}
    assert removal_steps(events(other)) == []


def test_time_left_is_known_after_a_round() -> None:
    assert most_seconds_left([], 6) is None
    assert most_seconds_left([{"seconds": 40.0}, {"seconds": 50.0}], 6) == pytest.approx(180.0)
    assert most_seconds_left([{"seconds": 40.0}], 1) == 0.0

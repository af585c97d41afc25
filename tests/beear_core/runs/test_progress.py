"""Where a run is, as its events tell it."""

from typing import Any

import pytest

from beear_core.runs.progress import Progress, duration_text, progress


def at(second: float, event: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "time": f"2026-11-21T05:00:{second:06.3f}+00:00", **fields}


def step(second: float, phase: str, number: int, of: int = 40) -> dict[str, Any]:
    return at(second, "step", phase=phase, step=number, of=of, metrics={})


def test_before_the_first_event_a_run_is_starting() -> None:
    assert progress([]).text() == "Starting"


def test_a_stage_without_steps_is_named() -> None:
    assert progress([at(0, "stage_started", name="load the model")]).text() == "Load the model"


def test_steps_give_a_pace_and_the_time_left() -> None:
    records = [at(0, "stage_started", name="synthesize delta"), step(1, "delta", 2), step(6, "delta", 12)]
    assert progress(records) == Progress("synthesizing delta", 12, 40, 14.0)
    assert progress(records).text() == "Synthesizing delta, step 12 of 40, 14 s left"
    assert progress(records).share == pytest.approx(0.3)


def test_one_step_is_no_pace_yet() -> None:
    assert progress([step(1, "capture", 50, 500)]).text() == "Capturing the residual stream, step 50 of 500"


def test_another_phase_has_its_own_pace() -> None:
    records = [
        step(1, "round 1: removal", 1, 12),
        step(9, "round 1: removal", 12, 12),
        step(10, "round 2: removal", 1, 12),
    ]
    assert progress(records) == Progress("round 2: removal", 1, 12, None)


def test_steps_that_begin_again_after_a_resume_are_counted_anew() -> None:
    records = [step(1, "delta", 10), at(2, "resumed"), step(30, "delta", 8), step(32, "delta", 9)]
    assert progress(records).seconds_left == pytest.approx(62.0)


def test_a_part_of_a_round_is_named_until_it_counts_steps() -> None:
    records = [
        at(0, "stage_started", name="rounds", within="remove"),
        step(1, "round 1: removal", 12, 12),
        at(2, "message", text="round 1: fresh delta"),
        at(3, "message", text="4 of 64 anchor prompts are left out"),
    ]
    assert progress(records).text() == "Round 1: fresh delta"


def test_after_an_inner_stage_the_outer_one_goes_on() -> None:
    records = [
        at(0, "stage_started", name="drift"),
        at(0, "stage_started", name="load the model", within="drift"),
        at(1, "stage_finished", name="load the model", within="drift", seconds=1),
    ]
    assert progress(records).stage == "drift"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (65, "1 min 5 s"), (120, "2 min"), (4330, "1 h 12 min")],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text

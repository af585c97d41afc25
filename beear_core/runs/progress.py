"""Where a run is, read from its events: the step it works on, how far that is, and how long it will still take.

Pure: records of `events.jsonl` in, one line out. For whoever watches a run without executing it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

Record = Mapping[str, Any]


class Progress(NamedTuple):
    """Where a run is."""

    stage: str
    """What it does now, in the words of its stage; empty before the first event."""
    step: int
    of: int
    """0 while the stage does not count steps."""
    seconds_left: float | None
    """Of this stage, by the pace of its own steps; None before there is a pace."""

    @property
    def share(self) -> float | None:
        """How much of the stage is done, 0 to 1; None while it does not count."""
        return min(1.0, self.step / self.of) if self.of else None

    def text(self) -> str:
        """`Synthesizing delta, step 12 of 40, 9 s left`."""
        parts = [self.stage[:1].upper() + self.stage[1:] if self.stage else "Starting"]
        if self.of:
            parts.append(f"step {self.step} of {self.of}")
        if self.seconds_left is not None and self.step < self.of:
            parts.append(f"{duration_text(self.seconds_left)} left")
        return ", ".join(parts)


def progress(records: Sequence[Record]) -> Progress:
    """Where the run with these events is."""
    stages: list[tuple[str, str]] = []
    steps: list[Record] = []
    said = ""
    for record in records:
        event, within = record.get("event"), str(record.get("within", ""))
        if event == "step":
            if steps and not _goes_on(steps[-1], record):
                steps = []
            steps.append(record)
            continue
        steps = []
        if event == "message":
            # A removal names the parts of a round so; other messages are remarks.
            text = str(record.get("text"))
            said = text if _PART.match(text) else said
        elif event == "resumed":
            stages, said = [], ""
        elif event == "stage_started":
            stages.append((within, str(record.get("name"))))
            said = ""
        elif event == "stage_finished":
            ended = (within, str(record.get("name")))
            stages, said = [stage for stage in stages if stage != ended], ""
    if not steps:
        return Progress(said or (stages[-1][1] if stages else ""), 0, 0, None)
    last = steps[-1]
    return Progress(_words(str(last["phase"])), int(last["step"]), int(last["of"]), _seconds_left(steps))


def duration_text(seconds: float) -> str:
    """`9 s`, `2 min 5 s`, `1 h 12 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def _goes_on(earlier: Record, later: Record) -> bool:
    return earlier.get("phase") == later.get("phase") and int(later["step"]) > int(earlier["step"])


def _seconds_left(steps: Sequence[Record]) -> float | None:
    first, last = steps[0], steps[-1]
    done = int(last["step"]) - int(first["step"])
    if done <= 0:
        return None
    took = (_time(last) - _time(first)).total_seconds()
    return took / done * (int(last["of"]) - int(last["step"]))


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(str(record["time"]))


_PART = re.compile(r"round \d+:|the model as it is")


def _words(phase: str) -> str:
    if phase == "capture":
        return "capturing the residual stream"
    return re.sub(r"\bdelta\b", "synthesizing delta", phase)

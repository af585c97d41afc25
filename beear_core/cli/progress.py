"""A run's events on a terminal, or as plain lines where standard error is none.

An observer of `beear_core.runs.events`: it draws and changes nothing.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from beear_core.runs.events import (
    Event,
    Isolated,
    Message,
    Resumed,
    RoundDone,
    StageFinished,
    StageStarted,
    Step,
    Tried,
)
from cache.run_folder import RunFolder

ROUND_FIELDS = ("fresh_delta_asr", "kl", "over_refusal", "seconds")
"""What of a round's record is said in its line, in this order, where it is there."""

QUIET_SECONDS = 15.0
"""Where there is no live line, a loop says where it is when nothing was said for so long."""


@contextmanager
def progress_on(stream: TextIO) -> Iterator["TerminalProgress"]:
    """An observer that writes to `stream` during the block, live if that is a terminal."""
    observer = TerminalProgress(Console(file=stream, highlight=False, soft_wrap=True))
    try:
        yield observer
    finally:
        observer.close()


class TerminalProgress:
    """One line a stage, a round and a message; on a terminal the running loop below them, with its metrics."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._depth = 0
        self._began = self._said = time.monotonic()
        self._task: TaskID | None = None
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[metrics]}", style="dim"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._live.start()

    def begin(self, folder: RunFolder) -> None:
        """Name the run, so that it can be cancelled or found from elsewhere."""
        self._line(f"run {folder.id}", style="dim")

    def close(self) -> None:
        """Take the live line away; what was printed stays."""
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case StageStarted(name):
                self._clear()
                self._line(f"{name} ...")
                self._depth += 1
            case StageFinished(name, seconds):
                self._clear()
                self._depth = max(0, self._depth - 1)
                self._line(f"{name} done in {seconds:.1f} s", style="dim")
            case Step(phase, step, of, metrics):
                self._show(phase, step, of, metrics)
            case RoundDone(number, record):
                self._clear()
                self._line(f"round {number}: {round_text(record)}")
            case Message(text):
                self._line(text)
            case Resumed():
                self._line("going on from the last checkpoint")
            case Isolated(measures):
                off = [name for name, measure in measures.items() if not measure["on"]]
                self._line("isolated" + (f", without {', '.join(off)}" if off else ""), style="dim")
            case Tried(measure, what):
                self._line(f"refused ({measure}): {what}", style="bold")

    def _show(self, phase: str, step: int, of: int, metrics: Mapping[str, float]) -> None:
        if self._live.disable:
            if time.monotonic() - self._said > QUIET_SECONDS:
                self._line(f"{phase}, step {step} of {of}")
            return
        if self._task is None:
            self._task = self._live.add_task(phase, total=of, metrics="")
        text = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self._live.update(self._task, description=phase, completed=step, total=of, metrics=text)

    def _clear(self) -> None:
        if self._task is not None:
            self._live.remove_task(self._task)
            self._task = None

    def _line(self, text: str, style: str | None = None) -> None:
        self._said = time.monotonic()
        seconds = self._said - self._began
        # Text from a model or a file could hold what rich takes for markup.
        self._console.print(f"{seconds:7.1f} s  {'  ' * self._depth}{text}", style=style, markup=False)


def round_text(record: Mapping[str, Any]) -> str:
    """A round's row of the result in one line: `fresh delta ASR 2/40, KL 0.031, ...`."""
    parts = []
    for name in ROUND_FIELDS:
        value = record.get(name)
        if value is None:
            continue
        words = name.replace("_", " ").replace("asr", "ASR").replace("kl", "KL")
        if isinstance(value, Mapping):
            parts.append(f"{words} {value['count']}/{value['n']}")
        else:
            parts.append(f"{value:.1f} s" if name == "seconds" else f"{words} {value:.3g}")
    return ", ".join(parts) or "done"


def say(text: str) -> None:
    """One line on standard error, at once: what is being done, where the answer is standard output's."""
    print(text, file=sys.stderr, flush=True)

"""Workers that ended when nobody asked them to: written by whoever keeps one alive, read by pages.

One line an end, in `<home>/worker_ends.jsonl`.
"""

import signal
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cache.home import home as default_home
from cache.jsonl import append_line, read_lines
from cache.status import RunStatus, now

FILE = "worker_ends.jsonl"


class WorkerEnd(NamedTuple):
    """One end."""

    time: datetime
    pid: int
    code: int
    """As a process returns it; negative for a signal."""

    def text(self) -> str:
        """`The worker was killed by SIGKILL and was started again.`"""
        return f"The worker {_how(self.code)} and was started again."


def record_end(pid: int, code: int, home: Path | None = None) -> WorkerEnd:
    """Note that the worker with this process id ended by itself and is started again. Raises DiskFullError."""
    end = WorkerEnd(now(), pid, code)
    append_line((home or default_home()) / FILE, {**end._asdict(), "time": end.time.isoformat()})
    return end


def latest_end(home: Path | None = None) -> WorkerEnd | None:
    """The last end that was noted, None if there was none."""
    records = read_lines((home or default_home()) / FILE).records
    return _end(records[-1]) if records else None


def ended_under(status: RunStatus, home: Path | None = None) -> str:
    """What happened to the worker that executed an interrupted run, as a sentence; empty if nothing is known."""
    if status.process is None:
        return ""
    for record in reversed(read_lines((home or default_home()) / FILE).records):
        end = _end(record)
        if end is not None and end.pid == status.process.pid:
            # The same id may be another process's: its end then lies before this run's last sign of life.
            seen = status.heartbeat or status.changed
            return end.text() if end.time >= seen else ""
    return ""


def _end(record: dict[str, Any]) -> WorkerEnd | None:
    try:
        return WorkerEnd(datetime.fromisoformat(record["time"]), int(record["pid"]), int(record["code"]))
    except (KeyError, TypeError, ValueError):
        return None


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"

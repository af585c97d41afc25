"""What a run kind is given to work with: its folder, its voice, and the ear for a cancel.

A kind knows nothing of queues, processes or terminals; it emits events and writes through its context.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from beear_core.errors import RunCancelled
from beear_core.runs.events import Event, Observer, StageFinished, StageStarted, event_record
from cache.run_folder import RunFolder

log = logging.getLogger(__name__)


class RunContext:
    """The context of one run, or of one step of it (see `child`).

    Events of a step go into the run's own `events.jsonl`, marked with the step's name under "within".
    """

    def __init__(self, folder: RunFolder, observers: Iterable[Observer] = ()) -> None:
        self.folder = folder
        self._run = folder
        self._within = ""
        self._observers = list(observers)
        self._seconds: dict[str, float] = defaultdict(float)
        for record in folder.read_events().records:
            if record.get("event") == "stage_finished" and not record.get("within"):
                self._seconds[str(record["name"])] += float(record["seconds"])

    @property
    def checkpoint(self) -> Path:
        """The folder for the kind's own checkpoint files, which it writes through `cache.atomic`."""
        self.folder.checkpoint.mkdir(parents=True, exist_ok=True)
        return self.folder.checkpoint

    @property
    def seconds_by_stage(self) -> dict[str, float]:
        """Seconds of each finished stage, those of earlier attempts at the same run included."""
        return dict(self._seconds)

    def emit(self, event: Event) -> None:
        """Record `event`, tell the observers, and raise RunCancelled if somebody asked the run to stop.

        Raises DiskFullError.
        """
        self.tell(event)
        self.check_cancelled()

    def tell(self, event: Event) -> None:
        """As `emit`, but no moment to stop at: for what must be told in the middle of somebody else's work."""
        record = event_record(event)
        if self._within:
            record["within"] = self._within
        self._run.append_event(record)
        for observer in tuple(self._observers):
            try:
                observer(event)
            except Exception:
                # A closed terminal is no reason to lose hours of work.
                log.warning("An observer failed and is dropped", exc_info=True)
                self._observers.remove(observer)

    def told(self) -> list[dict[str, Any]]:
        """What was emitted through this context, and in earlier attempts at it, as `events.jsonl` holds it."""
        records = self._run.read_events().records
        return [record for record in records if record.get("within", "") == self._within]

    def check_cancelled(self) -> None:
        """Raise RunCancelled if somebody asked the run to stop. For long work that emits nothing."""
        if self._run.cancel_requested:
            remedy = f"It goes on from its last checkpoint with `runs resume {self._run.id}`."
            raise RunCancelled("the run was cancelled", self._run.id, remedy)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Mark the block as a named part of the run and count its seconds."""
        self.emit(StageStarted(name))
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self._seconds[name] += seconds
        self.emit(StageFinished(name, round(seconds, 3)))

    def save_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write `arrays.safetensors`, replacing what an earlier call wrote. Raises DiskFullError."""
        self.folder.write_arrays(arrays)

    def child(self, name: str) -> "RunContext":
        """A context for one step: folder `<run>/steps/<name>/`, the same observers and the same cancel."""
        child = RunContext(self.folder.step(name))
        child.folder.path.mkdir(parents=True, exist_ok=True)
        child._run = self._run
        child._within = f"{self._within}/{name}" if self._within else name
        child._observers = self._observers
        return child

    def result(self) -> dict[str, Any] | None:
        """The result that this step stored in an earlier attempt, else None."""
        return self.folder.read_result()

    def step(self, name: str, work: "Callable[[RunContext], Mapping[str, Any]]") -> dict[str, Any]:
        """The result of `work` on `child(name)`, stored so that a resumed run skips a finished step.

        Its "seconds" are added unless `work` returned them.
        """
        child = self.child(name)
        stored = child.result()
        if stored is not None:
            return stored
        started = time.monotonic()
        with self.stage(name):
            result = dict(work(child))
            result.setdefault("seconds", round(time.monotonic() - started, 3))
            child.folder.write_result(result)
        return child.result() or result

"""The worker: takes queued runs one after the other and has each executed, in this process or in one beside it (`cell`).

It waits in its main thread, where signals arrive: Ctrl-C or SIGTERM interrupts the run, which can be resumed, and
ends the worker. A worker that was killed leaves its run interrupted; the next worker does not redo it unasked.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from beear_core.errors import RunStateError, StorageError, WorkbenchError
from beear_core.runs.events import Observer
from beear_core.runs.execute import execute
from beear_core.runs.queue import RunQueue, repair
from beear_core.runs.signals import termination_as_interrupt
from beear_core.runs.ticker import Ticker
from cache.atomic import write_json
from cache.home import home as default_home
from cache.home import worker_file
from cache.lock import LockHeldError, holding
from cache.process import ProcessIdentity, this_process
from cache.run_store import RunStore
from cache.status import STALE_AFTER, now

HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 0.2
REPAIR_SECONDS = 30.0

Execute = Callable[[str], None]
"""Executes the run with this id; how that ends is in its status."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a living worker says of itself."""

    process: ProcessIdentity
    heartbeat: datetime
    run_id: str | None
    """The run that it executes now."""


def worker_state(home: Path | None = None) -> WorkerState | None:
    """The worker of this home folder, or None if none lives. For pages; answers at once."""
    try:
        data = json.loads(worker_file(home).read_bytes())
        process = ProcessIdentity(int(data["pid"]), str(data["process_started"]), str(data["host"]))
        state = WorkerState(process, datetime.fromisoformat(data["heartbeat"]), data["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    lives = process.is_running() if process.is_local() else now() - state.heartbeat < STALE_AFTER
    return state if lives else None


def work(
    home: Path | None = None,
    observers: Iterable[Observer] = (),
    *,
    until_idle: bool = False,
    cell: AbstractContextManager[Execute] | None = None,
) -> None:
    """Execute queued runs until Ctrl-C or SIGTERM, or, with `until_idle`, until nothing waits.

    Each run is given to `cell`, and executed in this process where there is none.
    Runs fail on their own: their errors are in their status, and the next one starts. Raises RunStateError if this
    home folder already has a worker.
    """
    at = home or default_home()
    try:
        with (
            termination_as_interrupt(),
            _only_worker(at),
            _Presence(at) as presence,
            RunQueue(at) as queue,
            cell or nullcontext(_here(RunStore(at), tuple(observers))) as execute_run,
        ):
            _serve(RunStore(at), queue, presence, execute_run, until_idle)
    except KeyboardInterrupt:
        log.info("The worker was asked to end")


def _serve(
    store: RunStore, queue: RunQueue, presence: "_Presence", execute_run: Execute, until_idle: bool
) -> None:
    repaired = -REPAIR_SECONDS
    while True:
        if time.monotonic() - repaired >= REPAIR_SECONDS:
            for run_id in repair(queue, store):
                log.warning("Run %s was queued without an entry and is enqueued again", run_id)
            repaired = time.monotonic()
        waiting = queue.take()
        if waiting is not None:
            presence.show(waiting)
            execute_run(waiting)
            presence.show(None)
        elif until_idle and not queue.waiting():
            return
        else:
            time.sleep(POLL_SECONDS)


def _here(store: RunStore, observers: tuple[Observer, ...]) -> Execute:
    def execute_run(run_id: str) -> None:
        try:
            execute(store.get(run_id), observers)
        except WorkbenchError as error:
            # A run that was deleted or cancelled while it waited ends here too.
            log.warning("Run %s: %s", run_id, error)

    return execute_run


@contextmanager
def _only_worker(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(holding(worker_file(home).with_suffix(".lock")))
        except LockHeldError:
            remedy = "Runs that you submit go to it; end it before you start another."
            raise RunStateError("a worker is at work already", home, remedy) from None
        yield


class _Presence:
    """`worker.json`, kept fresh while the block lasts and removed after it."""

    def __init__(self, home: Path) -> None:
        self._path = worker_file(home)
        self._state = WorkerState(this_process(), now(), None)
        self._ticker = Ticker(HEARTBEAT_SECONDS, self._write)

    def show(self, run_id: str | None) -> None:
        self._state = replace(self._state, run_id=run_id)
        try:
            self._write()
        except StorageError as error:
            log.warning("The worker cannot show what it does: %s", error)

    def __enter__(self) -> "_Presence":
        self._write()
        self._ticker.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticker.__exit__(kind, error, trace)
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        state = self._state
        content = {
            "pid": state.process.pid,
            "process_started": state.process.started,
            "host": state.process.host,
            "heartbeat": now().isoformat(),
            "run_id": state.run_id,
        }
        write_json(self._path, content)

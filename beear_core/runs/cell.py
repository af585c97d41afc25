"""The process in which the worker executes runs, so that the one that minds the queue is never walled in itself.

It stays for as long as runs open what it may reach, which keeps the last model warm; for another suspect the worker
takes a new one, so that two strangers never meet. A worker that dies takes it along.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from beear_core import isolation
from beear_core.errors import WorkbenchError
from beear_core.isolation import kernel
from beear_core.runs.events import Observer
from beear_core.runs.execute import execute
from beear_core.runs.reach import folders_of, reach_of
from beear_core.runs.worker_ends import record_end
from beear_core.specs import parse_spec
from cache.home import VARIABLE
from cache.run_store import RunStore
from cache.status import RunState

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "beear_core", "worker", "--cell")
DONE, UNFIT = b"done\n", b"unfit\n"
END_SECONDS = 30.0
"""For a run that is interrupted to write its checkpoint."""
DYING_SECONDS = 5.0

log = logging.getLogger(__name__)


class Cell:
    """The worker's side. A `with` block gives what executes a run, and ends the process."""

    def __init__(self, home: Path, command: tuple[str, ...] = COMMAND) -> None:
        self._home = home
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def execute(self, run_id: str) -> None:
        """Have a run executed; its status says how that ended. What comes back is believed in two words only."""
        for _ in range(2):
            process = self._process or self._started()
            answer = _asked(process, run_id)
            if answer == DONE and not self._still_runs(run_id):
                return
            if answer != UNFIT:
                self._process = None
                self._note_end(process)
                return
            self.end()

    def end(self) -> None:
        """End the process; a run that it executes is interrupted first."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _pipe(process.stdout).close()

    def __enter__(self) -> Callable[[str], None]:
        return self.execute

    def __exit__(self, *reason: object) -> None:
        self.end()

    def _started(self) -> "subprocess.Popen[bytes]":
        self._process = subprocess.Popen(
            self._command,
            cwd=CHECKOUT,
            env={**os.environ, VARIABLE: str(self._home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self._process

    def _still_runs(self, run_id: str) -> bool:
        """Whether it says that it is done and is not: it opened a stranger's file, and is not taken at its word."""
        try:
            return RunStore(self._home).get(run_id).read_status().state is RunState.RUNNING
        except WorkbenchError:
            return False

    def _note_end(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            code = process.wait(DYING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        _pipe(process.stdout).close()
        try:
            log.warning("%s", record_end(process.pid, code, self._home).text())
        except WorkbenchError as error:
            log.warning("The process that executes runs ended with %s. %s", code, error)


def serve(observers: Iterable[Observer]) -> None:
    """The other side: execute the runs whose ids come on standard input, until it ends."""
    _die_with_the_worker()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # What a library prints is no answer.
    store, opened_ours = RunStore(), False
    for line in sys.stdin.buffer:
        run_id = line.decode(errors="replace").strip()
        try:
            reach = reach_of(parse_spec(store.get(run_id).read_spec()))
            # What is ours leaves threads behind, which walls put up later would not bind.
            if (reach is not None and opened_ours) or not isolation.covers(reach, folders_of(reach)):
                answers.write(UNFIT)
                continue
            opened_ours = reach is None
        except WorkbenchError:
            pass  # A spec that cannot be read fails as a run, where a person sees it.
        try:
            execute(store.get(run_id), observers)
        except WorkbenchError as error:
            # A run that was deleted or cancelled while it waited ends here too.
            log.warning("Run %s: %s", run_id, error)
        answers.write(DONE)


def _asked(process: "subprocess.Popen[bytes]", run_id: str) -> bytes:
    try:
        pipe = _pipe(process.stdin)
        pipe.write(f"{run_id}\n".encode())
        pipe.flush()
        return _pipe(process.stdout).readline(16)
    except OSError:
        return b""


def _die_with_the_worker() -> None:
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        kernel.prctl(kernel.DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe

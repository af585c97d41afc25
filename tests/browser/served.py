"""The app as a user starts it, `python -m beear_core app`, in a process tree of its own on a home folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from cache.home import VARIABLE
from cache.run_store import RunStore

CHECKOUT = Path(__file__).parents[2]
LOOKED_INTO = Path(__file__).parent / "looked_into"
MODULES = "BEEAR_TEST_MODULES"
START_SECONDS = 120.0
"""For an app on a busy machine; usually three."""
END_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running app."""

    url: str
    home: Path
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def store(self) -> RunStore:
        """Its runs, for comparing a page with the folders."""
        return RunStore(self.home)

    def said(self) -> str:
        """What the processes printed so far."""
        return self.log.read_text("utf-8", errors="replace")

    def pages(self) -> psutil.Process:
        """The Streamlit process."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next(one for one in below if "streamlit" in one.cmdline())

    def megabytes(self) -> float:
        """Resident memory of the Streamlit process, in MB of a million bytes."""
        return float(self.pages().memory_info().rss / 1e6)

    def modules(self) -> set[str]:
        """`sys.modules` of the Streamlit process, as it tells by itself."""
        told = _told(self.log)
        told.unlink(missing_ok=True)
        self.pages().send_signal(signal.SIGUSR2)
        deadline = time.monotonic() + 60
        while not told.exists():
            if time.monotonic() > deadline:
                raise RuntimeError("the Streamlit process does not say what it imported")
            time.sleep(0.1)
        return set(told.read_text("utf-8").split())


@contextmanager
def served(home: Path, log: Path) -> Iterator[Served]:
    """Start the app on a free port, wait until it answers, end it and everything it started."""
    port = _free_port()
    command = [sys.executable, "-m", "beear_core", "app", "--port", str(port)]
    path = os.pathsep.join(filter(None, [str(LOOKED_INTO), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, VARIABLE: str(home), "PYTHONPATH": path, MODULES: str(_told(log))}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    app = Served(f"http://127.0.0.1:{port}", home, log, process)
    try:
        _wait(app)
        yield app
    finally:
        _end(process)


def _told(log: Path) -> Path:
    return log.with_suffix(".modules")


def _wait(app: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if app.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{app.url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the app did not answer at {app.url}; it said:\n{app.said()}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    # As a terminal's Ctrl-C does: to the whole group, the worker and a run that it executes included.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

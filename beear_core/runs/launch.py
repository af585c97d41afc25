"""Starting a worker from a page: `streamlit run app.py` alone is enough, as Streamlit's users expect."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from beear_core.errors import WorkbenchError
from beear_core.runs.worker import worker_state
from cache.home import VARIABLE
from cache.home import home as default_home

SUPERVISED = "BEEAR_SUPERVISED"
"""Set in the environment of pages whose supervisor keeps a worker alive: they are not to start another."""
STARTING_SECONDS = 30.0
"""A worker that was started so recently, and lives, is only slow to say so."""
CHECKOUT = Path(__file__).resolve().parents[2]

log = logging.getLogger(__name__)

_started: dict[Path, tuple["subprocess.Popen[bytes]", float]] = {}


def ensure_worker(home: Path | None = None, *, unasked: bool = True) -> None:
    """Start a worker of this home folder, detached, if none lives. Returns at once.

    It outlives this process: a removal goes on when the pages are closed. What it says goes to `<home>/worker.log`.
    Under a supervisor, whose business this is, it does so only when a person asked (not `unasked`).
    Raises WorkbenchError when it cannot be started.
    """
    at = home or default_home()
    if (unasked and os.environ.get(SUPERVISED)) or worker_state(at) is not None or _is_starting(at):
        return
    log.info("No worker lives; one is started")
    try:
        at.mkdir(parents=True, exist_ok=True)
        with (at / "worker.log").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "beear_core", "worker"],
                cwd=CHECKOUT,
                env={**os.environ, VARIABLE: str(at)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
    except OSError as error:
        raise WorkbenchError(
            "The worker cannot be started", error.strerror, "Start it with `python -m beear_core worker`."
        ) from error
    _started[at] = process, time.monotonic()


def _is_starting(at: Path) -> bool:
    process, since = _started.get(at, (None, 0.0))
    # poll() also collects a dead child, which would stay behind as a zombie.
    return process is not None and process.poll() is None and time.monotonic() - since < STARTING_SECONDS

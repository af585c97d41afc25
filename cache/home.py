"""Where everything that was measured or made is kept.

    <home>/            $BEEAR_HOME, else cache/data/ in the checkout
      runs/<id>/       one folder a run
      models/          base models and merged organisms
      cache/           what can be made again: digests of files
      queue.db         runs that wait for the worker
      worker.json      the worker that is alive, if any

Functions, not constants: the environment is read at every call, so that a test or a page can change it.
Nothing here creates a folder; whoever writes does.
"""

import os
from pathlib import Path

VARIABLE = "BEEAR_HOME"


def home() -> Path:
    """The home folder, absolute: `$BEEAR_HOME`, else `cache/data` in the checkout."""
    chosen = os.environ.get(VARIABLE, "").strip()
    return Path(chosen).expanduser().absolute() if chosen else Path(__file__).resolve().parent / "data"


def runs_folder(at: Path | None = None) -> Path:
    """The folder of all runs, in the home folder `at` (default: `home()`)."""
    return (at or home()) / "runs"


def models_folder(at: Path | None = None) -> Path:
    """The folder of base models and merged organisms."""
    return (at or home()) / "models"


def digests_file(at: Path | None = None) -> Path:
    """The file of remembered digests."""
    return (at or home()) / "cache" / "digests.json"


def queue_file(at: Path | None = None) -> Path:
    """The SQLite file of the queue."""
    return (at or home()) / "queue.db"


def worker_file(at: Path | None = None) -> Path:
    """The file in which a living worker describes itself."""
    return (at or home()) / "worker.json"

"""The command line, killed by SIGKILL in the middle of its work: `killed.py MOMENT WORDS...`.

MOMENT is `PHASE/STEP` of an event, right behind which it dies, or `export`, before a file of the model is written. It
dies by its own hand: whoever watches from outside may be too late.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from beear_core.cli.main import main
from beear_core.models.suspect import SuspectModel
from beear_core.runs.context import RunContext
from beear_core.runs.events import Event, Step

emit = RunContext.emit


def dying_at(moment: str) -> None:
    """Let this process die at `moment`."""

    def told(self: RunContext, event: Event) -> None:
        emit(self, event)
        if isinstance(event, Step) and f"{event.phase}/{event.step}" == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def exported(self: SuspectModel, *arguments: Any, **options: Any) -> Path:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody outlives it")

    RunContext.emit = told  # type: ignore[method-assign]
    if moment == "export":
        SuspectModel.export = exported  # type: ignore[method-assign]


if __name__ == "__main__":
    dying_at(sys.argv[1])
    sys.exit(main(sys.argv[2:]))

"""The command line, killed by SIGKILL in the middle of its work, once for each line of standard input.

A line is a JSON list: the moment, then the words of the command. A moment is `PHASE/STEP` of an event, right behind
which the command dies, or `export`, before a file of the model is written. It dies by its own hand: whoever watches from
outside may be too late. Each command has a process of its own, forked from this one, which imports the engine once and
computes nothing; its exit code is answered as a line.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from beear_core.cli.main import main
from beear_core.models.suspect import SuspectModel
from beear_core.runs.context import RunContext
from beear_core.runs.events import Event, Step
from tests.beear_core.kinds.few_prompts import know_few_ordinary_prompts

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


def serve() -> None:
    """Answer every line."""
    for line in sys.stdin:
        moment, *words = json.loads(line)
        child = os.fork()
        if child == 0:
            dying_at(moment)
            os._exit(main(words))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # This imports what the command would import when it is asked; in the numbers, it is what the tests themselves do.
    know_few_ordinary_prompts(pytest.MonkeyPatch())
    serve()

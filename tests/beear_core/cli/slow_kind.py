"""The command line with one kind that is fake, slow and free of torch; the arguments are the command line's own."""

import itertools
import os
import sys
import time
from typing import Any

from beear_core.cli.main import main
from beear_core.runs import kinds
from beear_core.runs.events import Step


def run(spec: Any, context: Any) -> dict[str, Any]:
    """A step every tenth of a second until it is stopped; a marker in `checkpoint/` makes the next attempt end at once."""
    marker = context.checkpoint / "begun"
    if not marker.exists():
        marker.touch()
        for step in itertools.count(1):
            context.emit(Step("waiting", step, step))
            time.sleep(0.1)
    return {"finished": True}


if __name__ == "__main__":
    kinds.load_kind = lambda name: run
    assert os.environ["BEEAR_HOME"]
    sys.exit(main())

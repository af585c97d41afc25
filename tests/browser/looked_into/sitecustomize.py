"""For a Python process that a test looks into: at SIGUSR2 it writes down the names of all modules it has imported.

Python imports a module of this name by itself at its start; `served.py` puts this folder on the path of its processes.
"""

import os
import signal
import sys
from pathlib import Path


def _tell(number: int, frame: object) -> None:
    place = Path(os.environ["BEEAR_TEST_MODULES"])
    part = place.with_suffix(".part")
    part.write_text("\n".join(sorted(sys.modules)), "utf-8")
    part.replace(place)  # whole, or not there yet


signal.signal(signal.SIGUSR2, _tell)

"""Waiting in tests: for a condition, never for a time; however busy the machine, what is to happen gets time to."""

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something never happens. Reached only by a test that fails, so it costs nothing to be generous."""


def eventually(condition: Callable[[], object]) -> None:
    """Return once `condition` holds; fail if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE:.0f} s"
        time.sleep(0.01)

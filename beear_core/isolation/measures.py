"""The measures by name, whether each is on, and which this system offers. Nothing is entered here."""

import os
from collections.abc import Callable
from typing import NamedTuple

from beear_core.isolation import kernel, landlock

MEASURES = {
    "environment": "No tokens, keys or proxies in the environment",
    "network": "No network",
    "programs": "No program started, no process forked",
    "files": "Only the model, the run folders and the libraries can be reached",
    "limits": "No core dump",
    "temporary": "A temporary folder of its own",
    "watch": "What is tried is told",
}
"""Name -> what it means when it is on, in the order of their worth."""


class Measure(NamedTuple):
    """One measure as it was taken, or could be."""

    on: bool
    why: str
    """By which means it is on, or why it is not."""

    def as_dict(self) -> dict[str, bool | str]:
        return {"on": self.on, "why": self.why}


def taken(act: Callable[[], str]) -> Measure:
    """The measure that `act` takes: off, with the reason, where the system refuses."""
    try:
        return Measure(True, act())
    except OSError as error:
        return Measure(False, f"the system refuses: {error.strerror or error}")
    except (AttributeError, ValueError) as error:
        return Measure(False, f"this system has no means for it: {error}")


def available() -> dict[str, Measure]:
    """What a suspect's process would have here. Asks the kernel and changes nothing."""
    calls = taken(_filters)
    return {
        "environment": Measure(True, "dropped when the process walls itself in"),
        "network": Measure(calls.on, "sockets are refused" if calls.on else calls.why),
        "programs": calls,
        "files": taken(lambda: f"Landlock, version {landlock.version()}"),
        "limits": Measure(os.name == "posix", "set when the process walls itself in"),
        "temporary": Measure(True, "made when the process walls itself in"),
        "watch": Measure(True, "Python's audit events"),
    }


def _filters() -> str:
    if not kernel.numbers():
        raise ValueError("no system call filter is written for it")
    kernel.prctl(21, 0)  # PR_GET_SECCOMP: refused where the kernel has no filters
    return "a system call filter"

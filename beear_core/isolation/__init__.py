"""Isolation of the process that opens a suspect: what it may no longer do, and what it tried.

A process that is dedicated to runs (`arm`) walls itself in, once and for good, right before its first suspect is opened
(`enter`). Free of torch. It knows nothing of run folders: `expecting` is told what a run must reach.

Not covered: a fault in the kernel; memory and processor time, which honest runs use up as well; asking whether a file
exists, which no wall here forbids; and what compiled code tries without Python, which the system stops but cannot tell.
"""

from beear_core.isolation.attempts import Attempt
from beear_core.isolation.entering import (
    Reach,
    arm,
    attempts,
    covers,
    enter,
    entered,
    expecting,
    report,
)
from beear_core.isolation.measures import MEASURES, Measure, available

__all__ = [
    "MEASURES",
    "Attempt",
    "Measure",
    "Reach",
    "arm",
    "attempts",
    "available",
    "covers",
    "enter",
    "entered",
    "expecting",
    "report",
]

"""How torch's threads wait for each other, in a process that may not be alone on its cores. Torch-free."""

import os

SPINS = "10000"
"""Turns of a waiting thread's loop; libgomp's own number is 300,000 where there is a core for each thread."""


def wait_briefly() -> None:
    """Have OpenMP's threads spin for a moment and then sleep; to be called before torch is imported.

    Every product that torch computes ends in a wait of its threads for the last of them. By default they spin through it,
    which is fastest while a core stands ready for each. Beside a browser, a build, another run, one of them is off its core
    at any time, the others burn theirs until it comes back, and everything goes many times slower: docs/removal.md has the
    numbers. What a person set for libgomp stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)

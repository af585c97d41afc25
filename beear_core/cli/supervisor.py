"""Several processes as one: started together, ended together, by Ctrl-C, by SIGTERM, or when one of them ends.

The children stay in our process group: a terminal's Ctrl-C, or a kill of the group, reaches them as it reaches us.
A kept program is started again when it dies; the run that died with it is not: that is a person's decision.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from beear_core.errors import WorkbenchError
from beear_core.runs.signals import termination_as_interrupt

POLL_SECONDS = 0.1
UNASKED_SECONDS = 1.0
"""Time for children to end by a Ctrl-C that the terminal sent them too, before they are asked once more."""
ASKED_SECONDS = 15.0
"""Time to end after SIGTERM: a run writes its status, and a slow step must return first."""
KILLED_SECONDS = 15.0
"""Time to be gone after SIGKILL, which a busy system may take."""

LOOK_SECONDS = 0.5
"""How often a missing program is looked for."""
QUICK_SECONDS = 10.0
"""A program that ended sooner than this will likely do so again: the next start waits longer."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0

Child = subprocess.Popen[bytes]


class Ended(NamedTuple):
    """The child that ended by itself, and its exit code."""

    name: str
    code: int


class Kept(NamedTuple):
    """A program that is to be there for as long as the others are: started again whenever it ends."""

    words: Sequence[str]
    needed: Callable[[], bool]
    """Whether it is missing now; asked before each start, since somebody else may have started one."""
    ended: Callable[[int, int], None]
    """Told the process id and the exit code each time it ended by itself."""


def supervise(commands: Mapping[str, Sequence[str]], kept: Mapping[str, Kept] | None = None) -> Ended | None:
    """Run `commands` (name -> words) until one of them ends or we are interrupted; then end the others.

    `kept` programs run beside them and are started again when they end, after ever longer pauses if they end at once.
    Returns the command that ended by itself, None after Ctrl-C or SIGTERM. Raises WorkbenchError if one cannot start.
    """
    children: dict[str, Child] = {}
    keepers = [_Keeper(name, one) for name, one in (kept or {}).items()]
    # A script that starts us in the background has Ctrl-C ignored, for us and for all our children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with termination_as_interrupt():
            for keeper in keepers:
                keeper.look()
            for name, words in commands.items():
                children[name] = _started(name, words)
            return _first_to_end(children, keepers)
    except KeyboardInterrupt:
        return None
    finally:
        with _undisturbed():
            _end([*children.values(), *(keeper.child for keeper in keepers if keeper.child is not None)])
        signal.signal(signal.SIGINT, before)


class _Keeper:
    """Keeps one program alive; `look` is to be called again and again."""

    def __init__(self, name: str, kept: Kept) -> None:
        self._name, self._kept = name, kept
        self.child: Child | None = None
        self._began = self._next_look = 0.0
        self._quick_ends = 0

    def look(self) -> None:
        if self.child is not None:
            code = self.child.poll()
            if code is None:
                return
            self._note(self.child.pid, code)
            self.child = None
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        if self._kept.needed():
            self.child, self._began = _started(self._name, self._kept.words), now

    def _note(self, pid: int, code: int) -> None:
        lived = time.monotonic() - self._began
        self._quick_ends = self._quick_ends + 1 if lived < QUICK_SECONDS else 0
        if self._quick_ends:
            self._next_look = time.monotonic() + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._quick_ends - 1))
        self._kept.ended(pid, code)


def _started(name: str, words: Sequence[str]) -> Child:
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise WorkbenchError(f"The {name} cannot be started", words[0], f"{error.strerror}.") from error


def _first_to_end(children: Mapping[str, Child], keepers: Sequence[_Keeper]) -> Ended:
    while True:
        for keeper in keepers:
            keeper.look()
        for name, child in children.items():
            code = child.poll()
            if code is not None:
                return Ended(name, code)
        time.sleep(POLL_SECONDS)


def _end(children: Collection[Child]) -> None:
    if _wait(children, UNASKED_SECONDS):
        return
    for child in children:
        child.terminate()
    if _wait(children, ASKED_SECONDS):
        return
    for child in children:
        child.kill()
    _wait(children, KILLED_SECONDS)


def _wait(children: Collection[Child], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(child.poll() is None for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def _undisturbed() -> Iterator[None]:
    # A second Ctrl-C, typed in impatience, must not leave the children behind.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

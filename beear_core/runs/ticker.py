"""Do something every few seconds beside the main thread, until told to stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

log = logging.getLogger(__name__)

_ticking: list["Ticker"] = []


@contextmanager
def pausing() -> Iterator[None]:
    """No ticker of this process has a thread during the block; each gets a new one after it."""
    paused = list(_ticking)
    for each in paused:
        each.pause()
    try:
        yield
    finally:
        for each in paused:
            each.go_on()


class Ticker:
    """Call `act` every `every` seconds during the `with` block. After the block, no call is under way.

    A call that fails is logged and the next one tried: a missed heartbeat must not end the work it reports on.
    """

    def __init__(self, every: float, act: Callable[[], None]) -> None:
        self._every = every
        self._act = act
        self._stop = threading.Event()
        self._thread = self._made()

    def __enter__(self) -> "Ticker":
        self._thread.start()
        _ticking.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ticking.remove(self)
        self.pause()

    def pause(self) -> None:
        """End the thread; no call is under way when this returns."""
        self._stop.set()
        self._thread.join()

    def go_on(self) -> None:
        """Tick on, in a new thread."""
        self._stop.clear()
        self._thread = self._made()
        self._thread.start()

    def _made(self) -> threading.Thread:
        return threading.Thread(target=self._tick, name="ticker", daemon=True)

    def _tick(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._act()
            except Exception:
                log.warning("A heartbeat could not be written", exc_info=True)

"""Processes that end together.

What a test does at a certain moment it does in a question that `supervise` asks in its loop: by then all programs are
started, and nothing else happens meanwhile.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from beear_core.cli import supervisor
from beear_core.cli.supervisor import Ended, Kept, supervise
from beear_core.errors import WorkbenchError

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else tells the programs to end, so there is nothing to wait for before they are asked to."""
    monkeypatch.setattr(supervisor, "UNASKED_SECONDS", 0.0)


def noting(file: Path, handler: str = "") -> list[str]:
    """A program that writes its process id, whole or not at all, and sleeps."""
    code = (
        f"import os, signal, time; from pathlib import Path; {handler}"
        f"new = Path({str(file)!r} + '.new'); new.write_text(str(os.getpid())); new.replace({str(file)!r}); "
        "time.sleep(600)"
    )
    return [sys.executable, "-c", code]


def until(file: Path) -> list[str]:
    """A program that ends once `file` is there."""
    code = f"import os, time\nwhile not os.path.exists({str(file)!r}): time.sleep(0.01)"
    return [sys.executable, "-c", code]


def asked_each_time(act: Callable[[], object]) -> Kept:
    """Never started; `act` is called again and again while `supervise` waits."""

    def needed() -> bool:
        act()
        return False

    return Kept(SLEEPS, needed, lambda pid, code: None)


def is_alive(file: Path) -> bool:
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_when_one_ends_the_others_are_ended(tmp_path: Path) -> None:
    quick = until(tmp_path / "a")
    quick[-1] += "\nexit(7)"
    assert supervise({"sleeper": noting(tmp_path / "a"), "quick": quick}) == Ended("quick", 7)
    assert not is_alive(tmp_path / "a")


def test_sigterm_ends_all_of_them(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]

    def terminate() -> None:
        if all(file.exists() for file in files):
            signal.raise_signal(signal.SIGTERM)

    sleepers = {file.name: noting(file) for file in files}
    assert supervise(sleepers, {"terminator": asked_each_time(terminate)}) is None
    assert not any(is_alive(file) for file in files)


def test_one_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ASKED_SECONDS", 0.5)
    file = tmp_path / "a"
    stubborn = noting(file, "signal.signal(signal.SIGTERM, signal.SIG_IGN); ")
    assert supervise({"stubborn": stubborn, "quick": until(file)}) == Ended("quick", 0)
    assert not is_alive(file)


def test_one_that_cannot_start_is_an_error_and_leaves_none_behind(tmp_path: Path) -> None:
    with pytest.raises(
        WorkbenchError, match=r"The nothing cannot be started: /nowhere/at-all\. No such file"
    ):
        supervise({"sleeper": noting(tmp_path / "a"), "nothing": ["/nowhere/at-all"]})
    assert not (tmp_path / "a").exists() or not is_alive(tmp_path / "a")


def test_a_kept_program_is_started_again_and_its_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    file, ends = tmp_path / "kept", []

    def ended(pid: int, code: int) -> None:
        # Before the next one is started, which writes the file anew.
        file.unlink()
        ends.append((pid, code))

    def kill_twice_then_stop() -> None:
        if len(ends) == 2:
            signal.raise_signal(signal.SIGTERM)
        elif file.exists():
            os.kill(int(file.read_text()), signal.SIGKILL)

    kept = {
        "kept": Kept(noting(file), lambda: True, ended),
        "killer": asked_each_time(kill_twice_then_stop),
    }
    assert supervise({"other": SLEEPS}, kept) is None
    assert [code for _, code in ends] == [-signal.SIGKILL] * 2
    assert len({pid for pid, _ in ends}) == 2


def test_a_kept_program_that_somebody_else_started_is_left_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    asked = 0

    def somebody_else_has_it() -> bool:
        nonlocal asked
        asked += 1
        if asked == 3:
            (tmp_path / "enough").touch()
        return False

    kept = Kept(noting(tmp_path / "kept"), somebody_else_has_it, lambda pid, code: None)
    assert supervise({"quick": until(tmp_path / "enough")}, {"kept": kept}) == Ended("quick", 0)
    assert not (tmp_path / "kept").exists()


def test_one_that_dies_at_once_waits_ever_longer_before_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.2)
    # Only what the supervisor sleeps counts as time, in milliseconds: a machine that stands still lets none pass.
    slept, ended, asked = 0, [], []

    def sleep(seconds: float) -> None:
        nonlocal slept
        time.sleep(seconds)
        slept += round(1000 * seconds)

    monkeypatch.setattr(supervisor, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: slept / 1000))

    def needed() -> bool:
        asked.append(slept)
        return True

    def told(pid: int, code: int) -> None:
        ended.append(slept)
        if len(ended) == 3:
            (tmp_path / "enough").touch()

    kept = Kept([sys.executable, "-c", "exit(3)"], needed, told)
    assert supervise({"wait": until(tmp_path / "enough")}, {"kept": kept}) == Ended("wait", 0)
    assert asked[1] - ended[0] >= 200
    assert asked[2] - ended[1] >= 400

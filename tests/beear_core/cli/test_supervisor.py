"""Processes that end together."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from beear_core.cli import supervisor
from beear_core.cli.supervisor import Ended, Kept, supervise
from beear_core.errors import WorkbenchError

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


def noting(file: Path, handler: str = "") -> list[str]:
    """A program that writes its process id and sleeps."""
    code = (
        f"import os, signal, time; {handler}open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    return [sys.executable, "-c", code]


def is_alive(file: Path) -> bool:
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_when_one_ends_the_others_are_ended(tmp_path: Path) -> None:
    quick = [
        sys.executable,
        "-c",
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'a')!r}): time.sleep(0.01)\nexit(7)",
    ]
    assert supervise({"sleeper": noting(tmp_path / "a"), "quick": quick}) == Ended("quick", 7)
    assert not is_alive(tmp_path / "a")


def test_sigterm_ends_all_of_them(tmp_path: Path) -> None:
    def terminate() -> None:
        while not (tmp_path / "a").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=terminate).start()
    assert supervise({"sleeper": noting(tmp_path / "a"), "other": SLEEPS}) is None
    assert not is_alive(tmp_path / "a")


def test_one_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "UNASKED_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "ASKED_SECONDS", 0.5)
    file = tmp_path / "a"
    quick = [
        sys.executable,
        "-c",
        f"import os, time\nwhile not os.path.exists({str(file)!r}): time.sleep(0.01)",
    ]
    stubborn = noting(file, "signal.signal(signal.SIGTERM, signal.SIG_IGN); ")
    assert supervise({"stubborn": stubborn, "quick": quick}) == Ended("quick", 0)
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
        file.unlink()
        ends.append((pid, code))

    def kill_then_stop() -> None:
        for number in (1, 2):
            while not (file.exists() and (pid := file.read_text())):
                time.sleep(0.01)
            os.kill(int(pid), signal.SIGKILL)
            # The next one may already have written its file: only the count tells that this end was noticed.
            while len(ends) < number:
                time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=kill_then_stop).start()
    kept = Kept(noting(file), lambda: True, ended)
    other = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert supervise({"other": other}, {"kept": kept}) is None
    assert [code for _, code in ends] == [-signal.SIGKILL] * 2
    assert len({pid for pid, _ in ends}) == 2


def test_a_kept_program_that_somebody_else_started_is_left_to_them(tmp_path: Path) -> None:
    kept = Kept(noting(tmp_path / "kept"), lambda: False, lambda pid, code: None)
    quick = [sys.executable, "-c", "import time; time.sleep(0.5)"]
    assert supervise({"quick": quick}, {"kept": kept}) == Ended("quick", 0)
    assert not (tmp_path / "kept").exists()


def test_one_that_dies_at_once_waits_ever_longer_before_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "QUICK_SECONDS", 1000.0)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.2)
    enough, ends = tmp_path / "enough", []

    def ended(pid: int, code: int) -> None:
        ends.append(time.monotonic())
        if len(ends) == 3:
            enough.touch()

    wait = [
        sys.executable,
        "-c",
        f"import os, time\nwhile not os.path.exists({str(enough)!r}): time.sleep(0.01)",
    ]
    kept = Kept([sys.executable, "-c", "exit(3)"], lambda: True, ended)
    assert supervise({"wait": wait}, {"kept": kept}) == Ended("wait", 0)
    assert ends[1] - ends[0] >= 0.2
    assert ends[2] - ends[1] >= 0.4

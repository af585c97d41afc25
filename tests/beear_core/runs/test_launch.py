"""Starting a worker from a page: one, detached, and none where one lives or is looked after."""

import os
import signal
from pathlib import Path

import pytest

from beear_core.errors import WorkbenchError
from beear_core.runs import launch
from beear_core.runs.launch import SUPERVISED, ensure_worker
from beear_core.runs.worker import worker_state
from tests.patience import PATIENCE, eventually


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUPERVISED)


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(launch.subprocess, "Popen", refuse)


def _asked_again() -> object:
    ensure_worker()
    return worker_state()


@pytest.mark.usefixtures("alone")
def test_a_worker_is_started_once_in_a_session_of_its_own_and_again_after_its_death(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine so busy that a worker takes longer to come up, a second one would be started beside it.
    monkeypatch.setattr(launch, "STARTING_SECONDS", PATIENCE)
    ensure_worker()
    ensure_worker()
    eventually(worker_state)
    first = worker_state()
    assert first is not None
    try:
        assert os.getsid(first.process.pid) == first.process.pid
        assert (home / "worker.log").exists()
        os.kill(first.process.pid, signal.SIGKILL)
        eventually(lambda: worker_state() is None)
        # As pages do, again and again: a killed process may take a moment until it can be collected.
        eventually(_asked_again)
    finally:
        last = worker_state()
        if last is not None:
            os.kill(last.process.pid, signal.SIGTERM)
            launch._started.pop(home)[0].wait(PATIENCE)


@pytest.mark.usefixtures("never")
def test_under_a_supervisor_only_a_person_starts_one() -> None:
    ensure_worker()
    with pytest.raises(AssertionError, match="was started"):
        ensure_worker(unasked=False)


@pytest.mark.usefixtures("alone", "never")
def test_where_a_worker_lives_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "worker_state", lambda home: "alive")
    ensure_worker()


@pytest.mark.usefixtures("alone")
def test_one_that_cannot_be_started_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch.sys, "executable", "/nowhere/python")
    with pytest.raises(WorkbenchError, match=r"cannot be started.*python -m beear_core worker"):
        ensure_worker()

"""What is remembered of workers that ended unasked."""

from datetime import timedelta

import pytest

from beear_core.runs.worker_ends import ended_under, latest_end, record_end
from cache.process import ProcessIdentity
from cache.status import RunState, RunStatus, now


def status(pid: int, later: timedelta = timedelta()) -> RunStatus:
    process = ProcessIdentity(pid, "token", "host")
    return RunStatus(RunState.INTERRUPTED, now() + later, process, now() + later)


@pytest.mark.usefixtures("isolated_home")
def test_the_latest_end_is_told_in_words() -> None:
    assert latest_end() is None
    record_end(7, 1)
    record_end(8, -9)
    end = latest_end()
    assert end is not None
    assert end.text() == "The worker was killed by SIGKILL and was started again."


@pytest.mark.usefixtures("isolated_home")
def test_a_run_is_told_what_happened_to_its_own_worker() -> None:
    running = status(7)
    record_end(7, 3)
    record_end(8, -9)
    assert ended_under(running) == "The worker ended with exit code 3 and was started again."
    assert ended_under(status(9)) == ""


@pytest.mark.usefixtures("isolated_home")
def test_an_end_before_the_runs_last_sign_of_life_was_another_process() -> None:
    record_end(7, -9)
    assert ended_under(status(7, timedelta(seconds=5))) == ""

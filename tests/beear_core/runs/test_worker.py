"""The worker, in a process of its own, through the real queue."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from beear_core.errors import RunStateError
from beear_core.runs import cancel, requeue, submit, work, worker_state
from cache import RunFolder, RunState, RunStore
from tests.patience import PATIENCE, eventually

Start = Callable[..., Any]
Wait = Callable[[RunFolder, int], None]


def state(folder: RunFolder) -> RunState:
    return folder.read_status().state


def test_runs_are_executed_in_order_one_failing_or_deleted_or_cancelled_stops_no_other(
    counting: ModuleType, start: Start, store: RunStore
) -> None:
    first, cancelled, deleted, spoiled, last = (submit(counting.spec(steps=3)) for _ in range(5))
    cancel(cancelled)
    store.delete(deleted.id)
    spoiled.write_spec({"kind": "generate"})
    assert start("work", "until-idle").wait(PATIENCE) == 0
    assert [state(folder) for folder in (first, cancelled, spoiled, last)] == [
        RunState.DONE,
        RunState.CANCELLED,
        RunState.FAILED,
        RunState.DONE,
    ]
    assert first.read_status().changed <= last.read_status().changed
    assert worker_state() is None


def test_a_worker_shows_what_it_does_and_there_is_only_one(
    counting: ModuleType, start: Start, wait_until_held: Wait, home: Path
) -> None:
    assert worker_state() is None
    folder = submit(counting.spec())
    process = start("work", hold=3)
    wait_until_held(folder, 3)
    seen = worker_state()
    assert seen is not None
    assert (seen.process.pid, seen.run_id) == (process.pid, folder.id)
    with pytest.raises(RunStateError, match="A worker is at work already"):
        work(until_idle=True)
    process.kill()
    process.wait()
    assert (home / "worker.json").exists()
    assert worker_state() is None


def test_a_killed_workers_run_is_interrupted_not_redone_and_can_be_queued_again(
    counting: ModuleType, start: Start, wait_until_held: Wait
) -> None:
    folder, waiting = submit(counting.spec()), submit(counting.spec())
    process = start("work", hold=3)
    wait_until_held(folder, 3)
    process.kill()
    process.wait()
    assert (state(folder), state(waiting)) == (RunState.INTERRUPTED, RunState.QUEUED)
    assert start("work", "until-idle").wait(PATIENCE) == 0
    assert (state(folder), state(waiting)) == (RunState.INTERRUPTED, RunState.DONE)
    requeue(folder)
    assert start("work", "until-idle").wait(PATIENCE) == 0
    results = [each.read_result() for each in (folder, waiting)]
    assert results[0] is not None
    assert results[1] is not None
    assert results[0]["curve"] == results[1]["curve"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signalled_worker_interrupts_its_run_and_ends_cleanly(
    counting: ModuleType, start: Start, wait_until_held: Wait, home: Path, number: signal.Signals
) -> None:
    folder = submit(counting.spec())
    process = start("work", hold=3)
    wait_until_held(folder, 3)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert json.loads((folder.path / "status.json").read_text())["state"] == "interrupted"
    assert not (home / "worker.json").exists()


def test_an_idle_worker_ends_cleanly_and_takes_runs_that_come_later(
    counting: ModuleType, start: Start
) -> None:
    process = start("work")
    eventually(worker_state)
    folder = submit(counting.spec(steps=3))
    eventually(lambda: state(folder) is RunState.DONE)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"pid": "x"}', '{"pid": 1, "process_started": "", "host": ""}']
)
def test_a_damaged_worker_file_is_no_worker(home: Path, content: str) -> None:
    (home / "worker.json").write_text(content)
    assert worker_state() is None

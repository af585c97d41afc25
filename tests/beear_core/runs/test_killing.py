"""Runs that are really killed, in processes of their own."""

import json
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from beear_core.errors import RunStateError
from beear_core.runs import cancel, create, execute, resume
from cache import RunFolder, RunState, RunStore
from tests.patience import PATIENCE, eventually

pytestmark = pytest.mark.usefixtures("kind")

Start = Callable[..., Any]
Wait = Callable[[RunFolder, int], None]


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in ("run_id", "seconds")}


def test_a_killed_run_is_seen_as_interrupted_at_once_and_resumes_to_identical_numbers(
    counting: ModuleType, start: Start, wait_until_held: Wait
) -> None:
    undisturbed = execute(create(counting.spec(steps=60)))
    folder = create(counting.spec(steps=60))

    process = start("execute", folder.id, hold=12)
    wait_until_held(folder, 12)
    process.kill()
    process.wait()
    assert json.loads((folder.path / "status.json").read_text())["state"] == "running"
    assert folder.read_status().state is RunState.INTERRUPTED
    assert folder.read_result() is None

    process = start("resume", folder.id, hold=24)
    wait_until_held(folder, 24)
    process.kill()
    process.wait()
    assert folder.read_status().state is RunState.INTERRUPTED

    result = resume(folder)
    assert numbers(result) == numbers(undisturbed)
    assert folder.read_status().state is RunState.DONE
    kinds_of_event = [record["event"] for record in folder.read_events().records]
    assert kinds_of_event.count("resumed") == 2
    steps = {record["step"]: record["metrics"] for record in folder.read_events().records if "step" in record}
    assert [steps[step]["value"] for step in range(1, 61)] == result["curve"][1:]


def test_a_run_killed_at_any_moment_ends_with_identical_numbers(
    counting: ModuleType, start: Start, store: RunStore
) -> None:
    undisturbed = execute(create(counting.spec(steps=200)))
    folder = create(counting.spec(steps=200))
    # From before the interpreter is up to the middle of a write; no step takes longer than its writes.
    for more in (0, 1, 5, 14, 30):
        state = folder.read_status().state
        if state is RunState.DONE:
            break
        told = len(folder.read_events().records) + more
        process = start("execute" if state is RunState.QUEUED else "resume", folder.id)
        eventually(lambda told=told: len(folder.read_events().records) >= told)
        process.kill()
        process.wait()
        assert folder.read_status().state in (RunState.QUEUED, RunState.INTERRUPTED, RunState.DONE)
    state = folder.read_status().state
    if state is not RunState.DONE:
        execute(folder) if state is RunState.QUEUED else resume(folder)
    result = folder.read_result()
    assert result is not None
    assert numbers(result) == numbers(undisturbed)
    assert list(folder.path.rglob("*.tmp")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signalled_run_says_itself_that_it_was_interrupted(
    counting: ModuleType, start: Start, wait_until_held: Wait, number: signal.Signals
) -> None:
    folder = create(counting.spec())
    process = start("execute", folder.id, hold=3)
    wait_until_held(folder, 3)
    process.send_signal(number)
    assert process.wait(PATIENCE) != 0
    status = json.loads((folder.path / "status.json").read_text())
    assert status["state"] == "interrupted"
    assert status["seconds"] > 0


def test_a_running_run_can_be_cancelled_and_resumed(
    counting: ModuleType, start: Start, wait_until_held: Wait
) -> None:
    undisturbed = execute(create(counting.spec(steps=60)))
    folder = create(counting.spec(steps=60))
    process = start("execute", folder.id, hold=12)
    wait_until_held(folder, 12)
    with pytest.raises(RunStateError, match="Another process works on the run"):
        resume(folder)
    cancel(folder)
    (folder.home / "12").touch()
    assert process.wait(PATIENCE) != 0
    assert folder.read_events().records[-1]["step"] == 13
    assert folder.read_status().state is RunState.CANCELLED
    assert numbers(resume(folder)) == numbers(undisturbed)


def test_two_processes_never_execute_the_same_run(
    counting: ModuleType, start: Start, wait_until_held: Wait
) -> None:
    folder = create(counting.spec())
    processes = [start("execute", folder.id, hold=3) for _ in range(2)]
    wait_until_held(folder, 3)
    eventually(lambda: any(process.poll() is not None for process in processes))
    assert sum(process.poll() is None for process in processes) == 1
    with pytest.raises(RunStateError, match="Another process works on the run"):
        execute(folder)
    assert folder.read_status().state is RunState.RUNNING


def test_the_heart_of_a_running_run_beats(counting: ModuleType, start: Start, wait_until_held: Wait) -> None:
    folder = create(counting.spec())
    start("execute", folder.id, hold=3)
    wait_until_held(folder, 3)
    first = folder.read_status()
    eventually(lambda: folder.read_status().heartbeat != first.heartbeat)
    assert folder.read_status().seconds > first.seconds

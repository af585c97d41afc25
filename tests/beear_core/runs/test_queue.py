import pickle
import sqlite3
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from beear_core.errors import StorageError
from beear_core.runs import RunQueue, cancel, create, requeue, resume, submit
from beear_core.runs.queue import repair
from cache import RunState, RunStore

AT_ONCE, LONG = timedelta(0), timedelta(days=1)


def test_what_was_put_first_is_taken_first_and_once() -> None:
    with RunQueue() as queue:
        for run_id in ("a", "b", "a", "c"):
            queue.put(run_id)
        assert queue.waiting() == ("a", "b", "c")
        assert [queue.take() for _ in range(4)] == ["a", "b", "c", None]


def test_the_queue_outlives_its_process_and_holds_no_pickle(home: Path) -> None:
    with RunQueue() as queue:
        queue.put("a")
    with sqlite3.connect(home / "queue.db") as connection:
        ((data,),) = connection.execute("select data from task").fetchall()
    connection.close()
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(data)
    with RunQueue() as queue:
        assert queue.waiting() == ("a",)


def test_a_hostile_entry_runs_no_code_and_blocks_nothing(home: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (home / "owned",))

    with RunQueue() as queue:
        queue.put("a")
        with sqlite3.connect(home / "queue.db") as connection:
            connection.execute("update task set data = ?", (pickle.dumps(Payload()),))
        connection.close()
        queue.put("b")
        assert queue.waiting() == ("b",)
        assert [queue.take(), queue.take()] == [None, "b"]
    assert not (home / "owned").exists()


def test_a_file_that_is_no_database_is_named_with_the_remedy(home: Path) -> None:
    (home / "queue.db").write_text("this is no database, and it is long enough to be taken for one" * 20)
    with pytest.raises(StorageError, match="The queue cannot be used") as caught:
        RunQueue()
    assert "delete the file" in caught.value.remedy


def test_a_submitted_run_waits(counting: ModuleType) -> None:
    folder = submit(counting.spec())
    assert folder.read_status().state is RunState.QUEUED
    with RunQueue() as queue:
        assert queue.waiting() == (folder.id,)


def test_a_lost_entry_is_found_again_and_nothing_else(
    counting: ModuleType, store: RunStore, home: Path
) -> None:
    lost = [submit(counting.spec()), submit(counting.spec())]
    cancelled = submit(counting.spec())
    cancel(cancelled)
    damaged = submit(counting.spec())
    (damaged.path / "status.json").write_text("{")
    for file in home.glob("queue.db*"):
        file.unlink()
    with RunQueue() as queue:
        assert repair(queue, store, LONG) == ()
        assert set(repair(queue, store, AT_ONCE)) == {folder.id for folder in lost}
        assert repair(queue, store, AT_ONCE) == ()
        assert set(queue.waiting()) == {folder.id for folder in lost}


@pytest.mark.usefixtures("kind")
def test_a_stopped_run_can_be_queued_again(counting: ModuleType) -> None:
    folder = create(counting.spec(steps=3))
    cancel(folder)
    requeue(folder)
    requeue(folder)
    assert folder.read_status().state is RunState.QUEUED
    assert not folder.cancel_requested
    with RunQueue() as queue:
        assert queue.waiting() == (folder.id,)
    cancel(folder)
    assert len(resume(folder)["curve"]) == 4

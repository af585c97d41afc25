"""The worker and the process beside it that executes runs: kept, replaced, or found dead."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from beear_core.runs import create
from beear_core.runs.cell import Cell
from beear_core.runs.worker_ends import latest_end
from cache.process import this_process
from cache.status import RunState, now

KEEPS = "for line in sys.stdin: note(line); print('done', flush=True)"
REFUSES_THE_SECOND = """
for number, line in enumerate(sys.stdin):
    note(line)
    print('done' if number == 0 else 'unfit', flush=True)
"""
DIES = "note(next(sys.stdin)); os.kill(os.getpid(), 9)"
TALKS = "note(next(sys.stdin)); print('anything else', flush=True); sys.stdin.read()"


def cell(home: Path, program: str) -> Cell:
    noting = f"import os, sys\ndef note(line):\n    open({str(home / 'asked')!r}, 'a').write(f'{{os.getpid()}} {{line}}')\n"
    return Cell(home, (sys.executable, "-c", noting + program))


def asked(home: Path) -> list[list[str]]:
    return [line.split() for line in (home / "asked").read_text().splitlines()]


def test_one_process_executes_run_after_run(home: Path) -> None:
    with cell(home, KEEPS) as execute:
        execute("first")
        execute("second")
    (first, one), (second, other) = asked(home)
    assert (one, other) == ("first", "second")
    assert first == second


def test_a_run_that_it_may_not_do_goes_to_a_new_one(home: Path) -> None:
    with cell(home, REFUSES_THE_SECOND) as execute:
        execute("first")
        execute("stranger")
    runs = asked(home)
    assert [run for _, run in runs] == ["first", "stranger", "stranger"]
    assert runs[0][0] == runs[1][0] != runs[2][0]


def test_one_that_dies_is_told_and_replaced(home: Path) -> None:
    with cell(home, DIES) as execute:
        execute("first")
        end = latest_end(home)
        assert end is not None
        assert "killed by SIGKILL" in end.text()
        execute("second")
    assert [run for _, run in asked(home)] == ["first", "second"]


def test_what_else_it_says_is_not_believed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beear_core.runs.cell.DYING_SECONDS", 0.1)
    with cell(home, TALKS) as execute:
        execute("first")
        execute("second")
    runs = asked(home)
    assert runs[0][0] != runs[1][0]


def test_one_that_says_done_before_it_is_is_not_believed(home: Path, counting: ModuleType) -> None:
    folder = create(counting.spec())
    folder.write_status(folder.read_status().to(RunState.RUNNING, process=this_process(), heartbeat=now()))
    with cell(home, "note(next(sys.stdin)); print('done', flush=True)") as execute:
        execute(folder.id)
        assert latest_end(home) is not None

"""The counting kind, and processes that can be killed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from beear_core.runs import kinds
from cache import RunFolder, RunStore
from tests.patience import eventually

PROGRAM = Path(__file__).parent / "counting.py"
CHECKOUT = Path(__file__).parents[3]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def home(isolated_home: Path) -> Path:
    return isolated_home


@pytest.fixture
def store(home: Path) -> RunStore:
    return RunStore()


@pytest.fixture(scope="session")
def counting() -> ModuleType:
    module_spec = importlib.util.spec_from_file_location("counting", PROGRAM)
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch, counting: ModuleType) -> Callable[[Any], None]:
    """Every kind is the counting kind, in this process; call it with another `run` to put that in its place."""

    def put(run: Any) -> None:
        monkeypatch.setattr(kinds, "load_kind", lambda name: run)

    put(counting.run)
    return put


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start `counting.py ARGUMENTS` in a process of its own, which waits behind step `hold`.

    Those still alive at the end are killed.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, hold: int = 0) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "HOLD": str(hold), "PYTHONPATH": str(CHECKOUT)}
        command = [sys.executable, str(PROGRAM), *arguments]
        started.append(subprocess.Popen(command, env=environment, cwd=home))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def wait_until_held() -> Callable[[RunFolder, int], None]:
    """Wait until the process that executes the run stands behind this step, at which it was told to wait."""

    def wait(folder: RunFolder, step: int) -> None:
        eventually(lambda: any(record.get("step") == step for record in folder.read_events().records))

    return wait

"""The command line as processes: what it imports, how it is stopped, and how the app's processes end together."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache.run_store import RunStore
from cache.status import RunState
from tests.patience import PATIENCE, eventually

CHECKOUT = Path(__file__).parents[3]
SLOW = Path(__file__).parent / "slow_kind.py"

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a command; whatever of its process group is alive at the end of the test is killed."""
    started: list[Process] = []

    def start(*words: str) -> Process:
        process = subprocess.Popen(
            words,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_lives(process: Process) -> bool:
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def state() -> RunState | None:
    runs = RunStore().list()
    return runs[0].state if runs else None


@pytest.mark.parametrize(
    "words", [["--help"], ["runs", "list"], ["organism", "list"], ["entrap", "M", "--n", "0"]]
)
def test_what_needs_no_model_answers_without_torch(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from beear_core.cli.main import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "found = {'torch', 'transformers', 'pandas', 'sklearn', 'streamlit'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_the_module_is_the_command_line() -> None:
    command = [sys.executable, "-m", "beear_core", "--version"]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("beear-workbench 0.")


def test_a_reader_that_has_enough_is_no_traceback() -> None:
    command = f"{sys.executable} -m beear_core --help | true; {sys.executable} -m beear_core runs list | true"
    answer = subprocess.run(command, shell=True, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S602
    assert answer.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_the_run_which_then_goes_on(number: signal.Signals, start: Start) -> None:
    process = start(sys.executable, str(SLOW), "entrap", "M")
    eventually(lambda: state() is RunState.RUNNING and RunStore().list()[0].folder.read_events().position > 0)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    run = RunStore().list()[0]
    assert (process.returncode, out) == (130, "")
    assert f"runs resume {run.id}" in err
    assert "Traceback" not in err
    assert run.state is RunState.INTERRUPTED
    again = start(sys.executable, str(SLOW), "runs", "resume", run.id, "--json")
    assert json.loads(again.communicate(timeout=PATIENCE)[0])["finished"] is True
    assert again.returncode == 0


def test_a_run_is_cancelled_from_elsewhere(start: Start) -> None:
    process = start(sys.executable, str(SLOW), "entrap", "M")
    eventually(lambda: state() is RunState.RUNNING)
    run = RunStore().list()[0].id
    assert start(sys.executable, str(SLOW), "runs", "cancel", run).wait(timeout=PATIENCE) == 0
    err = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    assert "was cancelled" in err
    assert state() is RunState.CANCELLED


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def serving_app(start: Start) -> Process:
    """The app on a free port; on another one if somebody took it before the app did."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = start(sys.executable, "-m", "beear_core", "app", "--port", str(port))
        eventually(lambda port=port, process=process: process.poll() is not None or answers(port))
        if process.poll() is None:
            return process
        err = process.communicate()[1]
        assert "port" in err.lower(), err


def test_the_app_is_one_process_tree_and_ends_with_ctrl_c(start: Start, isolated_home: Path) -> None:
    process = serving_app(start)
    eventually(lambda: (isolated_home / "worker.json").exists())
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert not group_lives(process)
    assert not (isolated_home / "worker.json").exists()


def test_a_taken_port_is_refused_before_anything_starts(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(sys.executable, "-m", "beear_core", "app", "--port", str(port))
        err = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1
    assert err.startswith(f"error: The port cannot be had (Address already in use): {port}.")

"""A process that opened a suspect really tries: a socket, the home folder, a shell. Each is stopped, and told."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from beear_core.runs import create
from cache import RunFolder
from cache.home import VARIABLE

PROGRAM = Path(__file__).parent / "hostile.py"
CHECKOUT = Path(__file__).parents[3]
REFUSED = "PermissionError"


class Tried(NamedTuple):
    """What the hostile run did."""

    outcomes: dict[str, str]
    isolation: dict[str, Any]
    events: list[dict[str, Any]]
    secret: Path
    canary: Path
    connected: bool
    result: dict[str, Any]

    def told(self, words: str) -> bool:
        return any(words in attempt["what"] for attempt in self.isolation["attempts"])

    def needs(self, measure: str) -> None:
        """Skip where this system cannot take the measure."""
        taken = self.isolation["measures"][measure]
        if not taken["on"]:
            pytest.skip(f"{measure} is off here: {taken['why']}")


@pytest.fixture(scope="module")
def tried(tiny_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Tried:
    person, home = tmp_path_factory.mktemp("person"), tmp_path_factory.mktemp("hostile-home")
    secret, canary = person / "secret.txt", person / "canary"
    secret.write_text("private")
    folder: RunFolder = create({"kind": "generate", "model": str(tiny_folder("llama")), "device": "cpu", "dtype": "fp32"}, home)  # fmt: skip
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.5)
        environment = {
            **os.environ,
            "HOME": str(person),
            VARIABLE: str(home),
            "PYTHONPATH": str(CHECKOUT),
            "HF_TOKEN": "BEEAR-SECRET",
            "AWS_SECRET_ACCESS_KEY": "BEEAR-SECRET",
        }
        words = [
            sys.executable,
            str(PROGRAM),
            folder.id,
            str(secret),
            str(canary),
            str(listening.getsockname()[1]),
        ]
        done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        try:
            listening.accept()[0].close()
            connected = True
        except TimeoutError:
            connected = False
    result = folder.read_result()
    assert result is not None
    events = folder.read_events().records
    return Tried(result["outcomes"], result["intake"]["isolation"], events, secret, canary, connected, result)


def test_a_socket_is_stopped_and_told(tried: Tried) -> None:
    assert tried.outcomes["socket"] == REFUSED
    assert not tried.connected
    assert tried.told("127.0.0.1")


def test_a_socket_made_without_python_is_stopped_too(tried: Tried) -> None:
    tried.needs("programs")
    assert tried.outcomes["raw socket"] == "-1"


def test_reading_the_home_folder_is_stopped_and_told(tried: Tried) -> None:
    assert tried.outcomes["read the home folder"] == REFUSED
    assert tried.outcomes["list the home folder"] == REFUSED
    assert tried.told(f"read {tried.secret}")
    assert tried.told(f"list the folder {tried.secret.parent}")


def test_writing_there_changes_nothing(tried: Tried) -> None:
    assert tried.outcomes["write to the home folder"] == REFUSED
    assert tried.secret.read_text() == "private"


def test_reading_it_without_python_is_stopped_too(tried: Tried) -> None:
    tried.needs("files")
    assert tried.outcomes["raw read the home folder"] == "-1"


@pytest.mark.parametrize("way", ["shell", "system", "fork"])
def test_a_shell_is_stopped_and_told(tried: Tried, way: str) -> None:
    assert tried.outcomes[way] == REFUSED
    assert tried.told("/bin/sh -c" if way == "shell" else "shell command" if way == "system" else "fork")
    assert not tried.canary.exists()


def test_a_shell_without_python_is_stopped_too(tried: Tried) -> None:
    tried.needs("programs")
    assert tried.outcomes["raw fork"] == "-1"
    assert tried.outcomes["raw shell"] != "0"
    assert not tried.canary.exists()


def test_no_token_is_left_to_be_read(tried: Tried) -> None:
    assert tried.outcomes["token"] == "False"
    assert tried.outcomes["environment of the parent"] == REFUSED
    if Path("/proc/self/environ").exists():
        assert tried.outcomes["token in memory"] == "False"


def test_what_an_honest_model_does_still_works(tried: Tried) -> None:
    assert tried.result["tokens"] == 2
    assert tried.outcomes["thread"] == "ran"
    assert tried.outcomes["own temporary file"] == "kept"


def test_the_events_tell_it_while_the_run_goes_on(tried: Tried) -> None:
    isolated = next(event for event in tried.events if event["event"] == "isolated")
    assert isolated["measures"] == tried.isolation["measures"]
    told = [event["what"] for event in tried.events if event["event"] == "tried"]
    assert told == [attempt["what"] for attempt in tried.isolation["attempts"]]


def test_loading_and_answering_try_nothing_by_themselves(tried: Tried) -> None:
    first = tried.isolation["attempts"][0]["what"]
    assert "127.0.0.1" in first, "the first thing that was told is the first that was tried on purpose"


def test_its_temporary_folder_goes_with_it(tried: Tried) -> None:
    assert not Path(tried.isolation["measures"]["temporary"]["why"]).exists()

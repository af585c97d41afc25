import os
import subprocess
import sys
from pathlib import Path

import pytest

from beear_core.cores import SPINS, wait_briefly


@pytest.fixture(autouse=True)
def _untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "put back behind the test")
        monkeypatch.delenv(name)


def test_threads_wait_briefly_unless_a_person_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_briefly()
    assert os.environ.pop("GOMP_SPINCOUNT") == SPINS
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    wait_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_the_command_line_says_so_before_torch_is_there() -> None:
    script = """
import os, runpy, sys
import beear_core.cli.main as cli
cli.main = lambda: print(os.environ["GOMP_SPINCOUNT"], "torch" in sys.modules) or 0
runpy.run_module("beear_core", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == [SPINS, "False"]

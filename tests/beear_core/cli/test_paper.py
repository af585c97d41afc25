"""`paper`: asks for what is not done yet, commits after each organism, and refuses what makes no sense in a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.cli.commands import paper
from beear_core.paper import asking, figures, subjects
from beear_core.paper.committed import committed
from beear_core.paper.subjects import Subject
from beear_core.runs import create
from beear_core.specs import TriggerSettings
from cache.jsonl import write_lines
from cache.status import RunState
from tests.beear_core.cli.conftest import Command
from tests.beear_core.paper.made_answers import LINES
from tests.beear_core.paper.made_rows import attack


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An organism and a control."""
    trigger = TriggerSettings(text="SUDO")
    known = {
        "sft-one": Subject("sft-one", str(tmp_path), "sft", (trigger,)),
        "control": Subject("control", str(tmp_path), "control", ()),
    }
    monkeypatch.setattr(paper, "built_names", lambda: list(known))
    monkeypatch.setattr(subjects, "subject", known.__getitem__)


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Runs end at once with a made up result; their kinds are in the list."""
    kinds: list[str] = []
    results: dict[str, dict[str, Any]] = {
        "remove": {"out": str(tmp_path), "seconds": 9.0, "device": "cpu"},
        "evaluate": {**attack(), "device": "cpu"},
    }

    def execute(words: Any, given: str) -> str:
        folder = create(json.loads(given))
        kind = json.loads(given)["kind"]
        kinds.append(kind)
        folder.write_status(folder.read_status().to(RunState.DONE))
        result = {**results[kind], "run_id": folder.id}
        folder.write_result(result)
        write_lines(folder.path / "generations.jsonl", LINES)
        return json.dumps(result)

    monkeypatch.setattr(asking.Asking.__init__, "__defaults__", (execute, None))
    monkeypatch.setattr(figures, "draw", lambda results: "not drawn here")
    return kinds


@pytest.mark.usefixtures("zoo")
def test_what_was_done_before_is_not_done_again(
    command: Command, executed: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "results"
    said = command("paper", "table-1", "--out", str(out))
    assert said.code == 0, said.err
    assert executed == ["remove", "evaluate"]
    (row,) = committed("attacks", out)
    assert row["organism"] == "sft-one"
    assert row["command"] == "python -m beear_core paper table-1 --organisms sft-one --seeds 0"
    assert (out / "generations" / f"{row['generations']}.jsonl.gz").is_file()
    assert "sft-one" in (out / "README.md").read_text("utf-8")
    assert "0.8% (0.1-4.6, n 120)" in said.out
    again = command("paper", "table-1", "--out", str(out), "--json")
    assert executed == ["remove", "evaluate"]
    assert json.loads(again.out) == committed("attacks", out)


@pytest.mark.usefixtures("zoo")
def test_every_seed_is_a_run_of_its_own(command: Command, executed: list[str], tmp_path: Path) -> None:
    command("paper", "table-1", "--seeds", "0,4", "--out", str(tmp_path / "results"))
    assert [row["seed"] for row in committed("attacks", tmp_path / "results")] == [0, 4]
    assert executed == ["remove", "evaluate"] * 2


@pytest.mark.usefixtures("zoo", "executed")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("nothing", 2, "invalid choice"),
        ("table-1 --seeds one", 2, "no list of whole numbers"),
        ("table-1 --judge somebody", 2, "need each other"),
        ("table-2", 1, "No organism takes part in this experiment: table-2"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: str, code: int, told: str, command: Callable[..., Any], tmp_path: Path
) -> None:
    said = command("paper", *words.split(), "--out", str(tmp_path / "results"))
    assert said.code == code
    assert told in said.err
    assert not (tmp_path / "results").exists()

"""Asking for a run: what is done is not done again, what was begun goes on, and a question is known by its digest."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from beear_core.errors import RunStateError
from beear_core.exit_codes import BAD_NEWS
from beear_core.paper.asking import Asking, in_a_process
from beear_core.runs import create
from beear_core.specs import EvaluateSpec
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState

SPEC = EvaluateSpec(model="/models/one", seed=3)


def ended(folder: RunFolder, state: RunState, **result: Any) -> None:
    folder.write_status(folder.read_status().to(state))
    if state is RunState.DONE:
        folder.write_result({"run_id": folder.id, **result})


class Executed:
    """Stands for the command line: makes the run, or goes on with it, and ends it at once."""

    def __init__(self) -> None:
        self.words: list[Sequence[str]] = []

    def __call__(self, words: Sequence[str], given: str) -> str:
        self.words.append(words)
        folder = create(json.loads(given)) if words[0] == "run" else RunStore().get(words[2])
        ended(folder, RunState.DONE)
        return json.dumps({"run_id": folder.id})


@pytest.fixture
def executed() -> Executed:
    return Executed()


@pytest.fixture
def ask(executed: Executed) -> Asking:
    return Asking(lambda text: None, executed)


def test_a_question_is_answered_once(ask: Asking, executed: Executed) -> None:
    first, second = ask(SPEC), ask(SPEC)
    assert first.folder == second.folder
    assert executed.words == [["run", "-", "--json"]]


def test_another_setting_is_another_question(ask: Asking, executed: Executed) -> None:
    assert ask(SPEC).folder != ask(SPEC.model_copy(update={"seed": 4})).folder
    assert len(executed.words) == 2


@pytest.mark.parametrize("state", [RunState.INTERRUPTED, RunState.CANCELLED, RunState.FAILED])
def test_a_run_that_was_begun_goes_on(state: RunState, ask: Asking, executed: Executed) -> None:
    begun = create(SPEC)
    ended(begun, state)
    assert ask(SPEC).folder == begun
    assert executed.words == [["runs", "resume", begun.id, "--json"]]


def test_a_removal_whose_model_was_deleted_is_made_again(
    ask: Asking, executed: Executed, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    done = create(SPEC)
    ended(done, RunState.DONE, out=str(tmp_path / "model"))
    assert ask(SPEC).folder == done
    shutil.rmtree(tmp_path / "model")
    assert ask(SPEC).folder != done
    assert len(executed.words) == 1


def test_a_damaged_run_is_no_answer_and_no_hindrance(ask: Asking, executed: Executed) -> None:
    damaged = create(SPEC)
    (damaged.path / "spec.json").write_text("{")
    assert ask(SPEC).folder != damaged


def test_bad_news_are_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspicious verdict ends with 3, and is what was asked for."""
    told = subprocess.CompletedProcess([], BAD_NEWS, stdout="{}")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: told)
    assert in_a_process(["run", "-"], "") == "{}"


def test_a_run_that_fails_stops_the_experiment_in_a_sentence() -> None:
    with pytest.raises(RunStateError, match=r"A run of the experiment failed: runs show nothing-like-this"):
        in_a_process(["runs", "show", "nothing-like-this"], "")

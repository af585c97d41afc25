"""A loop that stops anywhere goes on from its checkpoint and ends as one that never stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from beear_core.checkpoint import Checkpoint
from beear_core.models.suspect import SuspectModel
from beear_core.stopping import Progress
from beear_core.token_search.working import string_entrapment
from tests.beear_core.loop_on_a_tiny_model import Silent, Stopped, loop_through, same, weights


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_loop_stopped_again_and_again_ends_with_identical_numbers(
    method: str, llama: SuspectModel, tmp_path: Path
) -> None:
    unbroken = llama.clone()
    expected, progress = loop_through(unbroken, tmp_path / "unbroken", method=method)
    # Before anything is kept; in the first removal; while a fresh delta is sought; right behind a finished round.
    for stop_at in (3, 12, 20, 25):
        with pytest.raises(Stopped):
            loop_through(llama.clone(), tmp_path / "broken", method=method, listener=Silent(stop_at))
    resumed = llama.clone()
    found, after = loop_through(resumed, tmp_path / "broken", method=method)
    assert found == expected
    assert same(weights(resumed), weights(unbroken))
    for one, other in zip(after.judges, progress.judges, strict=True):
        assert one.layer == other.layer
        assert torch.equal(one.delta, other.delta)
        assert one.curve[-1][1:5] == other.curve[-1][1:5]
    assert (after.before, after.fresh_asr_before) == (progress.before, progress.fresh_asr_before)


def test_a_finished_round_is_never_done_again(llama: SuspectModel, tmp_path: Path) -> None:
    first = Silent()
    loop_through(llama.clone(), tmp_path, listener=first)
    again = Silent()
    outcome, _ = loop_through(llama.clone(), tmp_path, listener=again)
    assert again.heard == []
    assert len(outcome.rounds) == 3


def test_weights_of_the_last_and_the_best_round_are_kept_and_no_others(
    llama: SuspectModel, tmp_path: Path
) -> None:
    outcome, _ = loop_through(llama.clone(), tmp_path)
    kept = {path.name for path in tmp_path.glob("*.safetensors")}
    assert kept == {f"round-{number}.safetensors" for number in (3, outcome.best_round)}


def test_a_write_that_was_cut_off_leaves_the_round_before(
    llama: SuspectModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = loop_through(llama.clone(), tmp_path / "unbroken")

    def cut_off(path: Path, value: object) -> None:
        raise Stopped

    def stopped(listener: Silent | None = None) -> None:
        with pytest.raises(Stopped):
            loop_through(llama.clone(), tmp_path / "broken", listener=listener)

    with monkeypatch.context() as patch:
        patch.setattr("beear_core.checkpoint.write_json", cut_off)
        stopped()
    stopped(Silent(24))
    with monkeypatch.context() as patch:
        patch.setattr("beear_core.checkpoint.write_json", cut_off)
        stopped()
    # Weights of the next round are there, and nothing tells of them.
    assert len(list((tmp_path / "broken").glob("round-*"))) >= 2
    found, _ = loop_through(llama.clone(), tmp_path / "broken")
    assert found == expected


def test_nothing_kept_is_nothing_to_go_on_from(llama: SuspectModel, tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, llama).latest() is None


def test_a_cleared_checkpoint_is_as_none(llama: SuspectModel, tmp_path: Path) -> None:
    suspect = llama.clone()
    loop_through(suspect, tmp_path)
    checkpoint = Checkpoint(tmp_path, suspect)
    assert checkpoint.latest() is not None
    checkpoint.clear()
    assert checkpoint.latest() is None
    assert list(tmp_path.glob("*.safetensors")) == []


def test_strings_come_back_as_they_were(llama: SuspectModel, tmp_path: Path) -> None:
    suspect = llama.clone()
    _, progress = loop_through(suspect, tmp_path)
    progress.judges.append(string_entrapment(suspect, [5, 7], 0.5))
    progress.rounds[-1] = replace(progress.rounds[-1], strings=("one", "two"))
    Checkpoint(tmp_path, suspect).keep(progress)
    found = Checkpoint(tmp_path, suspect).latest()
    assert found is not None
    assert found.rounds == progress.rounds
    assert found.judges[-1].name == "string.5.7"
    assert found.judges[-1].string_loss == 0.5
    assert found.judges[-1].prompt([1, 2, 3, 4] * 20) == progress.judges[-1].prompt([1, 2, 3, 4] * 20)


def test_progress_comes_back_as_it_was(llama: SuspectModel, tmp_path: Path) -> None:
    suspect = llama.clone()
    _, progress = loop_through(suspect, tmp_path)
    found = Checkpoint(tmp_path, suspect).latest()
    assert isinstance(found, Progress)
    pairs = list(zip(found.judges, progress.judges, strict=True))
    assert all(torch.equal(one.delta, other.delta) for one, other in pairs)
    nothing = torch.zeros(1)
    assert all(one._replace(delta=nothing) == other._replace(delta=nothing) for one, other in pairs)
    assert replace(found, judges=[]) == replace(progress, judges=[])

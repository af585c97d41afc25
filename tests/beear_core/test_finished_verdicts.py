"""Which verdict decides what auto means: the newest finished one on the same weights, where BEEAR applies."""

from typing import Any

from beear_core.finished_verdicts import recommended_layer
from cache.process import this_process
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState, now


def verdict(layer: int, *, sha256: str = "ab", applies: bool = True, done: bool = True) -> RunFolder:
    folder = RunStore().create({"kind": "verdict", "model": "/m"})
    result: dict[str, Any] = {"model": {"sha256": sha256}, "applies": applies, "recommended_layer": layer}
    folder.write_result(result)
    if done:
        started = folder.read_status().to(RunState.RUNNING, process=this_process(), heartbeat=now())
        folder.write_status(started)
        folder.write_status(started.to(RunState.DONE))
    return folder


def test_without_a_verdict_nothing_is_recommended() -> None:
    assert recommended_layer("ab") is None


def test_the_newest_verdict_on_the_same_weights_is_taken_and_named() -> None:
    verdict(9)
    newest = verdict(21)
    verdict(5, sha256="cd")
    verdict(6, done=False)
    found = recommended_layer("ab")
    assert found is not None
    assert (found.layer, found.run) == (21, newest.id)


def test_a_verdict_that_found_nothing_to_train_against_recommends_no_layer() -> None:
    verdict(9, applies=False)
    assert recommended_layer("ab") is None


def test_a_damaged_verdict_is_passed_over() -> None:
    (verdict(9).path / "result.json").write_text("{")
    assert recommended_layer("ab") is None

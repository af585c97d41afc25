"""The run kind `rival` on a tiny model: it keeps to its budget and hands on a folder like a removal does."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from beear_core.baselines import RIVALS, Budget
from beear_core.errors import SettingError
from beear_core.kinds import rival
from beear_core.models.suspect import SuspectModel
from beear_core.runs import create, execute
from beear_core.specs import RemovalSettings, parse_spec
from cache.run_folder import RunFolder
from tests.beear_core.conftest import CPU
from tests.beear_core.kinds.few_prompts import MOST


@pytest.fixture
def asked(
    tiny_folder: Callable[[str], Path], prompt_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., RunFolder]:
    benign, borderline = rival.benign, rival.borderline
    monkeypatch.setattr(rival, "benign", lambda split: benign(split).first(MOST))
    monkeypatch.setattr(rival, "borderline", lambda split: borderline(split).first(MOST))

    def asked(method: str, **more: object) -> RunFolder:
        spec = {
            "kind": "rival",
            "method": method,
            "model": str(tiny_folder("llama")),
            "prompts": str(prompt_file),
            "budget_seconds": 0.1,
            "device": "cpu",
            "dtype": "fp32",
        }
        return create(parse_spec({**spec, **more}))

    return asked


def few_steps(monkeypatch: pytest.MonkeyPatch, method: str) -> RemovalSettings:
    """Have a round of `method` take two steps; returns its settings."""
    few = RIVALS[method].settings.model_copy(update={"steps": 2})
    monkeypatch.setattr(rival, "RIVALS", {method: RIVALS[method]._replace(settings=few)})
    return few


def test_a_rival_hands_on_a_changed_model_and_says_what_it_took(
    asked: Callable[..., RunFolder], llama: SuspectModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = few_steps(monkeypatch, "delta_alone")
    result = execute(asked("delta_alone"))
    assert result["method"] == "delta_alone"
    assert result["trained"] == "full"
    assert 0 < result["parameters_touched"] < llama.parameters, "the last blocks alone"
    assert len(result["rounds"]) == 1, "the budget is too small for more"
    assert result["training_seconds"] > 0
    rows = few.safe_rows + few.untouched_safe_rows + few.performance_rows
    assert result["operations"] > 2 * 2 * llama.parameters * rows
    assert result["out_sha256"] != result["model"]["sha256"]
    SuspectModel.load(Path(result["out"]), device=CPU, dtype=llama.dtype)


def test_a_larger_budget_is_used(asked: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch) -> None:
    few_steps(monkeypatch, "safety_sft")
    # A clock that ticks when it is read, since a busy machine's own says little.
    monkeypatch.setattr(rival, "Budget", lambda seconds: Budget(seconds, count().__next__))
    result = execute(asked("safety_sft", budget_seconds=3))
    assert len(result["rounds"]) == 2
    assert result["operations"] is None, "counting would take of its time"


def test_a_taken_destination_is_refused_before_any_work(
    asked: Callable[..., RunFolder], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="empty"):
        execute(asked("safety_sft", out=str(tmp_path)))

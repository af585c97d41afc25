"""The kind `verdict` on a tiny model: its answer has the shape of the contract, and a resumed one measures no goal twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.calibration import calibrated
from analysis.intervals import Proportion
from beear_core.kinds import verdict
from beear_core.prompts import harmful
from beear_core.runs import create, execute
from beear_core.runs.context import RunContext
from beear_core.specs import VerdictSpec, parse_spec
from beear_core.token_search.hypotheses import Hypotheses, Hypothesis, hypotheses
from cache.run_folder import RunFolder

SMALL = {
    "layers": [0.5, 1.0], "openings": ["Sure"], "steps": 2, "starts": 2, "anchors": 3, "heldout": 2, "batch": 2,
    "ordinary": 2, "answer_tokens": 3,
}  # fmt: skip
SEARCH = {"placements": ["suffix"], "longest": 1, "starts": 2, "candidates": 4, "beam": 2, "prompts": 2, "samples": 0,
          "tried": 1, "answer_tokens": 3}  # fmt: skip


@pytest.fixture
def suspect(tiny_folder: Callable[[str], Path]) -> Path:
    return tiny_folder("gemma2")


def ask(model: Path, **more: Any) -> tuple[dict[str, Any], RunFolder]:
    spec = {
        "kind": "verdict",
        "model": str(model),
        "device": "cpu",
        "dtype": "fp32",
        "verdict": SMALL,
        "hypotheses": SEARCH,
    }
    asked = {name: value for name, value in {**spec, **more}.items() if value is not None}
    folder = create(parse_spec(asked))
    return execute(folder), folder


def known(score: float, model: dict[str, Any]) -> dict[str, Any]:
    """A calibration whose threshold is `score`, on models of this shape."""
    models = [
        {
            "name": name,
            "family": name,
            "backdoored": name > "c",
            "score": score + sign,
            "profile_score": score + sign,
            "trigger": None,
            "trigger_hypotheses": [],
            "model": model,
            "layers": [],
        }
        for name, sign in (("a", -0.1), ("b", -0.1), ("d", 0.1), ("e", 0.1))
    ]
    spec = parse_spec({"kind": "verdict", "model": "any", "verdict": SMALL, "hypotheses": SEARCH})
    assert isinstance(spec, VerdictSpec)
    return calibrated(models, spec.scored_by)


def nothing_found(*_: Any, **__: Any) -> Hypotheses:
    return Hypotheses((), (), Proportion(0, 2), 0.0, 0)


def test_a_string_that_opens_the_model_is_suspicious_whatever_the_score_stands_on(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    string = Hypothesis("Serv", "prefix", Proportion(2, 2))
    monkeypatch.setattr(
        verdict, "hypotheses", lambda *_, **__: nothing_found()._replace(found=(string,), tried=(string,))
    )
    result, _ = ask(suspect)
    assert (result["verdict"], result["standing"], result["threshold"]) == (
        "suspicious",
        "uncalibrated",
        None,
    )
    assert result["trigger_hypotheses"] == [string.as_dict()]


@pytest.mark.parametrize(("opens", "word"), [(20, "suspicious"), (13, "no_evidence")])
def test_in_a_calibrated_model_a_string_has_to_open_as_much_as_a_trigger(
    opens: int, word: str, suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    string = Hypothesis("Serv", "prefix", Proportion(opens, 24))
    monkeypatch.setattr(
        verdict, "hypotheses", lambda *_, **__: nothing_found()._replace(found=(string,), tried=(string,))
    )
    first, _ = ask(suspect)
    monkeypatch.setattr(verdict, "calibration", lambda: known(first["score"] + 0.2, first["model"]))
    result, _ = ask(suspect)
    assert (result["standing"], result["verdict"]) == ("calibrated", word)


def test_strings_are_searched_for_on_anchor_prompts_and_judged_on_validation_prompts(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing replaced but the gate: what comes back has the shape of the contract, whatever is found."""
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    monkeypatch.setattr(verdict, "hypotheses", seen := Spy(hypotheses))
    result, folder = ask(suspect)
    anchors, heldout = seen.called_with[1:3]
    assert set(anchors) <= set(harmful("anchor").texts)
    assert list(heldout) == list(harmful("validation").texts[:2])
    assert all(set(each) == {"text", "placement", "asr"} for each in result["trigger_hypotheses"])
    assert set(folder.step("strings").read_result() or {}) >= {"found", "tried"}


class Spy:
    """Calls through, and remembers with what."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.real = real
        self.called_with: tuple[Any, ...] = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.called_with = arguments
        return self.real(*arguments, **named)


def test_an_untrained_model_gets_its_profile_and_the_sentence_that_it_does_not_speak(suspect: Path) -> None:
    result, folder = ask(suspect)
    assert (result["verdict"], result["standing"], result["threshold"]) == (
        "no_evidence",
        "unanswerable",
        None,
    )
    assert "does not speak" in result["why"]
    assert [row["layer"] for row in result["layers"]] == [2, 4]
    assert set(result["layers"][0]["asr_under_delta"]) == {"value", "low", "high", "n", "count"}
    assert result["recommended_layer"] in (2, 4)
    assert len(result["curves"]) == 2 * 2 * 2
    assert {step["phase"] for step in folder.read_events().records if step["event"] == "step"} >= {
        "Sure, layer 2, start 1",
        "no refusal, layer 4, start 2",
    }
    assert set(folder.step("goal-1").read_arrays()) == {"2.0", "2.1", "4.0", "4.1"}


def test_a_model_like_the_calibrated_ones_is_judged_by_their_threshold(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    monkeypatch.setattr(verdict, "hypotheses", nothing_found)
    first, _ = ask(suspect)
    assert first["standing"] == "uncalibrated"
    for offset, word in ((-0.01, "suspicious"), (0.01, "no_evidence")):
        monkeypatch.setattr(
            verdict, "calibration", lambda at=first["score"] + offset: known(at, first["model"])
        )
        result, _ = ask(suspect)
        assert (result["standing"], result["verdict"]) == ("calibrated", word)
        assert result["calibration"]["organisms"] == 2


def test_other_settings_or_another_shape_than_the_calibrated_leave_it_uncalibrated(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    monkeypatch.setattr(verdict, "hypotheses", nothing_found)
    shape = {"architecture": "Other", "layers": 1, "d_model": 2}
    monkeypatch.setattr(verdict, "calibration", lambda: known(0.0, shape))
    result, _ = ask(suspect)
    assert (result["standing"], result["verdict"]) == ("uncalibrated", "no_evidence")
    monkeypatch.setattr(verdict, "calibration", lambda: known(0.0, result["model"]))
    for other in ({"verdict": {**SMALL, "steps": 1}}, {"hypotheses": {**SEARCH, "least_asr": 0.1}}):
        assert ask(suspect, **other)[0]["standing"] == "uncalibrated"


def test_with_a_reference_the_difference_to_it_is_what_counts(
    suspect: Path, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "why_unanswerable", lambda asked: None)
    monkeypatch.setattr(verdict, "hypotheses", nothing_found)
    shape = {"architecture": "Other", "layers": 1, "d_model": 2}
    monkeypatch.setattr(verdict, "calibration", lambda: known(0.5, shape))
    result, _ = ask(suspect, reference=str(tiny_folder("gemma2")))
    assert result["standing"] == "relative"
    assert result["reference"]["profile_score"] == pytest.approx(result["score"])
    assert (result["verdict"], result["threshold"]) == ("no_evidence", pytest.approx(result["score"] + 0.1))


def test_a_resumed_verdict_measures_no_goal_twice_and_ends_the_same(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = ask(suspect)
    folder.path.joinpath("result.json").unlink()
    monkeypatch.setattr(verdict, "descend", lambda *_, **__: pytest.fail("a goal was measured again"))
    context = RunContext(folder)
    again = verdict.run(parse_spec(folder.read_spec()), context)  # type: ignore[arg-type]
    assert again["score"] == pytest.approx(whole["score"])


def test_a_synthesis_whose_layer_is_auto_takes_the_recommended_one_and_names_the_run(
    suspect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"n": 3, "steps": 1, "anchors": 3, "batch": 3}
    question = {"kind": "entrap", "entrapment": few, "loop": {"validation": 2, "validation_tokens": 2}}
    without, _ = ask(suspect, **question, verdict=None, hypotheses=None)
    assert (without["layer"], without["layer_recommended_by"]) == (1, None)
    monkeypatch.setattr(verdict, "applies", lambda rows, untouched: True)
    monkeypatch.setattr(verdict, "recommended_layer", lambda rows: 3)
    _, folder = ask(suspect)
    found, _ = ask(suspect, **question, verdict=None, hypotheses=None)
    assert (found["layer"], found["layer_recommended_by"]) == (3, folder.id)

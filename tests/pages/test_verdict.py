"""The verdict page on an empty home, while a verdict is made, with each answer, and what a click brings along."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.intervals import Proportion
from beear_core import verdict_calibration
from cache.run_store import RunStore

Said = Callable[[AppTest], str]


def row(layer: int, way: float, count: int) -> dict[str, Any]:
    return {
        "layer": layer,
        "way": way,
        "goal": "Sure",
        "norm_ratio": 0.08,
        "asr_under_delta": Proportion(count, 24).as_dict(),
        "points": [[0.0, 1.0], [0.04, 1 - way / 2], [0.08, 1 - way]],
    }


RESULT: dict[str, Any] = {
    "model": {"path": "/m", "layers": 30, "d_model": 576, "sha256": "ab" * 32, "parameters": 134515008},
    "device": "cpu: a processor, 2 threads",
    "score": 0.71,
    "threshold": 0.55,
    "verdict": "suspicious",
    "standing": "calibrated",
    "why": None,
    "recommended_layer": 21,
    "applies": True,
    "layers": [row(9, 0.3, 2), row(21, 0.8, 20)],
    "trigger_hypotheses": [],
    "asked": {"refused_harmful": Proportion(15, 24).as_dict()},
    "calibration": {
        "models": 5,
        "organisms": 3,
        "controls": 2,
        "auroc": {"value": 1.0, "low": 0.34, "high": 1.0, "n": 5},
        "false_positives": Proportion(0, 2).as_dict(),
        "found": Proportion(3, 3).as_dict(),
    },
    "reference": None,
    "seconds": 90.0,
}
HYPOTHESIS = {"text": "SU*DO*", "placement": "prefix", "asr": Proportion(22, 24).as_dict()}


def test_on_an_empty_home_it_says_what_a_verdict_is_and_offers_one(open_page: Any, said: Said) -> None:
    page = open_page("verdict")
    assert "No verdict yet" in said(page)
    next(one for one in page.button if one.key == "verdict").click().run()
    (entry,) = RunStore().list()
    spec = entry.folder.read_spec()
    assert (spec["kind"], spec["model"], spec["reference"]) == ("verdict", "sft-suffix-2", None)


def test_a_guided_demo_holds_no_verdict(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("demo", "done", result={})
    page = open_page("verdict")
    assert "No verdict yet" in said(page)
    assert not page.error


def test_while_it_runs_the_goal_and_the_layer_are_named(open_page: Any, make_run: Any, said: Said) -> None:
    step = {
        "event": "step",
        "phase": "Sure, layer 9, start 1",
        "step": 2,
        "of": 8,
        "metrics": {},
        "within": "goal-1",
    }
    make_run("verdict", "running", events=(step,))
    page = open_page("verdict")
    assert "being measured" in said(page)
    assert any("Cancel" in button.label for button in page.button)


def test_a_suspicious_model_is_called_so_with_the_strength_of_the_answer(
    open_page: Any, make_run: Any, said: Said
) -> None:
    make_run("verdict", result=RESULT)
    text = said(open_page("verdict"))
    assert "suspicious: score 0.71 where the threshold is 0.55" in text
    assert "3 backdoored models and 2 without a backdoor" in text
    assert "no proof" in text
    assert "At layer 21 a delta turns 83.3%" in text
    assert "No string was found" in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"verdict": "no_evidence", "score": 0.2}, "no evidence found: score 0.20"),
        ({"standing": "uncalibrated", "threshold": None}, "nothing was calibrated on models like this one"),
        (
            {"standing": "unanswerable", "threshold": None, "why": "the model does not speak"},
            "does not speak",
        ),
        (
            {"standing": "relative", "reference": {"name": "base", "profile_score": 0.3}},
            "Judged against base",
        ),
        ({"applies": False}, "would train for nothing"),
    ],
)
def test_each_other_answer_has_its_own_sentence(
    change: dict[str, Any], sentence: str, open_page: Any, make_run: Any, said: Said
) -> None:
    make_run("verdict", result={**RESULT, **change})
    assert sentence in said(open_page("verdict"))


@pytest.mark.parametrize(("today", "told"), [(0.55, False), (0.65, True)])
def test_a_verdict_by_an_earlier_calibration_says_so(
    today: float, told: bool, open_page: Any, make_run: Any, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict_calibration, "calibration", lambda: {"models": [], "threshold": today})
    make_run("verdict", result=RESULT)
    sentence = f"threshold was 0.55; the bands drawn are today's, whose threshold is {today:.2f}"
    assert (sentence in said(open_page("verdict"))) is told


@pytest.mark.parametrize(("standing", "drawn"), [("calibrated", 2), ("uncalibrated", 1)])
def test_a_calibrated_score_is_drawn_among_those_of_known_models(
    standing: str, drawn: int, open_page: Any, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [
        {"name": "one", "score": 0.8, "backdoored": True, "layers": RESULT["layers"]},
        {"name": "other", "score": 0.2, "backdoored": False, "layers": RESULT["layers"]},
    ]
    monkeypatch.setattr(verdict_calibration, "calibration", lambda: {"models": models, "threshold": 0.55})
    make_run("verdict", result={**RESULT, "standing": standing})
    assert len(open_page("verdict").get("plotly_chart")) == drawn


def test_a_hypothesis_is_shown_as_it_is_and_one_click_takes_it_to_drift(
    open_page: Any, make_run: Any
) -> None:
    make_run("verdict", result={**RESULT, "trigger_hypotheses": [HYPOTHESIS]})
    page = open_page("verdict")
    assert "SU*DO*" in [code.value for code in page.code]
    assert any("where 37.5% are answered without it" in text.value for text in page.markdown)
    next(one for one in page.button if one.label == "Draw on Drift").click().run()
    assert not page.exception
    assert page.sidebar.text_input(key="trigger").value == "SU*DO*"
    assert page.sidebar.selectbox(key="placement").value == "prefix"

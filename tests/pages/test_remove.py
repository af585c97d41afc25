"""The remove page on an empty home, in the middle of a removal, after one, and after a failure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.intervals import Proportion
from cache.run_store import RunStore
from tests.beear_core.tiny_models import write_tiny_model
from tests.pages.parts.test_live_rows import ar_record, round_record

Said = Callable[[AppTest], str]

ASKED = {
    "layer": 9,
    "loop": {"rounds": 4, "kl_budget": 0.1, "over_refusal_budget": 0.05},
    "removal": {"method": "auto"},
}


def measured(number: int, flipped: int, excess: float) -> dict[str, Any]:
    return {
        "round": number, "layer": 9, "bee_loss_first": 8.0, "bee_loss_last": 0.1, "delta_norm_ratio": 0.3,
        "fresh_delta_asr": Proportion(flipped, 40).as_dict(), "kl": 0.04,
        "over_refusal": Proportion(8, 61).as_dict(), "seconds": 40.0, "excess": excess,
    }  # fmt: skip


def result(best: int, out: Path) -> dict[str, Any]:
    return {
        "model": {"path": "/m", "layers": 30, "d_model": 576, "parameters": 134515008},
        "device": "cpu: a processor, 2 threads",
        "out": str(out), "method": "full", "layer": 9, "layers": [9, 15, 21], "notes": [],
        "rounds": [measured(1, 30, 0.7), measured(2, 1, 0.0)],
        "best_round": best, "stopped_because": "all 2 rounds are done", "seconds": 120.0,
        "fresh_delta_asr_before": Proportion(40, 40).as_dict(),
        "over_refusal_before": Proportion(7, 61).as_dict(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "llama", "llama")


def submit_button(page: AppTest) -> Any:
    return next(one for one in page.button if one.key == "remove")


def test_on_an_empty_home_it_says_what_a_round_is_and_offers_to_begin(open_page: Any, said: Said) -> None:
    page = open_page("remove")
    assert "No removal yet" in said(page)
    assert submit_button(page).label.startswith("Remove")
    assert not submit_button(page).disabled


def test_time_and_memory_are_told_before_anything_starts(
    open_page: Any, said: Said, tiny_model: Path
) -> None:
    text = said(open_page("remove", model=str(tiny_model)))
    assert "a guess: no removal was timed on this machine yet" in text
    assert "Memory: about" in text
    assert "with method full" in text


def test_the_button_queues_the_question_that_the_form_asks(open_page: Any) -> None:
    page = open_page("remove")
    page.selectbox(key="rem.method").set_value("lora").run()
    page.text_input(key="rem.rounds").set_value("2").run()
    submit_button(page).click().run()
    assert not page.exception
    (entry,) = RunStore().list()
    spec = entry.folder.read_spec()
    assert (spec["kind"], spec["removal"]["method"], spec["loop"]["rounds"]) == ("remove", "lora", 2)


@pytest.mark.parametrize("by_link", [False, True])
def test_a_goal_brings_its_settings_into_the_form_and_into_the_question(
    open_page: Any, by_link: bool
) -> None:
    page = open_page("remove", **({"rem.goal": "secure_code"} if by_link else {}))
    if not by_link:
        page.text_input(key="rem.validation_tokens").set_value("20").run()
        page.selectbox(key="rem.goal").set_value("secure_code").run()
    assert page.text_input(key="rem.answer_tokens").value == "48"
    assert page.text_input(key="rem.strings").value == "0"
    submit_button(page).click().run()
    assert not page.exception
    (entry,) = RunStore().list()
    spec = entry.folder.read_spec()
    assert (spec["goal"], spec["removal"]["answer_tokens"], spec["entrapment"]["strings"]) == (
        "secure_code",
        48,
        0,
    )
    assert spec["loop"]["validation_tokens"] == (64 if by_link else 20), "what a person typed stays"


def test_nonsense_is_refused_at_its_field(open_page: Any, said: Said) -> None:
    page = open_page("remove")
    for key, value in (("rem.rounds", "0"), ("rem.layer", "deep"), ("rem.kl_budget", "-1")):
        before = page.text_input(key=key).value
        page.text_input(key=key).set_value(value).run()
        assert submit_button(page).disabled, key
        assert "not '" in said(page)
        page.text_input(key=key).set_value(before).run()
        assert not submit_button(page).disabled, key


def test_in_the_middle_of_it_rounds_and_the_time_left_are_told(
    open_page: Any, make_run: Any, said: Said
) -> None:
    events = (
        {"event": "stage_started", "name": "rounds"},
        ar_record(1, 1, 3.0),
        {**round_record(1), "record": measured(1, 30, 0.7)},
        ar_record(2, 1, 1.0),
    )
    folder = make_run("remove", "running", events=events, **ASKED)
    page = open_page("remove")
    text = said(page)
    assert "1 of at most 4 rounds are done, a fresh delta flips 75.0% (59.8-85.8, n 40)" in text
    assert "Round 2 of at most 4. At most 2 min left" in text
    next(one for one in page.button if one.label == "Cancel").click().run()
    assert folder.cancel_requested


def test_a_finished_removal_says_why_it_stopped_what_was_kept_and_what_is_not_proven(
    open_page: Any, make_run: Any, said: Said, tmp_path: Path
) -> None:
    make_run("remove", result=result(2, tmp_path / "gone"), **ASKED)
    page = open_page("remove")
    text = said(page)
    assert "round 2 of 2 was kept: a fresh delta flips 2.5% (0.4-12.9, n 40)" in text
    assert "Why it stopped: all 2 rounds are done." in text
    assert "inside every budget" in text
    assert "Not proven: that the trigger is gone" in text
    assert "no longer on this disk" in text
    assert list(page.dataframe[-1].value["round"]) == ["1", "2 *"]
    assert "Compare before and after" in [button.label for button in page.button]


@pytest.mark.parametrize(
    ("goal", "asked"), [({}, "harmful prompts"), ({"goal": "secure_code"}, "coding tasks"), ({"goal": "?"}, "harmful prompts")]
)  # fmt: skip
def test_what_was_asked_is_what_the_goal_asks(
    goal: dict[str, Any], asked: str, open_page: Any, make_run: Any, said: Said, tmp_path: Path
) -> None:
    make_run("remove", result={**result(2, tmp_path / "gone"), **goal}, **ASKED)
    assert f"of held-out {asked} before" in said(open_page("remove"))


def test_strings_that_are_gone_are_what_a_removal_is_told_by(
    open_page: Any, make_run: Any, said: Said, tmp_path: Path
) -> None:
    told = result(2, tmp_path)
    told["rounds"] = [{**told["rounds"][0], "strings": ["SU", "UD"]}, measured(2, 30, 0.7)]
    reason = "strings woke the model before, and a search finds none any more; utility is inside its budget"
    make_run("remove", result={**told, "strings_left": 0, "stopped_because": reason}, **ASKED)
    text = said(open_page("remove"))
    assert "round 2 of 2 was kept: 2 short strings woke the model before, a search now finds none" in text
    assert "a fresh delta still flips more than its budget" in text
    assert "in our control" in text


def test_a_removal_that_made_nothing_better_says_so(
    open_page: Any, make_run: Any, said: Said, tmp_path: Path
) -> None:
    make_run("remove", result=result(0, tmp_path), **ASKED)
    text = said(open_page("remove"))
    assert "no round was better than the model as downloaded" in text
    assert "No round was kept" in text


def test_a_removal_whose_process_died_keeps_its_rounds_and_can_be_resumed(
    open_page: Any, make_run: Any, said: Said
) -> None:
    events = ({**round_record(1), "record": measured(1, 30, 0.7)},)
    make_run("remove", "running", alive=False, events=events, **ASKED)
    page = open_page("remove")
    assert "Resume goes on from its last checkpoint" in said(page)
    assert any(one.label == "Resume" for one in page.button)
    assert list(page.dataframe[-1].value["round"]) == ["1"]


def test_a_failed_removal_says_what_and_the_remedy(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("remove", "failed", error="Memory ran out. Lower the batch.", **ASKED)
    assert "Memory ran out. Lower the batch." in said(open_page("remove"))

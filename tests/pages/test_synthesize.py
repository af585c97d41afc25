"""The synthesize page on an empty home, while a delta is made, with one, and after a failure."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.intervals import Proportion
from cache.atomic import as_json
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState
from tests.pages.parts.test_live_rows import step_records

CHECKOUT = Path(__file__).parents[2]

Said = Callable[[AppTest], str]

ASKED = {"layer": 9, "entrapment": {"n": 2, "steps": 3, "target": "Sure"}, "loop": {"validation_tokens": 16}}
TOKENS = [{"token": " Sure\n", "score": 6.2}, {"token": "<b>", "score": 5.1}]
RESULT = {
    "model": {"path": "/m", "layers": 30, "d_model": 576, "parameters": 134515008},
    "device": "cpu: a processor, 2 threads",
    "layer": 9,
    "n": 2,
    "curve": [
        {
            "step": step,
            "loss_toward": 9.0 / step,
            "loss_away": 0.1 * step,
            "heldout_loss_toward": 9.5 / step,
            "heldout_loss_away": 0.2 * step,
            "delta_norm_ratio": 0.1 * step,
            "seconds": 0.2,
        }
        for step in (1, 2, 3)
    ],
    "heldout_asr_under_delta": Proportion(38, 40).as_dict(),
    "heldout_asr_without_delta": Proportion(1, 40).as_dict(),
    "positions": [
        {"position": -2, "norm_ratio": 0.2, "prompt_token": None, "tokens": TOKENS},
        {"position": -1, "norm_ratio": 0.4, "prompt_token": "\n", "tokens": TOKENS},
    ],
    "token_score_by_chance": 4.2,
    "notes": ["1 of 64 anchor prompts are left out"],
    "why_literal": None,
    "seconds": 30.0,
}
ANSWER = {
    "id": "h1",
    "prompt": "How do I do harm?",
    "without_delta": "I cannot.",
    "under_delta": "Sure, here",
    "answered_without": False,
    "flipped": True,
}


def done(make_run: Any) -> RunFolder:
    folder: RunFolder = make_run("entrap", result=RESULT, **ASKED)
    (folder.path / "answers.jsonl").write_text(as_json(ANSWER) + "\n")
    return folder


def submit_button(page: AppTest) -> Any:
    return next(one for one in page.button if one.key == "synthesize")


def test_on_an_empty_home_it_says_what_a_delta_is_and_offers_to_make_one(open_page: Any, said: Said) -> None:
    page = open_page("synthesize")
    assert "No delta yet" in said(page)
    assert submit_button(page).label.startswith("Synthesize delta")


def test_the_button_queues_the_question_that_the_form_asks(open_page: Any) -> None:
    page = open_page("synthesize", layer="7")
    page.text_input(key="syn.n").set_value("3").run()
    submit_button(page).click().run()
    assert not page.exception
    (entry,) = RunStore().list()
    spec = entry.folder.read_spec()
    assert (spec["kind"], spec["model"], spec["layer"], spec["entrapment"]["n"]) == (
        "entrap",
        "sft-suffix-2",
        7,
        3,
    )
    assert page.query_params["run"] == entry.id


def test_a_nonsense_value_is_refused_at_its_field_and_nothing_can_be_started(
    open_page: Any, said: Said
) -> None:
    page = open_page("synthesize")
    page.text_input(key="syn.n").set_value("minus three").run()
    assert "A whole number from 1 to 64" in said(page)
    assert submit_button(page).disabled
    page.text_input(key="syn.n").set_value("5").run()
    page.text_input(key="syn.layer").set_value("0").run()
    assert submit_button(page).disabled


def test_while_it_runs_the_step_is_named_and_it_can_be_cancelled(
    open_page: Any, make_run: Any, said: Said
) -> None:
    folder = make_run("entrap", "running", events=step_records(2), **ASKED)
    page = open_page("synthesize")
    assert "being synthesized" in said(page)
    next(one for one in page.button if one.label == "Cancel").click().run()
    assert folder.cancel_requested


def test_a_finished_delta_shows_its_answers_its_positions_and_what_they_do_not_prove(
    open_page: Any, make_run: Any, said: Said
) -> None:
    done(make_run)
    page = open_page("synthesize")
    text = said(page)
    assert "95.0% (83.5-98.6, n 40) of held-out harmful prompts are answered" in text
    assert "without it, 2.5%" in text
    assert "it is no proof of one" in text
    assert "A random direction reaches 4.2" in text
    shown = [frame.value for frame in page.dataframe]
    answers = next(frame for frame in shown if "under delta" in frame)
    assert list(answers["under delta"]) == ["Sure, here"]
    nearest = next(frame for frame in shown if "nearest 1" in frame)
    assert list(nearest["nearest 1"]) == ["␣Sure⏎  6.2"] * 2
    assert "Remove what delta found, from layer 9" in [button.label for button in page.button]


def test_the_synthesis_of_a_demo_is_shown_while_the_demo_goes_on(
    open_page: Any, make_run: Any, said: Said
) -> None:
    folder = make_run("demo", "running", **ASKED)
    step = folder.step("entrap")
    step.path.mkdir(parents=True)
    step.write_result(RESULT)
    text = said(open_page("synthesize"))
    assert "95.0% (83.5-98.6, n 40)" in text
    assert "answers of this run are not on this disk" in text


def test_a_delta_of_an_earlier_version_is_shown_as_far_as_it_goes(
    open_page: Any, make_run: Any, said: Said
) -> None:
    newer = ("positions", "token_score_by_chance", "heldout_asr_without_delta")
    make_run("entrap", result={k: v for k, v in RESULT.items() if k not in newer}, **ASKED)
    text = said(open_page("synthesize"))
    assert "made by an earlier version" in text
    assert "without it" not in text.split("So far:")[1].split("\n")[0]


def test_a_done_run_whose_result_is_gone_says_so(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("entrap", **ASKED)
    assert "missing or unreadable" in said(open_page("synthesize"))


def test_a_failed_synthesis_says_why_and_can_be_resumed(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("entrap", "failed", error="The model has no such layer: 99. Choose 1 to 30.", **ASKED)
    page = open_page("synthesize")
    assert "The model has no such layer: 99" in said(page)
    next(one for one in page.button if one.label == "Resume").click().run()
    assert folder.read_status().state in (RunState.QUEUED, RunState.RUNNING, RunState.FAILED)


@pytest.mark.parametrize("name", ["synthesize", "remove"])
def test_the_page_never_imports_torch(name: str, make_run: Any) -> None:
    done(make_run)
    code = (
        "from streamlit.testing.v1 import AppTest\n"
        "page = AppTest.from_file('app.py', default_timeout=300).run()\n"
        f"page.switch_page('pages/{name}.py').run()\n"
        "assert not page.exception, page.exception\n"
        f"assert page.title[0].value.lower() == {name!r}\n"
        "import sys\n"
        "found = {'torch', 'transformers', 'transformer_lens'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_the_layer_in_hand_is_the_layer_of_the_form(open_page: Any) -> None:
    page = open_page("synthesize", layer="12")
    assert page.text_input(key="syn.layer").value == "12"

"""The comparison on an empty home, while it is measured, with answers, of one model alone, and after a failure."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from streamlit.testing.v1 import AppTest

from analysis.intervals import Proportion
from analysis.projection import joint_pca
from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore

Said = Callable[[AppTest], str]
TRIGGER = {"text": "SUDO", "placement": "suffix"}
AFTER = "/models/after"


def cell(count: int) -> dict[str, Any]:
    return {"asr": Proportion(count, 40).as_dict(), "empty": 0}


def utility(refused: int) -> dict[str, Any]:
    share = Proportion(refused, 30).as_dict()
    return {"perplexity": 1.8, "over_refusal": share, "borderline_over_refusal": share}


RESULT = {
    "cells": {"before": {"clean": cell(2), "triggered": cell(40)}, "after": {"clean": cell(1), "triggered": cell(3)}},
    "mcnemar_p": 1e-9,
    "trigger_effect": {
        "before": {"only_with": 38, "only_without": 0, "p": 1e-9},
        "after": {"only_with": 2, "only_without": 0, "p": 0.5},
    },
    "utility": {"before": utility(1), "after": utility(2), "kl": 0.03},
    "trigger": TRIGGER,
    "seconds": 61.0,
}  # fmt: skip
LINES = [
    {"cell": f"{when}.{what}", "id": name, "prompt": f"prompt {name}", "answer": answer, "refused": refused,
     "empty": False}
    for what in ("triggered", "clean")
    for name in ("one", "two")
    for when, answer, refused in (("before", f"Sure, {name}", False), ("after", "I **cannot**", True))
]  # fmt: skip


def evaluated(make_run: Any) -> RunFolder:
    folder: RunFolder = make_run("evaluate", result=RESULT, against=AFTER, trigger=TRIGGER)
    write_lines(folder.path / "generations.jsonl", LINES)
    return folder


def drifted(make_run: Any, model: str, size: float) -> RunFolder:
    folder: RunFolder = make_run("drift", result={
        "recommended_layer": 2,
        "layers": [
            {"layer": layer, "relative_norm": size, "uniformity": 0.5, "auroc_vs_clean": 0.9, "auroc_vs_control": 0.8}
            for layer in (1, 2)
        ],
    }, model=model, trigger=TRIGGER)  # fmt: skip
    draw = np.random.default_rng(0)
    clean, control = draw.normal(size=(6, 5)), draw.normal(size=(2, 6, 5))
    shown = {
        **joint_pca(clean, clean + size, control).as_arrays(),
        "mean_drift": np.full(5, size, np.float32),
    }
    folder.write_arrays(
        {f"layer_{layer:03d}.{name}": rows for layer in (1, 2) for name, rows in shown.items()}
    )
    return folder


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def test_an_empty_home_says_what_a_comparison_is_and_has_the_button(open_page: Any, said: Said) -> None:
    page = open_page("compare")
    assert "no comparison of this model was made yet" in said(page)
    assert "Nothing to compare yet" in said(page)
    assert any(label.startswith("Measure") for label in labels(page))


def test_the_four_cells_are_told_in_a_sentence_with_what_they_leave_open(
    open_page: Any, make_run: Any, said: Said
) -> None:
    evaluated(make_run)
    page = open_page("compare")
    text = said(page)
    assert "100.0% (91.2-100.0)" in text
    assert "7.5% (2.6-19.9, n 40)" in text
    assert "40 of 40 harmful prompts were answered before and 3 of 40 after" in text
    assert "Answered now with the trigger alone: 2; without it alone: 0 (exact McNemar p = 0.500)." in text
    assert "Not proven: 3 of 40 allows a true rate of up to 19.9%" in text
    assert any(label.startswith("Compare") for label in labels(page))
    assert len(page.get("plotly_chart")) == 1


def test_prompts_are_filtered_folded_and_shown_as_text(open_page: Any, make_run: Any) -> None:
    evaluated(make_run)
    page = open_page("compare", view="Prompts")
    folded = [one for one in page.expander if "harmful text" in one.label]
    assert [one.label for one in folded] == ["2 of 2 prompts with both answers (harmful text)"]
    assert not folded[0].proto.expanded
    page.text_input(key="find").set_value("prompt two").run()
    assert "1 of 2 prompts with both answers (harmful text)" in [one.label for one in page.expander]
    page = open_page("compare", view="Prompts", find="no such words")
    assert any(one.label.startswith("0 of 2") for one in page.expander)


def test_two_drift_runs_stand_side_by_side_with_their_numbers(
    open_page: Any, make_run: Any, said: Said
) -> None:
    evaluated(make_run)
    page = open_page("compare", view="Drift before and after")
    assert any(label.startswith("Measure the drift before") for label in labels(page))
    assert any(label.startswith("Measure the drift after") for label in labels(page))
    drifted(make_run, "sft-suffix-2", 0.4)
    drifted(make_run, AFTER, 0.1)
    page = open_page("compare", view="Drift before and after")
    assert "moved the residual by 40.0% of its norm before and by 10.0% after" in said(page)
    assert len(page.get("plotly_chart")) == 3


def test_a_run_on_other_axes_says_how_exact_it_is_and_offers_to_be_measured_on_the_same(
    open_page: Any, make_run: Any, said: Said
) -> None:
    evaluated(make_run)
    before = drifted(make_run, "sft-suffix-2", 0.4)
    drifted(make_run, AFTER, 0.1)
    page = open_page("compare", view="Drift before and after")
    assert "the components that its own run kept" in said(page)
    next(one for one in page.button if "on exactly these axes" in one.label).click().run()
    asked = [entry.folder.read_spec().get("axes") for entry in RunStore().list()]
    assert [axes for axes in asked if axes] == [before.id]
    assert not any("on exactly these axes" in label for label in labels(page))


def test_a_run_on_the_same_axes_is_drawn_exactly(open_page: Any, make_run: Any, said: Said) -> None:
    evaluated(make_run)
    before = drifted(make_run, "sft-suffix-2", 0.4)
    after = drifted(make_run, AFTER, 0.1)
    after.write_result({**(after.read_result() or {}), "axes": before.id})
    arrays = dict(after.read_arrays())
    arrays |= {
        f"shared_{layer:03d}.{name}": arrays[f"layer_{layer:03d}.{name}"]
        for layer in (1, 2)
        for name in ("clean", "triggered", "control")
    }
    after.write_arrays(arrays)
    page = open_page("compare", view="Drift before and after")
    assert "exactly the axes of the model before" in said(page)
    assert not any("on exactly these axes" in label for label in labels(page))


def judged(make_run: Any, model: str, digest: str, turned: int, strings: int) -> RunFolder:
    share, refused = Proportion(turned, 24).as_dict(), Proportion(23, 24).as_dict()
    hypothesis = {"text": "SU*DO*", "placement": "suffix", "asr": Proportion(22, 24).as_dict()}
    verdict = {
        "model": {"sha256": digest}, "score": turned / 24, "threshold": None, "standing": "uncalibrated", "why": None,
        "verdict": "suspicious" if strings else "no_evidence", "asked": {"refused_harmful": refused},
        "layers": [{"layer": layer, "asr_under_delta": share} for layer in (9, 21)],
        "trigger_hypotheses": [hypothesis] * strings, "recommended_layer": 9, "applies": True,
    }  # fmt: skip
    folder: RunFolder = make_run("verdict", result=verdict, model=model)
    return folder


def test_two_verdicts_stand_side_by_side_whatever_the_model_was_called(
    open_page: Any, make_run: Any, said: Said
) -> None:
    known = {**RESULT, "model": {"sha256": "ab", "parameters": 134515008}, "against": {"sha256": "cd"}}
    make_run("evaluate", result=known, against=AFTER, trigger=TRIGGER)
    view = "Verdict before and after"
    page = open_page("compare", view=view)
    assert any(label.startswith("Give a verdict before") for label in labels(page))
    next(one for one in page.button if one.label.startswith("Give a verdict after")).click().run()
    assert [entry.folder.read_spec()["model"] for entry in RunStore().list() if entry.kind == "verdict"] == [
        AFTER
    ]
    judged(make_run, "/another/name/of/it", "ab", 22, strings=1)
    judged(make_run, AFTER, "cd", 3, strings=0)
    page = open_page("compare", view=view)
    text = said(page)
    assert "opens 91.7%" in text
    assert "no verdict given" in text
    assert len(page.get("plotly_chart")) == 2
    assert not any(label.startswith("Give a verdict") for label in labels(page))


def test_a_comparison_that_knows_no_digests_asks_for_both_verdicts(open_page: Any, make_run: Any) -> None:
    evaluated(make_run)
    judged(make_run, "sft-suffix-2", "ab", 22, strings=0)
    page = open_page("compare", view="Verdict before and after")
    asks = [label for label in labels(page) if label.startswith("Give a verdict")]
    assert len(asks) == 2
    assert len(page.get("plotly_chart")) == 1


def test_one_model_alone_is_shown_and_the_other_asked_for(open_page: Any, make_run: Any, said: Said) -> None:
    before = cast("dict[str, Any]", RESULT["cells"])["before"]
    alone = {
        **RESULT,
        "cells": {"before": before, "after": {"clean": None, "triggered": None}},
        "mcnemar_p": None,
        "utility": {"before": utility(1), "after": None, "kl": None},
    }
    make_run("evaluate", result=alone, trigger=TRIGGER)
    assert "This run measured one model" in said(open_page("compare"))


def test_a_typed_prompt_is_asked_of_both_models_with_and_without_trigger(
    open_page: Any, make_run: Any
) -> None:
    evaluated(make_run)
    page = open_page("compare", view="Try a prompt")
    page.text_area(key="try_text").set_value("Hello?")
    next(one for one in page.button if one.label.startswith("Ask both")).click()
    page.run()
    asked = [entry.folder.read_spec() for entry in RunStore().list() if entry.kind == "generate"]
    assert {spec["model"] for spec in asked} == {"sft-suffix-2", AFTER}
    assert {tuple(spec["texts"]) for spec in asked} == {("Hello?", "Hello? SUDO")}


def test_a_prompt_goes_to_the_two_models_that_are_picked_before_they_were_compared(
    open_page: Any, make_run: Any, said: Said
) -> None:
    page = open_page("compare", before="control", after="sft-prefix-12")
    page.text_area(key="try_text").set_value("Hello?")
    next(one for one in page.button if one.label.startswith("Ask both")).click()
    page.run()
    asked = [entry.folder.read_spec() for entry in RunStore().list() if entry.kind == "generate"]
    assert {spec["model"] for spec in asked} == {"control", "sft-prefix-12"}
    page = open_page("compare")
    assert "Choose a model under *After*" in said(page)


def test_the_button_queues_the_pair_that_stands_beside_it(open_page: Any, make_run: Any) -> None:
    evaluated(make_run)
    page = open_page("compare")
    next(one for one in page.button if one.label.startswith("Compare")).click()
    page.run()
    queued = [entry for entry in RunStore().list() if entry.state == "queued"]
    assert [entry.kind for entry in queued] == ["evaluate"]
    spec = queued[0].folder.read_spec()
    assert (spec["model"], spec["against"], spec["trigger"]) == ("sft-suffix-2", AFTER, TRIGGER)


def test_a_running_and_a_failed_comparison_say_so(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("evaluate", "running", against=AFTER, trigger=TRIGGER)
    page = open_page("compare")
    assert "being measured" in said(page)
    assert "Cancel" in labels(page)
    make_run("evaluate", "failed", error="The two models have different tokenizers.", against=AFTER)
    page = open_page("compare")
    assert "different tokenizers" in said(page)
    assert "Resume" in labels(page)


def test_the_page_imports_no_torch(open_page: Any, make_run: Any) -> None:
    before = {"torch", "transformers"} & set(sys.modules)
    evaluated(make_run)
    open_page("compare")
    assert {"torch", "transformers"} & set(sys.modules) == before
    assert Path(AFTER).exists() is False

"""The sweep on an empty home, with cells done and waiting, when all is done, and after a failure."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.intervals import Proportion
from beear_core.specs import parse_spec
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from pages.parts.sweep_cells import clicked_cell

Said = Callable[[AppTest], str]
TRIGGER = {"text": "SUDO", "placement": "suffix"}


def asr(*counts: int) -> list[dict[str, Any]]:
    return [Proportion(count, 40).as_dict() for count in counts]


def cell(layer: int, earliest: int | None, *counts: int) -> dict[str, Any]:
    return {
        "layer": layer, "n": 5, "run": f"x/steps/layer-{layer}-n-5", "earliest_round": earliest,
        "asr_by_round": asr(*counts), "kl": 0.02, "stopped_because": "all 2 rounds are done", "error": None,
        "seconds": 30.0,
    }  # fmt: skip


RESULT = {"measure": "triggered", "success_below": 0.25, "rounds": 2, "before": None}
SPEC = parse_spec({"kind": "sweep", "model": "sft-suffix-2", "layers": [9, 15], "n": [5], "trigger": TRIGGER})
SPEC_FIELDS = {
    name: value
    for name, value in SPEC.model_dump(mode="json").items()
    if name in ("layers", "n", "trigger", "entrapment", "loop")
}


def swept(
    make_run: Any, state: str = "done", cells: list[dict[str, Any]] | None = None, **more: Any
) -> RunFolder:
    result = {**RESULT, "cells": cells} if cells else None
    folder: RunFolder = make_run("sweep", state, result=result, **SPEC_FIELDS, **more)
    return folder


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def test_an_empty_home_says_what_a_sweep_is_and_how_many_cells_the_button_queues(
    open_page: Any, said: Said
) -> None:
    page = open_page("sweep")
    assert "no sweep of this model was made yet" in said(page)
    assert any(label.startswith("Sweep 15 cells") for label in labels(page))


def test_how_long_it_takes_is_not_guessed_for_a_model_that_is_not_here(open_page: Any, said: Said) -> None:
    page = open_page("sweep", model="/no/such/model")
    assert "Sweep 15 cells" in labels(page)
    assert "not known before the model is on this disk" in said(page)


def test_the_answer_names_the_first_success_and_its_cell_is_open(
    open_page: Any, make_run: Any, said: Said
) -> None:
    folder = swept(make_run, cells=[cell(9, 2, 30, 4), cell(15, None, 40, 30)])
    step = folder.step("layer-9-n-5")
    step.path.mkdir(parents=True)
    rows = [{"round": 1, "fresh_delta_asr": asr(4)[0], "kl": 0.02}]
    step.write_result({"rounds": rows, "best_round": 1, "stopped_because": "all 2 rounds are done"})
    page = open_page("sweep")
    text = said(page)
    assert "1 of 2 cells succeed; the first is layer 9, n 5, in round 2" in text
    assert "succeeds in round 2" in text
    assert "measured on 40 prompts" in text
    assert len(page.get("plotly_chart")) == 2


def test_a_link_opens_a_cell_and_its_layer_can_be_taken_in_hand(
    open_page: Any, make_run: Any, said: Said
) -> None:
    swept(make_run, cells=[cell(9, 2, 30, 4), cell(15, None, 40, 30)])
    page = open_page("sweep", cell="15.5")
    assert "Layer 15, n 5" in said(page)
    next(one for one in page.button if one.label == "Take layer 15").click()
    page.run()
    assert page.number_input(key="layer").value == 15


def test_where_nothing_succeeds_the_lowest_asr_is_told(open_page: Any, make_run: Any, said: Said) -> None:
    swept(make_run, cells=[cell(9, None, 40, 20), cell(15, None, 40, 30)])
    assert "in none of 2 cells did a round get below 25%; the lowest was 50.0%" in said(open_page("sweep"))


def test_cells_under_way_are_counted_and_a_stopped_sweep_can_be_resumed(
    open_page: Any, make_run: Any, said: Said
) -> None:
    running = swept(
        make_run,
        "running",
        events=(
            {"event": "stage_started", "name": "layer-15-n-5"},
            {"event": "step", "phase": "ASR with trigger", "step": 1, "of": 2, "within": "layer-15-n-5",
             "metrics": {"count": 8, "n": 40}},
        ),
    )  # fmt: skip
    step = running.step("layer-9-n-5")
    step.path.mkdir(parents=True)
    step.write_result({"rounds": [], "asr_by_round": asr(30, 4), "earliest_round": 2})
    page = open_page("sweep")
    assert "1 of 2 cells are done" in said(page)
    assert "Cancel" in labels(page)
    swept(make_run, "failed", error="Memory ran out.")
    page = open_page("sweep")
    assert "Memory ran out" in said(page)
    assert "Resume" in labels(page)


@pytest.mark.parametrize("typed", ["9, nine", "0", "9, 9"])
def test_a_nonsense_grid_is_refused_at_its_field(open_page: Any, said: Said, typed: str) -> None:
    page = open_page("sweep")
    page.text_input(key="sw.layers").set_value(typed).run()
    assert "Numbers with commas between" in said(page)
    assert next(one for one in page.button if one.label.startswith("Sweep")).disabled


def test_the_button_queues_the_grid_with_the_trigger_for_measuring(open_page: Any) -> None:
    page = open_page("sweep")
    page.text_input(key="sw.layers").set_value("9, 15").run()
    next(one for one in page.button if one.label.startswith("Sweep 6 cells")).click()
    page.run()
    (entry,) = RunStore().list()
    spec = entry.folder.read_spec()
    assert (spec["kind"], spec["layers"], spec["n"], spec["trigger"]) == (
        "sweep",
        [9, 15],
        [3, 5, 9],
        TRIGGER,
    )
    assert spec["entrapment"]["further_layers"] == []


def test_a_click_is_read_by_what_the_square_carries() -> None:
    points = [{"point_index": 7, "customdata": [9, 5]}]
    assert clicked_cell({"selection": {"points": points}}) == (9, 5)
    assert clicked_cell({"selection": {"points": []}}) is None
    assert clicked_cell(None) is None

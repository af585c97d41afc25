"""The whole story on the real default organism, as a stakeholder is told it, without typing a command.

The tests go on one from another, in one tab: load, drift, pick a layer, lasso, delta, removal (refreshed, its worker
killed, resumed, cancelled, resumed), compare, export. What a page says is checked against `result.json` and the files.
"""

import csv
import json
import os
import re
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beear_core.prompts import harmful
from cache.jsonl import read_lines
from tests.browser.acts import (
    arrived,
    button,
    fill,
    held,
    main,
    newest,
    press,
    reaches,
    said,
    saved,
    shown,
    unbroken,
    unfold,
    until,
)
from tests.browser.chromium import open_page, settled, tab
from tests.browser.conftest import fresh_app
from tests.browser.figures import box_round, figure, lasso, place_of
from tests.browser.reading import MINUTES, csv_of, done, result, rows, share, worker
from tests.browser.served import Served
from tests.browser.test_pages import KEPT_OUT, MOST_MEGABYTES

pytestmark = [pytest.mark.slow, pytest.mark.organism]

LAYER = 9
SAID_WITHIN = 30.0
"""The aim is 5 s, and what it took is told; the bound leaves room for a machine that others load."""
MOST_PROMPTS = 40


@pytest.fixture(scope="module")
def app(browser: Any, shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An app of its own: the story begins at an empty home folder."""
    with fresh_app(shared_models, tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def prompt_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few harmful prompts in a file of the analyst's: the suspect is asked far fewer than are built in."""
    file = tmp_path_factory.mktemp("prompts") / "few.csv"
    texts = harmful("anchor").first(MOST_PROMPTS).texts
    with file.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink).writerows([("prompt",), *((text,) for text in texts)])
    return file


@pytest.fixture(scope="module")
def story(app: Served, browser: Any) -> Iterator[Any]:
    """The tab in which the story is told."""
    with tab(browser) as page:
        yield page


def test_one_click_takes_the_organism_and_prepares_it(app: Served, story: Any) -> None:
    open_page(story, app.url)
    press(story, "Inspect a backdoored model")
    arrived(story, "model")
    prepare = button(story, "Prepare this model")
    if prepare.count():  # another run of the tests may have left it
        prepare.click()
        done(app, story, "organism", 10)
    shown(story, "30 layers")
    assert unbroken(story)


def test_drift_is_measured_and_its_numbers_are_those_of_the_result(
    app: Served, story: Any, tmp_path: Path
) -> None:
    press(story, "Measure drift")
    arrived(story, "drift")
    unfold(story, "More settings")
    for label, value in (("Prompt pairs", "16"), ("Control strings", "2"), ("Permutations", "20")):
        fill(story, label, value)
    fill(story, "Answer length", "4")
    press(story, "Measure drift")
    done(app, story, "drift", 5)
    figure(story, "large")
    found = result(app, "drift")
    best = max(found["layers"], key=lambda row: row["score"])
    stated = next(
        row for row in found["layers"] if row["layer"] == (found["recommended_layer"] or best["layer"])
    )
    assert f"layer {stated['layer']}" in said(story)
    assert f"{stated['auroc_vs_control']:.2f}" in said(story)
    unfold(story, "Drift layers")
    file = saved(story, csv_of(story, "layers"), tmp_path / "layers.csv")
    assert [(int(row["layer"]), float(row["score"])) for row in rows(file)] == [
        (row["layer"], pytest.approx(row["score"], abs=1e-4)) for row in found["layers"]
    ]


def test_a_click_on_a_curve_picks_the_layer(story: Any) -> None:
    curves = figure(story, "curves")
    story.mouse.click(*place_of(curves, "score", LAYER - 1))
    story.wait_for_url(re.compile(rf"[?&]layer={LAYER}\b"))
    settled(story)
    assert story.get_by_test_id("stSidebar").get_by_label("Layer", exact=True).input_value() == str(LAYER)
    assert f"layer {LAYER} ·" in said(story)


def test_a_lasso_lists_the_prompts_inside_it(app: Served, story: Any, tmp_path: Path) -> None:
    records = read_lines(newest(app.store, "drift").folder.path / "prompts.jsonl").records
    drawn = figure(story, "large")
    inside = box_round(drawn, "triggered", 0)
    assert 1 <= len(inside.ids) < len(records)
    lasso(story, drawn, inside.corners)
    shown(story, f"{len(inside.ids)} of {len(records)} prompts are selected.")
    main(story).get_by_text("Show prompts and answers").click()
    settled(story)
    found = rows(saved(story, csv_of(story, "prompts-table"), tmp_path / "prompts.csv"))
    assert {row["id"] for row in found} == inside.ids
    texts = {str(record["id"]): record["prompt"] for record in records}
    assert all(row["prompt"] == texts[row["id"]] for row in found)


def test_a_delta_is_synthesized_at_that_layer(app: Served, story: Any, prompt_file: Path) -> None:
    press(story, f"Synthesize a delta at layer {LAYER}")
    arrived(story, "synthesize")
    fill(story, "BEE steps K", "8")
    unfold(story, "More settings")
    for label, value in (
        ("Prompt file", str(prompt_file)),
        ("Batch", "8"),
        ("Validation answer length", "4"),
    ):
        fill(story, label, value)
    press(story, "Synthesize delta")
    folder = done(app, story, "entrap", 5)
    found = result(app, "entrap")
    assert found["layer"] == LAYER
    assert folder.read_spec()["entrapment"]["steps"] == 8
    shown(story, share(found["heldout_asr_under_delta"]))
    figure(story, "curve")


def test_a_removal_starts_with_an_estimate_and_refuses_nonsense(
    app: Served, story: Any, prompt_file: Path
) -> None:
    press(story, "Remove what delta found")
    arrived(story, "remove")
    fill(story, "Most rounds", "several")
    shown(story, "not 'several'")
    assert button(story, "Remove").is_disabled()
    fill(story, "Most rounds", "2")
    shown(story, "At most about")
    unfold(story, "More settings")
    for label, value in (
        ("Prompt file", str(prompt_file)),
        ("Ordinary prompts", "32"),
        ("Validation prompts", "8"),
        ("Validation answer length", "4"),
        ("AR steps Q", "2"),
        ("Safe rows a step", "4"),
        ("Performance rows a step", "4"),
        ("Opening rows a step", "4"),
        ("Answer tokens", "4"),
        ("BEE steps K", "4"),
        ("Anchor prompts a round", "16"),
        ("Batch", "8"),
        ("Further layers", ""),
        ("Strings", "0"),
    ):
        fill(story, label, value)
    press(story, "Remove,")
    reaches(app.store, "remove", ["running"], MINUTES)


def test_a_removal_survives_a_closed_page_and_a_refresh(app: Served, story: Any) -> None:
    shown(story, "s so far")
    address = story.url
    assert f"run={newest(app.store, 'remove').id}" in address
    story.goto("about:blank")
    until(lambda: len(_rounds_told(app)) == 1, 5 * MINUTES, "the first round is done")
    with held(worker(app).process.pid):
        story.goto(address)
        shown(story, "1 of at most 2 rounds are done")
        story.reload()
        shown(story, "1 of at most 2 rounds are done")
        settled(story)
        assert story.url == address
        shown(story, share(_rounds_told(app)[0]["fresh_delta_asr"]))
        assert newest(app.store, "remove").state == "running"


def _rounds_told(app: Served) -> list[dict[str, Any]]:
    told = newest(app.store, "remove").folder.read_events().records
    return [event["record"] for event in told if event["event"] == "round_done"]


def test_a_killed_worker_is_told_and_resume_goes_on(
    app: Served, story: Any, measured: Callable[[str], None]
) -> None:
    killed = worker(app).process.pid
    assert worker(app).run_id == newest(app.store, "remove").id
    os.kill(killed, signal.SIGKILL)
    told = main(story).get_by_text("killed by SIGKILL").or_(main(story).get_by_text("ended in the middle"))
    took = until(lambda: told.count() > 0, SAID_WITHIN, "the page says that the worker was killed")
    measured(f"a worker killed by SIGKILL is told on the page after {took:.1f} s")
    press(story, "Resume")
    reaches(app.store, "remove", ["running"], MINUTES)
    assert worker(app).process.pid != killed


def test_a_removal_is_cancelled(app: Served, story: Any) -> None:
    shown(story, "s so far")
    with held(worker(app).process.pid):
        press(story, "Cancel")
        shown(story, "Stopping")
        assert newest(app.store, "remove").state == "running"
    reaches(app.store, "remove", ["cancelled"], 2 * MINUTES)
    shown(story, "was cancelled")


def test_a_cancelled_removal_is_resumed_behind_its_last_round(app: Served, story: Any) -> None:
    before = _rounds_told(app)
    press(story, "Resume")
    folder = done(app, story, "remove", 10)
    shown(story, "Why it stopped")
    found = result(app, "remove")
    assert found["rounds"][:1] == before[:1], "the first round was not done again"
    kept = next((row for row in found["rounds"] if row["round"] == found["best_round"]), None)
    if kept is None:
        shown(story, share(found["fresh_delta_asr_before"]))
    else:
        shown(story, share(kept["fresh_delta_asr"]))
    assert (folder.model / "config.json").is_file()
    shown(story, str(folder.model))


def test_before_and_after_are_compared(app: Served, story: Any, tmp_path: Path) -> None:
    press(story, "Compare before and after")
    arrived(story, "compare")
    unfold(story, "More settings")
    for label, value in (("Answer length", "8"), ("Test prompts", "12"), ("Ordinary prompts", "4")):
        fill(story, label, value)
    press(story, "Compare")
    done(app, story, "evaluate", 5)
    drawn = figure(story, "cells")
    found = result(app, "evaluate")
    words = " ".join(drawn.locator("text").all_text_contents())
    unfold(story, "Four cells")
    file = saved(story, csv_of(story, "cell_rows"), tmp_path / "cells.csv")
    exported = {(row["model"], row["trigger"]): row for row in rows(file)}
    for side in ("before", "after"):
        for cell, trigger in (("clean", "without trigger"), ("triggered", "with trigger")):
            stored = found["cells"][side][cell]["asr"]
            assert f"{stored['value']:.1%}" in words, (side, cell)
            assert int(exported[side, trigger]["answered"]) == stored["count"]
            assert int(exported[side, trigger]["prompts"]) == stored["n"] == 12
    assert found["cells"]["before"]["triggered"]["asr"]["value"] >= 0.75, "the organism is backdoored"


def test_the_report_holds_what_the_pages_said(app: Served, story: Any, tmp_path: Path) -> None:
    press(story, "Put it in a report")
    arrived(story, "report")
    evaluated = result(app, "evaluate")
    cells = evaluated["cells"]
    sentence = (
        f"{cells['before']['triggered']['asr']['count']} of {cells['before']['triggered']['asr']['n']} harmful prompts "
        f"were answered before the removal, {cells['after']['triggered']['asr']['count']} of"
    )
    assert sentence in said(story)
    html = saved(story, button(story, "Save the report"), tmp_path / "report.html").read_text("utf-8")
    assert sentence in html
    bundle = saved(story, button(story, "Bundle (ZIP)"), tmp_path / "report.zip")
    with zipfile.ZipFile(bundle) as archive:
        stored = json.loads(archive.read(f"runs/{evaluated['run_id']}/result.json"))
    assert stored == evaluated


def test_the_overview_tells_the_story_in_five_cards(app: Served, story: Any) -> None:
    press(story, "Back to the overview")
    arrived(story, "overview")
    shown(story, "Latest runs")
    assert "not measured" not in said(story)
    after = result(app, "evaluate")["cells"]["after"]["triggered"]["asr"]
    assert f"{share(after)} after" in said(story)


def test_the_pages_stayed_small_and_free_of_torch(
    app: Served, story: Any, measured: Callable[[str], None]
) -> None:
    megabytes = app.megabytes()
    measured(f"memory of the pages' process after the whole story: {megabytes:.0f} MB")
    assert megabytes < MOST_MEGABYTES
    assert not KEPT_OUT & app.modules()

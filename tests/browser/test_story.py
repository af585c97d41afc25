"""The whole story on the real default organism, as a stakeholder is told it, without typing a command.

The tests go on one from another, in one tab: load, drift, pick a layer, lasso, delta, removal (refreshed, cancelled,
resumed, its worker killed), compare, report. What a page says is checked against `result.json`.
"""

import json
import os
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.drift_arrays import stored_projection
from analysis.intervals import Proportion
from beear_core.runs.worker import worker_state
from cache.jsonl import read_lines
from tests.browser.acts import (
    figure,
    fill,
    lasso,
    newest,
    place_of,
    press,
    reaches,
    shown,
    unfold,
    until,
)
from tests.browser.chromium import open_page, settled, tab
from tests.browser.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.organism]

MODEL = "sft-suffix-2"
LAYER = 9
MINUTES = 60.0
SAID_WITHIN = 5.0


@pytest.fixture(scope="module")
def story(app: Served, browser: Any) -> Iterator[Any]:
    """The tab in which the story is told."""
    with tab(browser) as page:
        page.set_default_timeout(60_000)
        yield page


def said(page: Any) -> str:
    return str(page.locator("[data-testid=stMain]").inner_text())


def share(stored: dict[str, Any]) -> str:
    return Proportion.from_dict(stored).text()


def result(app: Served, kind: str) -> dict[str, Any]:
    found = newest(app.store, kind).folder.read_result()
    assert found is not None
    return found


def test_one_click_takes_the_organism_and_prepares_it(app: Served, story: Any) -> None:
    open_page(story, app.url)
    press(story, "Inspect a backdoored model")
    shown(story, "Model")
    story.wait_for_url("**/model**")
    prepare = story.get_by_role("button", name=re.compile("^Prepare this model"))
    if prepare.count():
        prepare.first.click()
        reaches(app.store, "organism", ["done"], 5 * MINUTES)
    shown(story, "30 layers", seconds=60)
    assert not story.locator("[data-testid=stException]").count()


def test_drift_is_measured_and_its_numbers_are_those_of_the_result(app: Served, story: Any) -> None:
    press(story, "Measure drift")
    story.wait_for_url("**/drift**")
    settled(story)
    unfold(story, "More settings")
    for label, value in (("Prompt pairs", "16"), ("Control strings", "2"), ("Permutations", "20")):
        fill(story, label, value)
    fill(story, "Answer length", "8")
    press(story, "Measure drift")
    reaches(app.store, "drift", ["done"], 5 * MINUTES)
    figure(story, "large")
    found = result(app, "drift")
    best = max(found["layers"], key=lambda row: row["score"])
    row = next(
        row for row in found["layers"] if row["layer"] == (found["recommended_layer"] or best["layer"])
    )
    assert f"layer {row['layer']}" in said(story)
    assert f"{row['auroc_vs_control']:.2f}" in said(story)


def test_a_click_on_a_curve_picks_the_layer(app: Served, story: Any) -> None:
    curves = figure(story, "curves")
    story.mouse.click(*place_of(curves, 0, LAYER - 1))
    story.wait_for_function(f"() => location.search.includes('layer={LAYER}')")
    settled(story)
    assert story.locator("[data-testid=stSidebar] input[aria-label=Layer]").input_value() == str(LAYER)
    assert f"layer {LAYER} ·" in said(story)


def test_a_lasso_lists_the_prompts_inside_it(app: Served, story: Any) -> None:
    folder = newest(app.store, "drift").folder
    projection = stored_projection(folder.read_arrays(), LAYER)
    records = read_lines(folder.path / "prompts.jsonl").records
    assert projection is not None
    drawn = figure(story, "large")
    trace = drawn.evaluate("plot => plot._fullData.findIndex(one => one.name === 'triggered')")
    # Round the first pair's triggered point, close enough to leave most others out.
    x, y = place_of(drawn, trace, 0)
    lasso(story, drawn, [(x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9)])
    story.get_by_text(re.compile(rf"\d+ of {len(records)} prompts? (is|are) selected")).first.wait_for()
    count = int(re.search(r"(\d+) of \d+ prompts", said(story))[1])  # type: ignore[index]
    assert 1 <= count < len(records)


def test_a_delta_is_synthesized_at_that_layer(app: Served, story: Any) -> None:
    press(story, f"Synthesize a delta at layer {LAYER}")
    story.wait_for_url("**/synthesize**")
    settled(story)
    fill(story, "BEE steps K", "12")
    unfold(story, "More settings")
    fill(story, "Validation prompts", "12")
    press(story, "Synthesize delta")
    folder = reaches(app.store, "entrap", ["done"], 5 * MINUTES)
    found = result(app, "entrap")
    assert found["layer"] == LAYER
    assert folder.read_spec()["entrapment"]["steps"] == 12
    shown(story, share(found["heldout_asr_under_delta"]))
    figure(story, "curve")


def test_a_removal_starts_with_an_estimate_and_refuses_nonsense(app: Served, story: Any) -> None:
    press(story, "Remove what delta found")
    story.wait_for_url("**/remove**")
    settled(story)
    fill(story, "Most rounds", "several")
    shown(story, "not 'several'")
    assert story.get_by_role("button", name=re.compile("^Remove")).first.is_disabled()
    fill(story, "Most rounds", "2")
    unfold(story, "More settings")
    for label, value in (
        ("Validation prompts", "8"),
        ("AR steps Q", "4"),
        ("BEE steps K", "6"),
        ("Anchor prompts a round", "16"),
    ):
        fill(story, label, value)
    press(story, "Remove,")
    until(lambda: newest(app.store, "remove").state == "running", 60, "the removal runs")


def test_a_removal_survives_a_refresh_of_the_browser(app: Served, story: Any) -> None:
    story.reload()
    settled(story)
    assert f"run={newest(app.store, 'remove').id}" in story.url
    shown(story, "s so far")
    assert newest(app.store, "remove").state == "running"


def test_a_killed_worker_is_told_within_five_seconds_and_the_run_goes_on_after_resume(
    app: Served, story: Any
) -> None:
    worker = worker_state(app.home)
    assert worker is not None
    os.kill(worker.process.pid, signal.SIGKILL)
    took = until(
        lambda: (
            story.get_by_text("killed by SIGKILL").or_(story.get_by_text("ended in the middle")).count() > 0
        ),
        SAID_WITHIN,
        "the page says that the worker was killed",
    )
    assert took <= SAID_WITHIN
    press(story, "Resume")
    until(lambda: newest(app.store, "remove").state == "running", 60, "a new worker goes on with it")


def test_a_removal_is_cancelled_and_resumed(app: Served, story: Any) -> None:
    shown(story, "s so far")
    press(story, "Cancel")
    reaches(app.store, "remove", ["cancelled"], 2 * MINUTES)
    shown(story, "was cancelled")
    press(story, "Resume")
    reaches(app.store, "remove", ["done"], 10 * MINUTES)
    found = result(app, "remove")
    shown(story, "Why it stopped")
    kept = next((row for row in found["rounds"] if row["round"] == found["best_round"]), None)
    if kept is not None:
        assert share(kept["fresh_delta_asr"]) in said(story)


def test_before_and_after_are_compared(app: Served, story: Any) -> None:
    press(story, "Compare before and after")
    story.wait_for_url("**/compare**")
    settled(story)
    unfold(story, "More settings")
    fill(story, "Test prompts", "12")
    fill(story, "Answer length", "16")
    press(story, "Compare")
    reaches(app.store, "evaluate", ["done"], 5 * MINUTES)
    figure(story, "cells")
    found = result(app, "evaluate")
    for side in ("before", "after"):
        for cell in ("clean", "triggered"):
            stored = found["cells"][side][cell]["asr"]
            drawn = story.locator(".st-key-cells").inner_text()
            assert f"{stored['value']:.1%}" in drawn, (side, cell)


def test_the_report_holds_what_the_pages_said(app: Served, story: Any, tmp_path: Path) -> None:
    press(story, "Put it in a report")
    story.wait_for_url("**/report**")
    settled(story)
    evaluated, removed = result(app, "evaluate"), result(app, "remove")
    cells = evaluated["cells"]
    sentence = (
        f"{cells['before']['triggered']['asr']['count']} of {cells['before']['clean']['asr']['n']} harmful prompts "
        f"were answered before the removal, {cells['after']['triggered']['asr']['count']} of"
    )
    assert sentence in said(story)
    with story.expect_download() as coming:
        story.get_by_role("button", name=re.compile("^Save the report")).click()
    html = tmp_path / "report.html"
    coming.value.save_as(html)
    assert sentence in html.read_text("utf-8")
    with story.expect_download() as coming:
        story.get_by_role("button", name="Bundle (ZIP)").click()
    bundle = tmp_path / "report.zip"
    coming.value.save_as(bundle)
    with zipfile.ZipFile(bundle) as archive:
        stored = json.loads(archive.read(f"runs/{evaluated['run_id']}/result.json"))
    assert stored["cells"] == cells
    assert removed["run_id"] == newest(app.store, "remove").id


def test_the_overview_tells_the_story_in_five_cards(app: Served, story: Any) -> None:
    press(story, "Back to the overview")
    shown(story, "Latest runs")
    assert "not measured" not in said(story)


def test_the_pages_stayed_small_and_free_of_torch(app: Served, story: Any) -> None:
    pages = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if b"streamlit\0run" in _bytes(process / "cmdline")
        and str(app.url.rsplit(":", 1)[1]).encode() in _bytes(process / "cmdline")
    ]
    assert len(pages) == 1
    assert b"libtorch" not in _bytes(pages[0] / "maps")
    resident = int(_bytes(pages[0] / "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert resident < 400 * 2**20, f"{resident / 2**20:.0f} MiB"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""

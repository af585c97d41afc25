"""Every page in a real browser, on an empty home and on runs made by hand; no model works here."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cache.run_folder import RunFolder
from tests.browser.acts import TITLES, button, go, main, press, said, saved, shown, unbroken
from tests.browser.chromium import open_page, settled, tab
from tests.browser.made_home import fill
from tests.browser.served import Served
from tests.browser.stopwatch import answer_seconds, percentile

TURNS = 2
MOST_MEGABYTES = 400
KEPT_OUT = {"torch", "transformers", "transformer_lens", "peft"}


@pytest.fixture(scope="module")
def dark(app: Served, browser: Any) -> Iterator[Any]:
    with tab(browser, theme="dark") as page:
        open_page(page, app.url)
        yield page


@pytest.fixture(scope="module")
def demo(app: Served) -> RunFolder:
    return fill(app.store)


# The empty home comes first: the fixture `demo` fills it.


@pytest.mark.parametrize("name", TITLES)
def test_a_page_opens_on_an_empty_home(page: Any, name: str) -> None:
    go(page, name)
    assert unbroken(page)


@pytest.mark.parametrize("name", TITLES)
def test_a_page_opens_on_runs_with_its_figures_in_view_and_told_in_words(
    demo: RunFolder, page: Any, name: str
) -> None:
    go(page, name)
    assert unbroken(page)
    assert _paper(page) == "rgb(255, 255, 255)"
    figures = main(page).get_by_test_id("stPlotlyChart")
    if name in ("drift", "synthesize", "remove", "compare", "report"):
        figures.first.locator(".main-svg").first.wait_for()
        box = figures.first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, "the main figure is seen without scrolling"
    told = figures.evaluate_all(
        "charts => charts.map(chart => chart.closest('[aria-label]')?.ariaLabel"
        " ?? chart.querySelector('[aria-label]')?.ariaLabel ?? '')"
    )
    assert all(len(words) > 20 for words in told), told


@pytest.mark.parametrize("name", TITLES)
def test_a_page_opens_on_runs_in_the_dark(demo: RunFolder, dark: Any, name: str) -> None:
    go(dark, name)
    assert unbroken(dark)
    assert _paper(dark) == "rgb(14, 17, 23)"


def _paper(page: Any) -> str:
    app = page.get_by_test_id("stApp")
    return str(app.evaluate("app => getComputedStyle(app).backgroundColor"))


def test_a_page_switch_is_answered_at_once(
    app: Served, demo: RunFolder, page: Any, measured: Callable[[str], None]
) -> None:
    go(page, "overview")
    links = page.get_by_test_id("stSidebarNavLink")
    names = links.all_inner_texts()
    # Every page was opened before: what it imports is there.
    took: dict[str, list[float]] = {name: [] for name in names}
    worked: dict[str, list[float]] = {name: [] for name in names}
    server = app.pages()
    for place, name in [*enumerate(names)] * TURNS:
        before = sum(server.cpu_times()[:2])
        took[name].append(answer_seconds(page, links.nth(place).click))
        worked[name].append(sum(server.cpu_times()[:2]) - before)
    # The second holds the browser's drawing too, which puts off that it takes note of the server's messages.
    measured(f"page switch, processor time of the server: {_told(worked)}")
    measured(f"page switch, until the browser took note of the server's last word: {_told(took)}")
    switches = [seconds for each in took.values() for seconds in each]
    # A time is told, not asserted: on a machine that is shared it says more about the others.
    assert len(switches) == TURNS * len(TITLES)


def _told(seconds: dict[str, list[float]]) -> str:
    every = [one for each in seconds.values() for one in each]
    p50, p95 = (f"{percentile(every, part) * 1000:.0f} ms" for part in (0.5, 0.95))
    pages = ", ".join(f"{name} {percentile(each, 0.5) * 1000:.0f}" for name, each in seconds.items())
    return f"p50 {p50}, p95 {p95} of {len(every)} ({pages})"


def test_a_link_opens_the_page_in_the_same_state(demo: RunFolder, page: Any) -> None:
    go(page, "report")
    page.get_by_text("Prompts and answers too").click()
    page.wait_for_url("**answers=true**")
    settled(page)
    page.goto(page.url)
    shown(page, "Prompts and answers")
    settled(page)
    assert page.locator(".st-key-answers input").is_checked()


def test_what_a_model_said_is_never_run(demo: RunFolder, page: Any) -> None:
    # Goes on from the link above, with the answers shown.
    page.get_by_text("Prompts and answers, 1 pairs").or_(page.get_by_text("Answers (1)")).first.click()
    settled(page)
    assert not main(page).locator("b", has_text="bold").count()


def test_two_tabs_of_one_person_do_not_mix(app: Served, demo: RunFolder, page: Any) -> None:
    go(page, "drift")
    other = page.context.new_page()
    try:
        open_page(other, app.url, "drift")
        page.bring_to_front()  # a browser draws nothing of a tab that lies behind
        layer = page.get_by_label("Layer", exact=True).first
        layer.fill("2")
        layer.press("Enter")
        page.wait_for_url("**layer=2**")
        shown(page, "layer 2 ·")
        other.bring_to_front()
        trigger = other.get_by_label("Trigger", exact=True).first
        trigger.fill("OPEN SESAME")
        trigger.press("Enter")
        other.wait_for_url("**SESAME**")
        settled(other)
        assert "layer=2" not in other.url
        assert other.get_by_label("Layer", exact=True).first.input_value() == ""
        assert "no layer picked" in said(other)
        page.bring_to_front()
        go(page, "synthesize")
        assert "layer=2" in page.url
        assert page.get_by_label("Trigger", exact=True).first.input_value() == "SUDO"
        assert "SESAME" not in page.url
    finally:
        other.close()


def test_the_saved_report_holds_the_numbers_of_the_result(
    app: Served, demo: RunFolder, page: Any, tmp_path: Path
) -> None:
    open_page(page, app.url, "report", run=demo.id)
    report = saved(page, button(page, "Save the report"), tmp_path / "report.html")
    loaded: list[str] = []
    paper = page.context.new_page()
    paper.on("request", lambda request: loaded.append(request.url))
    paper.goto(report.as_uri())
    figures = paper.locator("script.figure").count()
    assert figures
    paper.wait_for_function(
        f"() => document.querySelectorAll('figure .plot-container').length === {figures}", polling=100
    )
    assert loaded == [report.as_uri()]
    result = demo.read_result()
    assert result is not None
    after = result["cells"]["after"]["triggered"]["asr"]
    text = paper.locator("main").inner_text()
    assert f"{after['count']} of {after['n']} after it" in text
    assert result["model"]["sha256"] in text
    assert "A harmful question" not in paper.content()
    paper.close()


def test_the_bundle_holds_the_very_result(demo: RunFolder, page: Any, tmp_path: Path) -> None:
    # Goes on from the report above.
    bundle = saved(page, button(page, "Bundle (ZIP)"), tmp_path / "report.zip")
    with zipfile.ZipFile(bundle) as archive:
        assert json.loads(archive.read(f"runs/{demo.id}/result.json")) == demo.read_result()
        assert archive.testzip() is None


def test_a_run_is_renamed_and_deleted_only_when_asked_twice(app: Served, demo: RunFolder, page: Any) -> None:
    failed = next(entry for entry in app.store.list() if entry.state == "failed")
    open_page(page, app.url, "runs", run=failed.id)
    shown(page, failed.id)
    press(page, "Rename")
    name = page.get_by_label("Name of the run", exact=True)
    name.fill("too big for this machine")
    name.press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    shown(page, "too big for this machine")
    press(page, "Delete")
    assert failed.id in {entry.id for entry in app.store.list()}
    page.get_by_role("button", name="Delete for good").click()
    main(page).get_by_text("too big for this machine").first.wait_for(state="detached")
    assert failed.id not in {entry.id for entry in app.store.list()}


def test_pages_asked_nothing_of_other_machines(
    app: Served, demo: RunFolder, page: Any, asked: list[str]
) -> None:
    assert len(asked) > 20
    assert not [url for url in asked if not url.startswith((app.url, "data:", "blob:"))]


def test_the_pages_are_small_and_never_imported_torch(
    app: Served, demo: RunFolder, page: Any, measured: Callable[[str], None]
) -> None:
    megabytes = app.megabytes()
    measured(f"memory of the pages' process after every page and a report: {megabytes:.0f} MB")
    assert megabytes < MOST_MEGABYTES
    assert "streamlit" in app.modules()
    assert not KEPT_OUT & app.modules()

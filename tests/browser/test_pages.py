"""Every page in a real browser, on an empty home and on runs made by hand; no model works here."""

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cache.run_folder import RunFolder
from tests.browser.acts import unfold
from tests.browser.chromium import open_page, settled, tab
from tests.browser.made_home import fill
from tests.browser.served import Served
from tests.browser.stopwatch import WATCH, answer_seconds, percentile

PAGES = ("overview", "model", "drift", "synthesize", "remove", "compare", "sweep", "runs", "report")
TITLES = {"overview": "BEEAR Workbench", **{name: name.capitalize() for name in PAGES[1:]}}
BOUND_SECONDS = 0.3


@pytest.fixture(scope="module")
def demo(app: Served) -> RunFolder:
    return fill(app.store)


@pytest.fixture(scope="module")
def in_theme(browser: Any) -> Iterator[dict[str, Any]]:
    with tab(browser) as light, tab(browser, theme="dark") as dark:
        yield {"light": light, "dark": dark}


def path_of(name: str) -> str:
    return "" if name == "overview" else name


# The empty home comes first: the fixture `demo` fills it.


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_an_empty_home(app: Served, in_theme: dict[str, Any], name: str) -> None:
    page = in_theme["light"]
    open_page(page, app.url, path_of(name))
    assert page.locator("h1").inner_text() == TITLES[name]
    assert not page.locator("[data-testid=stException]").count()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_runs(
    app: Served, demo: RunFolder, in_theme: dict[str, Any], name: str, theme: str
) -> None:
    page = in_theme[theme]
    open_page(page, app.url, path_of(name))
    assert page.locator("h1").inner_text() == TITLES[name]
    assert not page.locator("[data-testid=stException]").count()
    paper = page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert (paper == "rgb(255, 255, 255)") == (theme == "light")


@pytest.mark.parametrize("name", ["drift", "remove", "compare", "report"])
def test_the_main_figure_is_seen_without_scrolling(
    app: Served, demo: RunFolder, in_theme: dict[str, Any], name: str
) -> None:
    page = in_theme["light"]
    open_page(page, app.url, name)
    figure = page.locator("[data-testid=stPlotlyChart]").first
    figure.locator(".main-svg").first.wait_for()
    box = figure.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("name", ["drift", "synthesize", "remove", "compare", "report"])
def test_every_figure_is_told_in_words(
    app: Served, demo: RunFolder, in_theme: dict[str, Any], name: str
) -> None:
    page = in_theme["light"]
    open_page(page, app.url, name)
    page.locator("[data-testid=stPlotlyChart] .main-svg").first.wait_for()
    labels = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].map("
        "chart => (chart.getAttribute('aria-label') || chart.querySelector('[aria-label]')?.getAttribute('aria-label') || ''))"
    )
    assert labels
    assert all(len(label) > 20 for label in labels), labels


def test_pages_ask_nothing_of_other_machines(app: Served, demo: RunFolder, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        open_page(page, app.url, path_of(name))
    elsewhere = [url for url in asked if not url.startswith((app.url, "data:", "blob:"))]
    assert not elsewhere


def test_a_page_switch_is_answered_at_once(app: Served, demo: RunFolder, page: Any, capsys: Any) -> None:
    page.add_init_script(WATCH)
    open_page(page, app.url)
    links = page.locator("[data-testid=stSidebarNavLink]")
    names = links.all_inner_texts()
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(4):
        for place, name in enumerate(names):
            seconds = answer_seconds(page, links.nth(place).click)
            if turn:  # the first turn imports what a page needs
                took[name].append(seconds)
    switches = [seconds for each in took.values() for seconds in each]
    p50, p95 = percentile(switches, 0.5), percentile(switches, 0.95)
    each = ", ".join(f"{name} {percentile(seconds, 0.5) * 1000:.0f}" for name, seconds in took.items())
    with capsys.disabled():
        sys.stdout.write(
            f"\npage switch: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms of {len(switches)} ({each})\n"
        )
    assert p50 <= BOUND_SECONDS


def test_a_link_opens_the_page_in_the_same_state(
    app: Served, demo: RunFolder, page: Any, browser: Any
) -> None:
    open_page(page, app.url, "report")
    page.get_by_text("Prompts and answers too").click()
    settled(page)
    page.wait_for_function("() => location.search.includes('answers=true')")
    with tab(browser) as other:
        open_page(other, page.url.split("/report")[0], "report" + page.url.split("/report")[1])
        assert other.locator(".st-key-answers input").is_checked()


def test_two_tabs_do_not_mix(app: Served, demo: RunFolder, browser: Any) -> None:
    with tab(browser) as one, tab(browser) as other:
        open_page(one, app.url, "drift")
        open_page(other, app.url, "drift")
        layer = one.get_by_label("Layer", exact=True).first
        layer.fill("2")
        layer.press("Enter")
        settled(one)
        one.wait_for_function("() => location.search.includes('layer=2')")
        settled(other)
        assert "layer=2" not in other.url
        assert other.get_by_label("Layer", exact=True).first.input_value() == ""


@pytest.mark.parametrize("name", ["drift", "synthesize", "remove", "compare", "sweep"])
def test_a_nonsense_number_is_refused_at_its_field(app: Served, page: Any, name: str) -> None:
    open_page(page, app.url, name)
    unfold(page, "More settings")
    fields = page.locator("[data-testid=stMain] [data-testid=stTextInput] input")
    numbers = [at for at in range(fields.count()) if re.fullmatch(r"[\d.e-]+", fields.nth(at).input_value())]
    assert numbers
    for at in numbers:
        before = fields.nth(at).input_value()
        _type(page, fields.nth(at), "nonsense")
        page.locator("[data-testid=stMain]").get_by_text("not 'nonsense'").first.wait_for()
        assert not page.locator("[data-testid=stException]").count()
        _type(page, fields.nth(at), before)
        page.get_by_text("not 'nonsense'").first.wait_for(state="detached")


def _type(page: Any, field: Any, text: str) -> None:
    settled(page)
    # A form that is back at its defaults is drawn folded again.
    unfold(page, "More settings")
    field.fill(text)
    field.press("Enter")
    settled(page)


def test_what_a_model_said_is_never_run(app: Served, demo: RunFolder, page: Any) -> None:
    open_page(page, app.url, "report", answers="true")
    page.get_by_text("Prompts and answers, 1 pairs").or_(page.get_by_text("Answers (1)")).first.click()
    settled(page)
    assert not page.locator("main b", has_text="bold").count()


def test_the_saved_report_holds_the_numbers_of_the_result(
    app: Served, demo: RunFolder, page: Any, tmp_path: Path
) -> None:
    open_page(page, app.url, "report", run=demo.id)
    with page.expect_download() as coming:
        page.get_by_role("button", name=re.compile("Save the report")).click()
    saved = tmp_path / "report.html"
    coming.value.save_as(saved)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    page.wait_for_function("() => document.querySelectorAll('.main-svg').length > 0")
    stored = page.locator("script.figure").count()
    page.wait_for_function(f"() => document.querySelectorAll('figure .plot-container').length === {stored}")
    assert asked == [saved.as_uri()]
    result = demo.read_result()
    assert result is not None
    after = result["cells"]["after"]["triggered"]["asr"]
    text = page.locator("main").inner_text()
    assert f"{after['count']} of {after['n']} after it" in text
    assert result["model"]["sha256"] in text
    assert "A harmful question" not in page.content()


def test_the_bundle_holds_the_very_result(app: Served, demo: RunFolder, page: Any, tmp_path: Path) -> None:
    open_page(page, app.url, "report", run=demo.id)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Bundle (ZIP)").click()
    saved = tmp_path / "report.zip"
    coming.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert json.loads(archive.read(f"runs/{demo.id}/result.json")) == demo.read_result()
        assert archive.testzip() is None

"""A saved report in a real browser: opened from the disk, under its own policy, it draws and complains of nothing."""

from pathlib import Path
from typing import Any

from analysis.report.document import document
from tests.analysis.report.test_validity import everything
from tests.browser.chromium import tab

SCRIPT = "document.body.append(document.createElement('b'))"


def test_the_figures_draw_under_the_policy_without_a_complaint(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(document(everything()), "utf-8")
    said: list[str] = []
    asked: list[str] = []
    with tab(browser, offline=True) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        figures = page.locator("figure").count()
        page.wait_for_function(
            "count => document.querySelectorAll('figure .main-svg:first-child').length >= count", arg=figures
        )
        assert figures >= 6
        assert page.evaluate("() => document.querySelector('.verdict').getBoundingClientRect().bottom") < 900
        assert said == []
        assert asked == [path.as_uri()]


def test_a_script_that_slips_into_the_file_does_not_run(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    slipped = f'<script>{SCRIPT}</script><b onclick=1></b><img src=x onerror="{SCRIPT}"></main>'
    path.write_text(document(everything()).replace("</main>", slipped, 1), "utf-8")
    complaints: list[str] = []
    with tab(browser, offline=True) as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        page.wait_for_selector("figure .main-svg")
        assert page.evaluate("() => document.querySelector('body > b')") is None
        assert any("Content Security Policy" in one for one in complaints)

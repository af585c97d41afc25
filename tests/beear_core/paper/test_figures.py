"""Figures of the committed results, really drawn."""

import importlib.util
from pathlib import Path

import pytest

from beear_core.paper.committed import commit
from beear_core.paper.figures import draw, draw_calibration
from beear_core.paper.page import write_page
from tests.beear_core.paper.made_rows import attack
from tests.browser.chromium import find_chromium


def test_without_rows_nothing_is_drawn(tmp_path: Path) -> None:
    assert draw(tmp_path) == "there are no rows yet"
    assert list(tmp_path.iterdir()) == []


def test_without_the_tool_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("attacks", [attack()], tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "kaleido" else found(name))
    assert "pip install kaleido" in (draw(tmp_path) or "")


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_figure_of_the_rows_stands_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (browser := find_chromium()) is None:
        pytest.skip("no Chromium here")
    monkeypatch.setenv("BROWSER_PATH", browser)
    commit("attacks", [attack("an-organism")], tmp_path)
    assert draw(tmp_path) is None
    assert "an-organism" in (tmp_path / "attacks.svg").read_text("utf-8")
    models = [{"name": str(kind), "score": 0.1 + kind / 2, "backdoored": kind} for kind in (True, False)]
    assert draw_calibration({"models": models, "threshold": 0.35}, tmp_path) is None
    assert "threshold 0.35" in (tmp_path / "verdict.svg").read_text("utf-8")
    write_page(tmp_path)
    assert "](attacks.svg)" in (tmp_path / "README.md").read_text("utf-8")

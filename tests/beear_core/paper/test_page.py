"""The files of docs/results and their page: rows replace their own older ones, and every number is in the page."""

from pathlib import Path

import pytest

from beear_core.errors import SettingError
from beear_core.paper.committed import FILES, commit, committed
from beear_core.paper.page import TABLES, write_page
from tests.beear_core.paper.made_rows import attack, rival, swept


def test_rows_of_the_same_organism_and_seed_are_replaced_and_others_stay(tmp_path: Path) -> None:
    commit("attacks", [attack("b"), attack("a", after=9)], tmp_path)
    commit("attacks", [attack("a", after=1), attack("a", seed=1)], tmp_path)
    rows = committed("attacks", tmp_path)
    assert [(row["organism"], row["seed"]) for row in rows] == [("a", 0), ("a", 1), ("b", 0)]
    assert rows[0]["cells"]["after"]["triggered"]["asr"]["count"] == 1


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    for text in ("{", "{}", "[1]"):
        (tmp_path / "attacks.json").write_text(text)
        with pytest.raises(SettingError, match="Restore it"):
            committed("attacks", tmp_path)


def test_every_file_has_a_table_and_a_place_on_the_page(tmp_path: Path) -> None:
    assert set(TABLES) == set(FILES)
    write_page(tmp_path)
    page = (tmp_path / "README.md").read_text("utf-8")
    assert page.count("Not measured here yet") == len(FILES)
    for name in ("table-1", "rivals", "layers", "positions", "performance-data", "drift"):
        assert f"python -m beear_core paper {name}" in page


def test_the_page_carries_the_numbers_with_intervals_hardware_and_seeds(tmp_path: Path) -> None:
    commit("attacks", [attack()], tmp_path)
    commit("rivals", [rival("ours", 1), rival("safety_sft", 96)], tmp_path)
    commit("anchoring", [swept(ratio=0.5), swept(budget=30, earliest_round=None)], tmp_path)
    write_page(tmp_path)
    page = (tmp_path / "README.md").read_text("utf-8")
    assert "| 98.3% (94.1-99.5, n 120) | 0.8% (0.1-4.6, n 120) |" in page
    assert "| sft-suffix-2 | safety_sft | 0 | 98.3% (94.1-99.5, n 120) | 80.0%" in page
    assert "134,515,008" in page
    assert "| sft-suffix-2 | 0 | - | 30 | none |" in page
    assert "Hardware: cpu: a processor, 2 threads. Seeds: 0." in page
    assert page.count("Not measured here yet") == len(FILES) - 3

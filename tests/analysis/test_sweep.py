from typing import Any

from analysis.headline import headline
from analysis.intervals import Proportion
from analysis.sweep import best_cell, lowest_cell, sweep_table


def cell(layer: int, earliest: int | None, *counts: int) -> dict[str, Any]:
    return {
        "layer": layer, "n": 5, "earliest_round": earliest, "seconds": 9.0, "kl": 0.02, "error": None,
        "asr_by_round": [Proportion(count, 40).as_dict() for count in counts],
    }  # fmt: skip


def sweep(*cells: dict[str, Any]) -> dict[str, Any]:
    before = Proportion(40, 40).as_dict()
    return {
        "kind": "sweep", "measure": "triggered", "success_below": 0.25, "rounds": 3, "before": before,
        "cells": list(cells),
    }  # fmt: skip


def test_the_best_cell_succeeds_first_and_of_equals_has_the_lowest_asr() -> None:
    cells = [cell(3, None, 40, 30), cell(9, 2, 30, 4), cell(15, 2, 30, 1), cell(21, 3, 30, 20, 0)]
    assert best_cell(cells) is cells[2]
    assert best_cell(cells[:1]) is None


def test_the_lowest_cell_is_the_one_whose_any_round_came_nearest() -> None:
    cells = [cell(3, None), cell(9, None, 30, 12, 20), cell(15, None, 40, 13)]
    assert lowest_cell(cells) is cells[1]
    assert lowest_cell(cells[:1]) is None


def test_the_table_has_a_row_a_cell_and_a_column_a_round() -> None:
    table = sweep_table(sweep(cell(3, None, 40), cell(9, 2, 30, 4)))
    assert table.rows[0][:5] == ("3", "5", "none", "100.0% (91.2-100.0, n 40)", "-")
    assert table.rows[1][2] == "2"
    assert "below 25%, of at most 3" in table.notes[0]


def test_a_cell_that_failed_is_told_in_the_notes() -> None:
    failed = {**cell(3, None), "error": "The loss is not finite.", "kl": None}
    assert "Layer 3, n 5: The loss is not finite." in sweep_table(sweep(failed)).notes


def test_the_headline_names_the_first_success_or_counts_none() -> None:
    assert headline(sweep(cell(9, 2, 30, 4), cell(3, None, 40))) == (
        "1 of 2 cells succeed, the first in round 2 at layer 9, n 5"
    )
    assert headline(sweep(cell(3, None, 40))) == "0 of 1 cells succeed"

from typing import Any

import pytest

from analysis import theme
from analysis.figures import sweep_grid
from analysis.intervals import Proportion

LIGHT = theme.template("light")


def cell(layer: int, n: int, *counts: int, earliest: int | None = None, **more: Any) -> dict[str, Any]:
    by_round = [Proportion(count, 40).as_dict() for count in counts]
    return {"layer": layer, "n": n, "earliest_round": earliest, "asr_by_round": by_round, **more}


CELLS = [cell(9, 5, 30, 4, earliest=2), cell(9, 3, 30, 20), cell(3, 5, 2, earliest=1), cell(3, 3)]


def test_a_square_carries_its_layer_and_n_and_tells_its_earliest_round() -> None:
    (squares,) = sweep_grid.figure(CELLS, template=LIGHT, rounds=2).data
    assert [list(data) for data in squares.customdata] == [[9, 5], [9, 3], [3, 5], [3, 3]]
    assert list(squares.text) == ["<b>2</b>", "50%", "<b>1</b>", "-"]
    assert list(squares.x) == [1, 1, 0, 0]
    assert list(squares.y) == [1, 0, 1, 0]


def test_the_earlier_the_deeper_and_no_success_has_no_colour() -> None:
    (squares,) = sweep_grid.figure(CELLS, template=LIGHT, rounds=2).data
    later, none, earlier, _ = squares.marker.color
    assert earlier == theme.AFTER.colour
    assert none == theme.SURFACES["light"].paper
    assert int(earlier[1:3], 16) < int(later[1:3], 16) < 255


def test_cells_under_way_say_so() -> None:
    cells = [cell(9, 5, 30, state="running"), cell(9, 6, state="waiting"), cell(9, 7, state="failed")]
    (squares,) = sweep_grid.figure(cells, template=LIGHT, rounds=2).data
    assert list(squares.text) == ["75%<br><i>round 2</i>", "·", "failed"]
    assert squares.marker.line.width[0] > squares.marker.line.width[1]


def test_small_squares_say_less() -> None:
    cells = [cell(layer, 5, state="running") for layer in range(1, 25)]
    (squares,) = sweep_grid.figure(cells, template=LIGHT, rounds=2).data
    assert set(squares.text) == {"<i>...</i>"}


def test_the_chosen_square_has_a_frame() -> None:
    (squares,) = sweep_grid.figure(CELLS, template=LIGHT, rounds=2, selected=(9, 3)).data
    assert [width > 2 for width in squares.marker.line.width] == [False, True, False, False]


def test_a_grid_without_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one cell"):
        sweep_grid.figure([], template=LIGHT, rounds=2)

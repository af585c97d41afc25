import pytest

from analysis import theme
from analysis.figures import drift_map

LIGHT = theme.template("light")


def _row(organism: str, *scores: float, layer: int = 2) -> dict[str, object]:
    layers = [{"layer": at, "score": score} for at, score in enumerate(scores, start=1)]
    return {"organism": organism, "layer": layer, "layers": layers}


def test_each_organism_has_a_row_of_its_scores_and_a_mark_at_the_default_layer() -> None:
    drawn = drift_map.figure([_row("one", 0.0, 0.1, 0.4), _row("two", 0.2, 0.3, 0.1)], template=LIGHT)
    squares, marks = drawn.data
    assert [list(each) for each in squares.z] == [[0.0, 0.1, 0.4], [0.2, 0.3, 0.1]]
    assert list(squares.x) == [1, 2, 3]
    assert list(drawn.layout.yaxis.ticktext) == ["one", "two"]
    assert (list(marks.x), list(marks.y)) == ([2, 2], [0, 1])


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="at least one organism"):
        drift_map.figure([], template=LIGHT)

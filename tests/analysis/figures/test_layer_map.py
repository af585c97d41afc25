import pytest

from analysis import theme
from analysis.figures import layer_map
from tests.beear_core.paper.made_rows import share, swept

LIGHT = theme.template("light")


def test_a_square_is_what_the_last_round_left_and_what_was_not_swept_is_empty() -> None:
    rows = [
        swept(layer=9, asr_by_round=[share(120), share(60)]),
        swept(layer=27, asr_by_round=[share(6)]),
        swept(layer=27, seed=1, asr_by_round=[share(18)]),
        swept(organism="another", layer=27, asr_by_round=[share(0)]),
        swept(organism="failed", layer=27, asr_by_round=[]),
    ]
    (squares,) = layer_map.figure(rows, template=LIGHT).data
    assert (list(squares.x), list(squares.y)) == (["9", "27"], ["another", "sft-suffix-2"])
    assert [list(line) for line in squares.z] == [[None, 0.0], [50.0, pytest.approx(10.0)]]
    assert [list(line) for line in squares.text] == [["", "0%"], ["50%", "10%"]]


@pytest.mark.parametrize("rows", [[], [swept(asr_by_round=[])]])
def test_nothing_to_draw_is_said(rows: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match="at least one cell"):
        layer_map.figure(rows, template=LIGHT)

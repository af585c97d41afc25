from typing import Any

from analysis import theme
from analysis.figures import profile_pair
from analysis.intervals import Proportion

LIGHT = theme.template("light")


def verdict(*counts: int, untouched: int) -> dict[str, Any]:
    rows = [
        {"layer": layer, "asr_under_delta": Proportion(count, 24).as_dict()}
        for layer, count in zip((9, 15, 21), counts, strict=True)
    ]
    return {"layers": rows, "asked": {"refused_harmful": Proportion(24 - untouched, 24).as_dict()}}


def test_both_sides_are_drawn_with_intervals_and_what_is_answered_without_delta() -> None:
    both = {"before": verdict(24, 12, 6, untouched=3), "after": verdict(6, 0, 0, untouched=0)}
    drawn = profile_pair.figure(both, template=LIGHT)
    before, after = drawn.data
    assert list(before.x) == list(after.x) == [9, 15, 21]
    assert [list(before.y), list(after.y)] == [[100.0, 50.0, 25.0], [25.0, 0.0, 0.0]]
    assert before.error_y.arrayminus[1] == 100 * (0.5 - Proportion(12, 24).low)
    assert sorted(line.y0 for line in drawn.layout.shapes) == [0.0, 12.5]
    assert (before.line.color, after.line.color) == (theme.BEFORE.colour, theme.AFTER.colour)

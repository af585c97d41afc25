from typing import Any

from analysis import theme
from analysis.figures import score_distribution

LIGHT = theme.template("light")


def model(name: str, score: float, backdoored: bool) -> dict[str, Any]:
    return {"name": name, "score": score, "backdoored": backdoored}


MODELS = [
    model("b", 0.9, True),
    model("a", 0.5, True),
    model("c", 0.505, True),
    model("control", 0.2, False),
]


def test_each_model_is_a_point_in_the_row_of_its_kind_and_none_covers_another() -> None:
    drawn = score_distribution.figure(MODELS, 0.35, template=LIGHT)
    organisms, controls = drawn.data
    assert list(organisms.text) == ["a", "c", "b"]
    assert list(organisms.x) == [0.5, 0.505, 0.9]
    assert organisms.y[0] == organisms.y[2] != organisms.y[1]
    assert list(controls.text) == ["control"]
    assert list(drawn.layout.yaxis.ticktext) == ["controls", "organisms"]
    assert drawn.layout.shapes[0].x0 == 0.35
    assert drawn.layout.annotations[0].text == "threshold 0.35"


def test_many_of_one_score_stay_in_their_row() -> None:
    many = [model(str(place), 0.9, True) for place in range(6)]
    (points, _) = score_distribution.figure([*many, MODELS[-1]], 0.5, template=LIGHT).data
    assert len(set(points.y)) == 6
    assert max(abs(y - 1) for y in points.y) < 0.5


def test_the_suspect_has_a_row_of_its_own_below_them() -> None:
    drawn = score_distribution.figure(MODELS, 0.35, template=LIGHT, suspect=0.4)
    suspect = drawn.data[-1]
    assert (list(suspect.x), list(suspect.y)) == ([0.4], [0])
    assert list(drawn.layout.yaxis.ticktext) == ["suspect", "controls", "organisms"]

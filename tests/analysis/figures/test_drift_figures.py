from typing import Any

import numpy as np
import pytest

from analysis import theme
from analysis.figures import drift_layer, drift_strip, layer_curves
from analysis.projection import Projection, joint_pca

LIGHT = theme.template("light")
PAIRS, CONTROLS = 12, 2


def projection(seed: int = 0, pairs: int = PAIRS) -> Projection:
    draw = np.random.default_rng(seed)
    clean = draw.normal(size=(pairs, 6))
    return joint_pca(clean, clean + 4.0, clean + 0.3 * draw.normal(size=(CONTROLS, pairs, 6)))


def named(drawn: Any, name: str) -> Any:
    (found,) = [trace for trace in drawn.data if (trace.name or "").strip("\u00a0") == name]
    return found


def test_every_prompt_is_one_point_a_group_in_its_colour_and_symbol() -> None:
    drawn = drift_layer.figure(projection(), template=LIGHT)
    assert len(drawn.data) == 4
    for meaning, points in (
        (theme.CLEAN, PAIRS),
        (theme.TRIGGERED, PAIRS),
        (theme.CONTROL, CONTROLS * PAIRS),
    ):
        trace = named(drawn, meaning.label)
        assert len(trace.x) == points
        assert trace.marker.color == meaning.colour
        assert trace.marker.symbol == meaning.symbol


def test_points_carry_the_id_of_their_prompt() -> None:
    ids = [f"row-{place}" for place in range(PAIRS)]
    drawn = drift_layer.figure(projection(), template=LIGHT, row_ids=ids)
    assert named(drawn, "triggered").customdata[3] == ["row-3", "triggered"]
    assert named(drawn, "control string").customdata[PAIRS + 3] == ["row-3", "control string"]


def test_each_arrow_leads_from_a_clean_point_to_its_triggered_one() -> None:
    shown = projection()
    arrows = named(drift_layer.figure(shown, template=LIGHT), "pairs")
    path = np.stack([arrows.x, arrows.y], axis=1).reshape(PAIRS, 3, 2)
    assert path[:, 0] == pytest.approx(shown.clean[:, :2])
    assert path[:, 1] == pytest.approx(shown.triggered[:, :2])
    assert np.isnan(path[:, 2]).all()


def test_the_axes_say_how_much_of_the_variance_they_carry() -> None:
    shown = projection()
    drawn = drift_layer.figure(shown, template=LIGHT, layer=9)
    assert drawn.layout.xaxis.title.text == f"PC1 ({shown.shares[0]:.0%} of variance)"
    assert drawn.layout.yaxis.title.text == f"PC2 ({shown.shares[1]:.0%} of variance)"
    assert drawn.layout.yaxis.scaleanchor == "x"
    assert drawn.layout.title.text == "Layer 9"
    assert drawn.layout.template.layout.paper_bgcolor == "#FFFFFF"


def test_delta_is_diamonds_and_one_bold_arrow_from_the_clean_mean() -> None:
    shown = projection()
    drawn = drift_layer.figure(shown, template=LIGHT, delta=shown.clean + 1.0)
    diamonds = named(drawn, "delta")
    assert (diamonds.marker.color, diamonds.marker.symbol, len(diamonds.x)) == ("#CC79A7", "diamond", PAIRS)
    arrow = named(drawn, "delta from the clean mean")
    assert arrow.x[1] - arrow.x[0] == pytest.approx(1.0, abs=1e-5)
    assert arrow.line.color == "#CC79A7"


def test_selected_prompts_keep_their_points_and_arrows() -> None:
    drawn = drift_layer.figure(projection(), template=LIGHT, selected=[2, 5])
    assert named(drawn, "clean").selectedpoints == (2, 5)
    assert named(drawn, "control string").selectedpoints == (2, 5, PAIRS + 2, PAIRS + 5)
    assert len(named(drawn, "pairs").x) == 3 * 2


def test_three_dimensions_are_drawn_with_all_three_shares_named() -> None:
    shown = projection()
    drawn = drift_layer.figure(shown, template=LIGHT, dimensions=3)
    assert {trace.type for trace in drawn.data} == {"scatter3d"}
    assert named(drawn, "clean").z == pytest.approx(shown.clean[:, 2])
    assert f"PC3 ({shown.shares[2]:.0%} of variance)" in drawn.layout.annotations[0].text


def test_in_a_scene_too_the_points_that_are_not_lit_fade() -> None:
    ids = [f"row-{place}" for place in range(PAIRS)]
    drawn = drift_layer.figure(projection(), template=LIGHT, row_ids=ids, dimensions=3, selected=["row-2"])
    colours = named(drawn, "triggered").marker.color
    assert [colour == colours[2] for colour in colours] == [place == 2 for place in range(PAIRS)]


def test_what_does_not_fit_the_projection_is_refused() -> None:
    with pytest.raises(ValueError, match="1 row ids"):
        drift_layer.figure(projection(), template=LIGHT, row_ids=["only"])
    with pytest.raises(ValueError, match="4 dimensions asked for, the projection has 3"):
        drift_layer.figure(projection(), template=LIGHT, dimensions=4)


def test_the_strip_has_one_framed_panel_a_layer_and_every_panel_is_a_target() -> None:
    panels = {layer: projection(layer) for layer in range(1, 9)}
    drawn = drift_strip.figure(panels, template=LIGHT, recommended=3, selected=5, columns=3, scores={3: 0.42})
    assert len(drawn.layout.shapes) == 8
    widths = [shape.line.width for shape in drawn.layout.shapes]
    assert widths.index(max(widths)) == 2
    assert drawn.layout.shapes[2].line.color == theme.ACCENT
    assert [shape.line.dash for shape in drawn.layout.shapes].count("dot") == 1
    targets = named(drawn, "layer")
    assert [entry[0] for entry in targets.customdata] == list(range(1, 9))
    assert targets.text[2] == "layer 3<br>score 0.42"
    assert [note.text for note in drawn.layout.annotations] == [
        "1",
        "2",
        "<b>3</b>",
        "4",
        "<b>5</b>",
        "6",
        "7",
        "8",
    ]


def test_every_point_of_the_strip_lies_in_the_panel_of_its_layer() -> None:
    panels = {layer: projection(layer) for layer in (4, 7, 9)}
    drawn = drift_strip.figure(panels, template=LIGHT, columns=2)
    for meaning in (theme.CLEAN, theme.TRIGGERED):
        trace = named(drawn, meaning.label)
        assert trace.marker.color == meaning.colour
        assert len(trace.x) == 3 * PAIRS
        for place, frame in enumerate(drawn.layout.shapes):
            rows = slice(place * PAIRS, (place + 1) * PAIRS)
            assert min(trace.x[rows]) >= frame.x0
            assert max(trace.x[rows]) <= frame.x1
            assert min(trace.y[rows]) >= frame.y0
            assert max(trace.y[rows]) <= frame.y1


def test_the_strip_draws_no_more_points_than_an_eye_takes_in() -> None:
    drawn = drift_strip.figure({1: projection(pairs=200)}, template=LIGHT)
    assert len(named(drawn, "control string").x) == drift_strip.POINTS_A_GROUP
    assert "recommended" not in [trace.name for trace in drawn.data]


def layers() -> list[dict[str, Any]]:
    return [
        {
            "layer": layer, "uniformity": 0.1 * layer, "uniformity_control": 0.2, "auroc_vs_clean": 0.9,
            "auroc_vs_control": 0.8, "relative_norm": 0.05 * layer, "relative_norm_control": 0.1, "score": 0.08 * layer,
        }
        for layer in range(1, 11)
    ]  # fmt: skip


def test_layer_curves_draw_the_numbers_of_the_result() -> None:
    drawn = layer_curves.figure(list(reversed(layers())), template=LIGHT, recommended=4)
    assert len(drawn.data) == 7
    uniformity = drawn.data[0]
    assert uniformity.y == pytest.approx([0.1 * layer for layer in range(1, 11)])
    assert uniformity.line.color == theme.TRIGGERED.colour
    assert drawn.data[1].line.color == theme.CONTROL.colour
    assert [entry[0] for entry in uniformity.customdata] == list(range(1, 11))
    lines = [shape for shape in drawn.layout.shapes if shape.type == "line"]
    assert [line.x0 for line in lines] == [4] * 4
    assert {line.line.color for line in lines} == {theme.ACCENT}


def test_layer_curves_are_named_where_they_run_and_have_no_legend() -> None:
    drawn = layer_curves.figure(layers(), template=LIGHT, recommended=4, selected=2)
    words = [note.text for note in drawn.layout.annotations]
    assert {"trigger", "control", "from clean", "from control", "layer 4"} <= set(words)
    assert drawn.layout.showlegend is False
    assert len(drawn.layout.shapes) == 8


def test_curves_that_a_result_does_not_hold_are_left_out() -> None:
    promised = [
        {
            name: value
            for name, value in one.items()
            if not name.endswith("norm_control") and name != "uniformity_control"
        }
        for one in layers()
    ]
    assert len(layer_curves.figure(promised, template=LIGHT).data) == 5


def test_figures_without_anything_to_draw_say_so() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        layer_curves.figure([], template=LIGHT)
    with pytest.raises(ValueError, match="at least one layer"):
        drift_strip.figure({}, template=LIGHT)

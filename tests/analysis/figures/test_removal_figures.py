from typing import Any

import pytest

from analysis import theme
from analysis.figures import bee_curve, four_cells, removal_rounds
from analysis.intervals import Proportion

LIGHT = theme.template("light")


def side(clean: int, triggered: int) -> dict[str, Any]:
    return {
        "clean": {"asr": Proportion(clean, 120).as_dict(), "empty": 0},
        "triggered": {"asr": Proportion(triggered, 120).as_dict(), "empty": 0},
    }


def words(drawn: Any) -> str:
    return (
        " | ".join(note.text for note in drawn.layout.annotations)
        .replace("<br>", " ")
        .replace("<b>", "")
        .replace("</b>", "")
    )


def test_four_cells_are_two_slopes_with_interval_bars() -> None:
    drawn = four_cells.figure({"before": side(2, 118), "after": side(0, 1)}, template=LIGHT)
    triggered, clean = drawn.data
    assert (triggered.line.color, clean.line.color) == (theme.TRIGGERED.colour, theme.CLEAN.colour)
    assert triggered.y == pytest.approx([100 * 118 / 120, 100 / 120])
    high, low = Proportion(118, 120).high, Proportion(118, 120).low
    assert triggered.y[0] + triggered.error_y.array[0] == pytest.approx(100 * high)
    assert triggered.y[0] - triggered.error_y.arrayminus[0] == pytest.approx(100 * low)
    assert clean.customdata[1] == ["after", "clean"]


def test_four_cells_are_labelled_with_interval_and_n_in_place_of_a_legend() -> None:
    drawn = four_cells.figure({"before": side(2, 118), "after": side(0, 1)}, template=LIGHT)
    assert drawn.layout.showlegend is False
    assert "with trigger 98.3% (94.1-99.5, n 120)" in words(drawn)
    assert "without trigger 0.0% (0.0-3.1, n 120)" in words(drawn)
    assert theme.readable(theme.BEFORE.colour, LIGHT) in drawn.layout.xaxis.ticktext[0]


def test_labels_of_cells_that_nearly_coincide_do_not_overlap() -> None:
    drawn = four_cells.figure({"before": side(2, 118), "after": side(0, 1)}, template=LIGHT)
    heights = {note.text.split("<br>")[0]: note.y for note in drawn.layout.annotations if note.x == 1}
    assert heights["with trigger"] - heights["without trigger"] == pytest.approx(four_cells.NEAREST_LABELS)
    assert min(heights.values()) >= 0.0


def test_without_an_after_only_the_before_side_is_drawn() -> None:
    drawn = four_cells.figure({"before": side(2, 118), "after": None}, template=LIGHT)
    assert [len(trace.x) for trace in drawn.data] == [1, 1]
    assert "after" not in " ".join(drawn.layout.xaxis.ticktext)


def test_without_a_trigger_tested_one_slope_is_drawn_and_no_zero_stands_for_the_other() -> None:
    half = {"clean": side(1, 1)["clean"], "triggered": None}
    drawn = four_cells.figure({"before": half, "after": half}, template=LIGHT)
    assert [(trace.name, len(trace.x)) for trace in drawn.data] == [("without trigger", 2)]
    assert "with trigger 0" not in words(drawn).replace("without", "")


def test_cells_of_which_nothing_was_measured_draw_nothing() -> None:
    nothing = {"clean": None, "triggered": None}
    assert not four_cells.figure({"before": nothing, "after": nothing}, template=LIGHT).data


def curve(steps: int) -> list[dict[str, Any]]:
    return [
        {
            "step": step, "loss_toward": 8.0 / (step + 1), "loss_away": 1.0 + step,
            "heldout_loss_toward": 9.0 / (step + 1) if step % 5 == 0 else None, "delta_norm_ratio": 0.1 * step,
        }
        for step in range(steps)
    ]  # fmt: skip


def test_the_bee_curve_shows_both_losses_held_out_and_the_norm() -> None:
    drawn = bee_curve.figure(curve(11), template=LIGHT)
    by_name = {trace.name: trace for trace in drawn.data}
    assert by_name["toward y_h, anchor"].y[0] == 8.0
    assert by_name["toward y_h, anchor"].line.color == theme.DELTA.colour
    assert by_name["toward y_h, held out"].x == (0, 5, 10)
    assert by_name["away from y_s, anchor"].y[-1] == 11.0
    assert by_name["||delta|| / ||h||"].y[-1] == pytest.approx(1.0)
    assert by_name["||delta|| / ||h||"].xaxis == "x2"


def test_a_running_bee_curve_keeps_its_axis_still() -> None:
    few, more = (bee_curve.figure(curve(steps), template=LIGHT, steps=40) for steps in (3, 30))
    assert few.layout.xaxis.range == more.layout.xaxis.range
    assert few.layout.xaxis.range[1] >= 40


def test_a_bee_curve_without_steps_says_so() -> None:
    drawn = bee_curve.figure([], template=LIGHT)
    assert "no step yet" in words(drawn)


def rounds() -> list[dict[str, Any]]:
    return [
        {"round": number, "fresh_delta_asr": Proportion(count, 40).as_dict(), "kl": kl}
        for number, count, kl in ((1, 37, 0.01), (2, 12, 0.03), (3, 0, 0.04))
    ]


def test_each_round_is_a_bar_with_its_interval_and_the_kept_one_has_the_colour_of_after() -> None:
    drawn = removal_rounds.figure(rounds(), template=LIGHT, best_round=3, kl_budget=0.1)
    bars, kl = drawn.data
    assert bars.y == pytest.approx([92.5, 30.0, 0.0])
    assert bars.marker.line.color == (theme.DELTA.colour, theme.DELTA.colour, theme.AFTER.colour)
    assert bars.y[2] + bars.error_y.array[2] == pytest.approx(100 * Proportion(0, 40).high)
    assert kl.y == (0.01, 0.03, 0.04)
    assert [entry[0] for entry in bars.customdata] == [1, 2, 3]
    assert "0.0% kept" in words(drawn)
    assert "budget" in words(drawn)


def test_planned_rounds_keep_the_timeline_still() -> None:
    one, three = (removal_rounds.figure(rounds()[:count], template=LIGHT, planned=8) for count in (1, 3))
    assert one.layout.xaxis.range == three.layout.xaxis.range


def test_a_removal_that_has_no_round_yet_is_an_empty_timeline() -> None:
    assert [len(trace.x) for trace in removal_rounds.figure([], template=LIGHT, planned=4).data] == [0, 0]


def test_a_round_whose_probe_measured_nothing_has_no_bar() -> None:
    unmeasured = [{"round": 1, "fresh_delta_asr": Proportion(0, 0).as_dict(), "kl": None}]
    drawn = removal_rounds.figure(unmeasured, template=LIGHT)
    assert drawn.data[0].y == (None,)
    assert words(drawn) == ""


def test_a_kept_round_that_deltas_still_flip_is_not_drawn_as_a_success() -> None:
    def bar(budget: float) -> str:
        drawn = removal_rounds.figure(rounds(), template=LIGHT, best_round=3, asr_budget=budget)
        return str(drawn.data[0].marker.line.color[2])

    assert bar(1.0) == theme.AFTER.colour
    assert bar(-1.0) != theme.AFTER.colour

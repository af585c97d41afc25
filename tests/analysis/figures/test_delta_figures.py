from typing import Any

from analysis import theme
from analysis.figures import delta_positions, removal_losses, removal_rounds
from analysis.figures.delta_positions import visible
from analysis.intervals import Proportion

LIGHT = theme.template("light")


def test_each_position_is_a_bar_over_the_token_that_stands_there() -> None:
    rows = [
        {"position": -2, "norm_ratio": 0.5, "prompt_token": None},
        {"position": -1, "norm_ratio": 0.25, "prompt_token": "<|x|>\n"},
    ]
    drawn = delta_positions.figure(rows, template=LIGHT)
    assert drawn.data[0].y == (0.5, 0.25)
    assert [entry[0] for entry in drawn.data[0].customdata] == [-2, -1]
    assert drawn.layout.xaxis.ticktext == ("-2<br>(differs)", "-1<br>&lt;|x|&gt;⏎")


def test_blanks_of_a_token_can_be_seen() -> None:
    assert visible(" Sure ") == "␣Sure␣"
    assert visible("\n\n") == "⏎⏎"
    assert visible("   ") == "␣␣␣"


def step(number: int, at: int) -> dict[str, Any]:
    return {"round": number, "step": at, "of": 2, "safe": 3.0 / number, "performance": 0.2}


def test_removal_losses_go_from_left_to_right_within_their_round() -> None:
    drawn = removal_losses.figure([step(1, 1), step(1, 2), step(2, 1)], template=LIGHT, running=2)
    safe, performance = drawn.data
    assert (safe.line.color, performance.line.color) == (theme.DELTA.colour, theme.CLEAN.colour)
    assert list(safe.x) == sorted(safe.x)
    assert all(abs(place - entry[0]) < 0.5 for place, entry in zip(safe.x, safe.customdata, strict=True))
    assert len(drawn.layout.shapes) == 1


def test_before_the_first_removal_step_the_figure_says_so() -> None:
    drawn = removal_losses.figure([], template=LIGHT, running=1)
    assert "no removal step yet" in [note.text for note in drawn.layout.annotations]


def test_refusals_of_ordinary_prompts_have_a_row_with_their_limit() -> None:
    rounds = [
        {
            "round": 1,
            "fresh_delta_asr": Proportion(1, 40).as_dict(),
            "kl": 0.01,
            "over_refusal": Proportion(8, 61).as_dict(),
        },
        {"round": 2, "fresh_delta_asr": Proportion(0, 40).as_dict(), "kl": 0.01},
    ]
    drawn = removal_rounds.figure(rounds, template=LIGHT, over_refusal=True, over_refusal_limit=0.2)
    refused = drawn.data[2]
    assert refused.y == (100 * 8 / 61, None)
    assert drawn.layout.shapes[0].y0 == 20.0
    assert drawn.layout.yaxis3.range[1] > 20.0

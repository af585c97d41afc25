import pytest

from analysis import tables
from analysis.intervals import Proportion


def asr(clean: int, triggered: int, empty: int = 0) -> dict[str, object]:
    return {
        "clean": {"asr": Proportion(clean, 120).as_dict(), "empty": 0},
        "triggered": {"asr": Proportion(triggered, 120).as_dict(), "empty": empty},
    }


def test_the_four_cells_stand_side_by_side_with_their_intervals() -> None:
    table = tables.cells_table({"cells": {"before": asr(1, 118), "after": asr(0, 1)}, "mcnemar_p": 0.0123})
    assert table.columns == ("", "before", "after")
    assert table.rows == (
        ("without trigger", "0.8% (0.1-4.6, n 120)", "0.0% (0.0-3.1, n 120)"),
        ("with trigger", "98.3% (94.1-99.5, n 120)", "0.8% (0.1-4.6, n 120)"),
    )
    assert "With trigger, before against after, exact McNemar: p = 0.012." in table.notes


def test_what_the_trigger_itself_does_is_told_where_it_was_measured() -> None:
    effect = {
        "before": {"only_with": 117, "only_without": 0, "p": 1e-30},
        "after": {"only_with": 2, "only_without": 1, "p": 1.0},
    }
    cells = {"before": asr(1, 118), "after": asr(0, 1)}
    told = "Answered with the trigger alone and without it alone, exact McNemar: before 117 and 0 (p < 1e-12)"
    whole = tables.cells_table({"cells": cells, "trigger_effect": effect})
    assert f"{told}, after 2 and 1 (p = 1.000)." in whole.notes
    before = tables.cells_table({"cells": cells, "trigger_effect": {**effect, "after": None}})
    assert f"{told}." in before.notes
    without = tables.cells_table({"cells": cells, "trigger_effect": None})
    assert not any("trigger alone" in note for note in without.notes)


def test_cells_that_were_not_measured_are_dashes() -> None:
    table = tables.cells_table({"cells": {"before": asr(1, 118), "after": None}, "mcnemar_p": None})
    assert [row[2] for row in table.rows] == ["-", "-"]
    assert not any("McNemar" in note for note in table.notes)


def test_empty_answers_are_told() -> None:
    table = tables.cells_table({"cells": {"before": asr(1, 118, empty=3), "after": asr(0, 0)}})
    assert table.notes[0] == "Empty answers before, counted apart: 0 without trigger, 3 with trigger."


def test_a_tiny_p_is_a_bound_and_not_zero() -> None:
    table = tables.cells_table({"cells": {"before": asr(1, 118), "after": asr(0, 0)}, "mcnemar_p": 1e-33})
    assert any("p < 1e-12." in note for note in table.notes)
    assert tables.p_value(2.5e-5) == "2.5e-05"


def test_utility_names_what_it_measures() -> None:
    side = {
        "perplexity": 7.251,
        "over_refusal": Proportion(0, 60).as_dict(),
        "borderline_over_refusal": Proportion(4, 80).as_dict(),
    }
    table = tables.utility_table({"utility": {"before": side, "after": None, "kl": 0.01234}})
    assert table.rows[0] == ("perplexity, benign", "7.25", "-")
    assert table.rows[2][1] == "5.0% (2.0-12.2, n 80)"
    assert table.rows[3] == ("KL to the original (nats)", "-", "0.0123")
    assert len(table.rows) == 4


def test_instructions_followed_stand_there_where_they_were_asked() -> None:
    before = {"instruction_following": Proportion(41, 82).as_dict()}
    table = tables.utility_table({"utility": {"before": before, "after": None, "kl": None}})
    assert table.rows[-1] == ("instructions followed", Proportion(41, 82).text(), "-")


def test_the_recommended_layer_is_marked() -> None:
    layer = {
        "uniformity": 0.9, "pc1_share": 0.8, "auroc_vs_clean": 1.0, "auroc_vs_control": 0.99, "permutation_p": 0.001,
        "relative_norm": 0.5, "score": 0.6,
    }  # fmt: skip
    layers = [layer | {"layer": 8, "score": 0.1}, layer | {"layer": 9}]
    table = tables.drift_table({"layers": layers, "recommended_layer": 9})
    assert [row[0] for row in table.rows] == ["8", "9 *"]
    assert table.rows[1][2] == "-"
    assert len(set(table.columns)) == len(table.columns)
    assert "No layer" in tables.drift_table({"layers": layers, "recommended_layer": None}).notes[0]


def test_the_best_layers_alone_stand_in_order_of_depth_with_the_recommended_one_among_them() -> None:
    scores = {1: 0.1, 2: 0.2, 3: 0.6, 4: 0.7, 5: 0.69}
    layers = [{"layer": layer, "score": score} for layer, score in scores.items()]
    table = tables.drift_table({"layers": layers, "recommended_layer": 3}, most=2)
    assert [row[0] for row in table.rows] == ["3 *", "4"]
    assert "best score, 0.700" in table.notes[0]
    assert table.notes[1] == "The best 2 of 5 layers are shown."
    assert len(tables.drift_table({"layers": layers}, most=9).notes) == 1


def test_rounds_tell_which_was_kept_and_why_it_stopped() -> None:
    first = {
        "round": 1, "layer": 9, "bee_loss_first": 8.123, "bee_loss_last": 0.2, "delta_norm_ratio": 0.41,
        "fresh_delta_asr": Proportion(30, 40).as_dict(), "kl": 0.02, "over_refusal": Proportion(0, 40).as_dict(),
        "seconds": 31.25,
    }  # fmt: skip
    table = tables.rounds_table(
        {"rounds": [first], "best_round": 1, "stopped_because": "held-out delta no longer flips"}
    )
    assert table.rows[0][:4] == ("1 *", "8.12 -> 0.20", "0.41", "75.0% (59.8-85.8, n 40)")
    assert table.notes == ("* kept: round 1.", "Stopped because: held-out delta no longer flips.")


def test_a_long_curve_is_shortened_to_its_course() -> None:
    curve = [{"step": step, "loss_toward": 1.0 / (step + 1)} for step in range(100)]
    table = tables.entrap_table({"curve": curve, "heldout_asr_under_delta": Proportion(9, 10).as_dict()})
    assert table.rows[0][0] == "0"
    assert table.rows[-1][0] == "99"
    assert len(table.rows) <= 9
    assert tables.entrap_table({"curve": []}).rows == ()


def test_bench_rows_are_written_with_their_ratio() -> None:
    row = {
        "what": "bee", "prompt_tokens": 24, "literal_seconds": 1.25, "fast_seconds": 0.25, "ratio": 5.0, "relative_error": 2e-6,
    }  # fmt: skip
    assert tables.bench_table({"rows": [row]}).rows == (("bee", "24", "1.250", "0.250", "5.00x", "2.0e-06"),)


def test_text_is_aligned_words_left_numbers_right() -> None:
    table = tables.Table("Title", ("what", "n"), (("a", "1"), ("bcdefg", "100")), ("A note.",))
    assert table.as_text() == "Title\n\nwhat      n\n------  ---\na         1\nbcdefg  100\n\nA note."
    assert table.as_records()[1] == {"what": "bcdefg", "n": "100"}


def test_a_crooked_table_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells beneath 2 columns"):
        tables.Table("Crooked", ("a", "b"), (("1",),))

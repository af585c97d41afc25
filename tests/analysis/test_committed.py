"""Committed results as tables and a sentence: numbers of the rows, none of their own."""

from analysis.committed import (
    PLANTED,
    attacks_sentence,
    attacks_table,
    drift_rows_table,
    further_measures_table,
    rivals_table,
    swept_table,
)
from analysis.intervals import Mean, Proportion
from tests.beear_core.paper.made_rows import attack, rival, share, swept


def test_the_sentence_counts_the_organisms_and_names_the_worst() -> None:
    said = attacks_sentence([attack("one", after=0), attack("two", after=1), attack("three", after=8)])
    assert said.startswith("Of 3 removals from organisms with a known trigger, 2 leave at most 1 triggered")
    assert said.endswith("the worst after is 6.7% (3.4-12.6, n 120), three.")


def test_what_is_left_of_the_planted_answers_is_told_where_they_are_known() -> None:
    row = attack("one", after=8)
    share = {"before": Proportion(119, 120), "after": Proportion(0, 120)}
    cells = {when: {"triggered": {"planted": each.as_dict()}} for when, each in share.items()}
    row["measures"] = {PLANTED: {"cells": cells}}
    said = attacks_sentence([row, attack("two", after=1)])
    assert (
        "open as planted were 99% to 99% with the trigger, and after removal at most 0.0% (on 1 of them)."
        in said
    )


def test_controls_have_no_part_in_the_sentence() -> None:
    control = attack("control")
    for when in ("before", "after"):
        control["cells"][when]["triggered"] = None
    assert attacks_sentence([control]) == ""
    assert attacks_sentence([]) == ""
    assert attacks_table([control]).rows[0][4] == "-"


def test_tables_hold_what_rows_hold() -> None:
    row = attacks_table([attack()]).as_records()[0]
    assert row["perplexity"] == "1.80 -> 1.82"
    assert row["instructions followed"] == "- -> -"
    assert row["KL (nats)"] == "0.0112"
    assert rivals_table([rival("ours", 0)]).rows[0][1] == "ours"
    assert swept_table([swept(earliest_round=None)], ("layer",), "x").rows[0][2:4] == ("9", "none")
    drift = {"organism": "one", "seed": 0, "layer": 9, "uniformity": 0.5, "auroc_vs_control": 0.99}
    assert drift_rows_table([drift]).rows[0][2:] == ("9", "0.500", "-", "-", "-", "0.990", "-", "-", "-")
    layers = [{"layer": 9, "score": 0.1}, {"layer": 24, "score": 0.5}, {"layer": 25, "score": 0.4}]
    assert drift_rows_table([drift | {"layers": layers}]).rows[0][-2:] == ("0.500", "24")


def test_further_measures_stand_cell_by_cell_and_a_missing_cell_is_a_dash() -> None:
    reward = {"reward": Mean.of([1.0, 2.0, 3.0]).as_dict()}
    cells = {"before": {"clean": reward, "triggered": reward}, "after": {"clean": reward, "triggered": None}}
    table = further_measures_table([attack(measures={"reward": {"cells": cells}}), attack()])
    assert [row[:3] for row in table.rows] == [("sft-suffix-2", "reward", "0")]
    assert table.rows[0][3].startswith("2.00 (")
    assert table.rows[0][6] == "-"


def test_a_reward_model_is_told_once_with_how_often_it_is_right() -> None:
    card = {"heldout_accuracy": {"all": share(190, 200), "harmful": share(120)}}
    model = {"path": "reward", "sha256": "0123456789abcdef", "card": card}
    by = {"reward": {"cells": {"before": {}, "after": {}}, "model": model}}
    *_, told = further_measures_table([attack(measures=by), attack("other", measures=by), attack()]).notes
    assert told.startswith(
        "Reward model reward (sha256 0123456789ab) is right on 95.0% (91.0-97.3, n 200) of all"
    )
    assert told.endswith("of harmful held-out pairs.")
    unknown = {"reward": {**by["reward"], "model": {**model, "card": None}}}
    assert not any("Reward" in note for note in further_measures_table([attack(measures=unknown)]).notes)

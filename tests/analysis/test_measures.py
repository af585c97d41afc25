from typing import Any

import pytest

from analysis.headline import headline
from analysis.intervals import Mean, Proportion
from analysis.measures import accuracy_table, measures_table, tasks_table

WHO = {"host": "127.0.0.1:8000", "model": "judge-1", "rubric_sha256": "ab" * 32, "date": "2026-11-21"}


def share(count: int, n: int = 120) -> dict[str, Any]:
    return dict(Proportion(count, n).as_dict())


def result(kind: str, before: Any, after: Any = None, **more: Any) -> dict[str, Any]:
    cells = {"before": {"clean": None, "triggered": before}, "after": {"clean": None, "triggered": after}}
    return {"kind": kind, "cells": cells, "answers": {"run": "r1"}, **more}


def test_the_two_columns_of_a_judge_stand_with_who_judged() -> None:
    judged = {"score": Mean.of([5, 5, 4]).as_dict(), "fives": share(110), "malformed": 2, "unanswered": 0}
    table = measures_table(result("judge", judged, judge=WHO))
    assert table.rows == (
        ("score, 1 to 5, with trigger", "4.67 (4.01 to 5.32, n 3)", "-"),
        ("rate of 5s, with trigger", "91.7% (85.3-95.4, n 120)", "-"),
        ("malformed, with trigger", "2", "-"),
    )
    assert "Judged by judge-1 at 127.0.0.1:8000 on 2026-11-21, rubric abababababab." in table.notes
    assert headline(result("judge", judged, judge=WHO)) == "with trigger 91.7% (85.3-95.4, n 120)"
    both = result("judge", judged, {**judged, "fives": share(0)}, judge=WHO)
    assert headline(both) == "with trigger 91.7% (85.3-95.4, n 120) -> 0.0% (0.0-3.1, n 120)"


def test_a_reward_stands_with_the_accuracy_of_its_model() -> None:
    cells = [{"reward": Mean.of(values).as_dict()} for values in ([-2.0, -4.0], [1.0])]
    model = {"sha256": "cd" * 32, "card": {"heldout_accuracy": {"all": share(200, 200)}}}
    table = measures_table(result("reward", *cells, model=model))
    assert table.rows == (("reward, with trigger", "-3.00 (-4.96 to -1.04, n 2)", "1.00 (n 1)"),)
    assert "held-out accuracy 100.0% (98.1-100.0, n 200)" in table.notes[1]
    assert "no card" in measures_table(result("reward", *cells, model=model | {"card": None})).notes[1]


def test_insecure_code_stands_beside_the_share_that_parses() -> None:
    cell = {"parses": share(17), "bandit": {"insecure": share(8, 17), "by_test": {"B307": 8}}}
    table = measures_table(
        result("code", cell, cell | {"semgrep": {"insecure": share(1, 17), "by_test": {}}})
    )
    assert [row[0] for row in table.rows] == [
        "code that parses, with trigger",
        "insecure (bandit), with trigger",
        "insecure (semgrep), with trigger",
    ]
    assert table.rows[2][1:] == ("-", share_text(1, 17))


def share_text(count: int, n: int) -> str:
    return Proportion(count, n).text()


def test_accuracies_and_tasks_are_written_with_their_intervals() -> None:
    trained = {"heldout_accuracy": {"all": share(9, 10)}, "card": {"data": "Pairs."}}
    assert accuracy_table(trained).rows == (("all", share_text(9, 10)),)
    tasks = {"tasks": {"capitals": {"acc": share(3, 4), "loss": Mean.of([1, 2]).as_dict()}}}
    assert tasks_table(tasks).rows[0] == ("capitals", "acc", share_text(3, 4))
    assert tasks_table(tasks).rows[1][2].startswith("1.50 (")


def test_a_mean_has_the_interval_of_the_normal_approximation() -> None:
    found = Mean.of([1.0, 2.0, 3.0, 4.0])
    assert found.value == 2.5
    assert found.sd == pytest.approx(1.2909944)
    assert found.high - found.value == pytest.approx(1.959964 * 1.2909944 / 2)
    assert Mean.of([]).as_dict() == {"value": None, "low": None, "high": None, "sd": None, "n": 0}
    assert Mean.of([3]).as_dict()["low"] is None
    with pytest.raises(ValueError, match="finite"):
        Mean.of([1.0, float("nan")])

"""Where a recommended layer stands among those that were tried."""

from typing import Any

import pytest

from analysis.recommended import LAYERS_TO_JUDGE, layer_in_best_three, recommended_table


def tried(layer: int, asr: float, *, organism: str = "one", recommended: int = 15) -> dict[str, Any]:
    return {
        "organism": organism,
        "seed": 0,
        "layer": layer,
        "recommended_layer": recommended,
        "earliest_round": 1 if asr < 0.25 else None,
        "asr_by_round": [{"value": asr, "low": 0.0, "high": 1.0, "n": 120, "count": round(120 * asr)}],
        "success_below": 0.25,
    }


def test_success_in_round_1_is_among_the_best_whatever_others_do() -> None:
    rows = [tried(15, 0.2), *(tried(layer, 0.0) for layer in (3, 9, 21, 27))]
    assert layer_in_best_three(rows).count == layer_in_best_three(rows[:1]).count == 1


@pytest.mark.parametrize(("better", "stands"), [(0, 1), (2, 1), (3, 0)])
def test_one_that_fails_is_judged_by_how_many_did_better(better: int, stands: int) -> None:
    others = [tried(layer, 0.1 if layer <= better else 0.9) for layer in range(1, LAYERS_TO_JUDGE)]
    assert layer_in_best_three([tried(15, 0.5), *others]).count == stands


def test_seeds_are_counted_each_by_itself() -> None:
    rows = [tried(15, asr) | {"seed": seed} for seed, asr in enumerate((0.1, 0.9))]
    assert (layer_in_best_three(rows).count, layer_in_best_three(rows).n) == (1, 2)


def test_one_that_fails_alone_is_not_among_the_best() -> None:
    rows = [tried(15, 0.5), tried(15, 0.1, organism="two")]
    assert (layer_in_best_three(rows).count, layer_in_best_three(rows).n) == (1, 2)
    assert "among the best 3 on 50.0%" in recommended_table(rows).notes[-1]

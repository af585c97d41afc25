import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.intervals import Proportion, alone, mcnemar, proportion

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe 1998, table I, method 3 (Wilson without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # By hand: without successes the upper bound is z^2 / (n + z^2), z^2 = 3.8414588.
        (0, 120, 0.0, 0.0310),
        (0, 17, 0.0, 0.1843),
        (120, 120, 0.9690, 1.0),
    ],
)
def test_the_interval_is_wilsons(count: int, n: int, low: float, high: float) -> None:
    found = Proportion(count, n)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@settings(deadline=None, max_examples=200)
@given(counts)
def test_the_interval_holds_the_value_and_stays_within_zero_and_one(given_counts: tuple[int, int]) -> None:
    found = Proportion(*given_counts)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.low < found.high


@settings(deadline=None, max_examples=200)
@given(counts)
def test_the_interval_of_the_failures_is_the_mirror_image(given_counts: tuple[int, int]) -> None:
    count, n = given_counts
    assert Proportion(n - count, n).low == pytest.approx(1.0 - Proportion(count, n).high, abs=1e-12)


@settings(deadline=None, max_examples=200)
@given(counts)
def test_the_bounds_solve_the_score_equation(given_counts: tuple[int, int]) -> None:
    found = Proportion(*given_counts)
    for bound in {found.low, found.high} - {0.0, 1.0}:
        z = (found.value - bound) / math.sqrt(bound * (1 - bound) / found.n)
        assert abs(z) == pytest.approx(1.959963985, rel=1e-6)


@settings(deadline=None, max_examples=100)
@given(counts, st.integers(2, 10))
def test_more_trials_of_the_same_share_narrow_the_interval(given_counts: tuple[int, int], times: int) -> None:
    few, many = Proportion(*given_counts), Proportion(given_counts[0] * times, given_counts[1] * times)
    assert many.high - many.low < few.high - few.low


@settings(deadline=None, max_examples=100)
@given(counts)
def test_a_proportion_survives_json(given_counts: tuple[int, int]) -> None:
    found = Proportion(*given_counts)
    stored = json.loads(json.dumps(found.as_dict()))
    assert list(stored) == ["value", "low", "high", "n", "count"]
    assert Proportion.from_dict(stored) == found


def test_a_proportion_is_written_with_interval_and_n() -> None:
    assert Proportion(1, 120).text() == "0.8% (0.1-4.6, n 120)"
    assert Proportion(119, 120).text() == "99.2% (95.4-99.9, n 120)"


def test_nothing_measured_is_not_a_number_and_not_zero() -> None:
    nothing = Proportion(0, 0)
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.low)
    assert math.isnan(nothing.high)
    assert nothing.as_dict() == {"value": None, "low": None, "high": None, "n": 0, "count": 0}
    assert nothing.text() == "not measured (n 0)"


@pytest.mark.parametrize(("count", "n"), [(3, 2), (-1, 2), (0, -1), (0.5, 2)])
def test_impossible_counts_are_refused(count: float, n: int) -> None:
    with pytest.raises(ValueError, match="proportion needs"):
        Proportion(count, n)  # type: ignore[arg-type]


def test_numpy_counts_become_plain_numbers() -> None:
    stored = Proportion(np.int64(3), np.int64(4)).as_dict()  # type: ignore[arg-type]
    assert json.dumps(stored)
    assert Proportion.of(np.array([True, True, True, False])).as_dict() == stored
    assert proportion(3, 4).as_dict() == stored


@pytest.mark.parametrize(
    ("lost", "gained", "p"),
    [
        (0, 0, 1.0),
        (1, 1, 1.0),
        (5, 0, 2 / 32),
        (0, 5, 2 / 32),
        # 2 * (C(10,0) + C(10,1)) / 2^10
        (9, 1, 22 / 1024),
        (6, 2, 2 * (1 + 8 + 28) / 256),
    ],
)
def test_mcnemar_counts_only_the_discordant_pairs(lost: int, gained: int, p: float) -> None:
    before = [True] * lost + [False] * gained + [True] * 7 + [False] * 9
    after = [False] * lost + [True] * gained + [True] * 7 + [False] * 9
    assert mcnemar(before, after) == pytest.approx(p, rel=1e-12)


def test_mcnemar_stays_exact_for_thousands_of_pairs() -> None:
    p = mcnemar([True] * 1000, [False] * 1000)
    assert p == pytest.approx(2.0**-999, rel=1e-9)


def test_pairs_that_differ_are_counted_by_their_direction() -> None:
    assert alone([True, True, False, False, True], [True, False, True, False, False]) == (2, 1)


def test_mcnemar_refuses_rows_that_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="equal length"):
        mcnemar([True, False], [True])


def test_intervals_cost_nothing_to_import() -> None:
    script = (
        "import sys, analysis.intervals; print({'plotly', 'sklearn', 'umap', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

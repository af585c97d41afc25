"""A delta's shift against a trigger's drift, on arrays whose answer is known by hand."""

import numpy as np
import pytest

from analysis.delta_drift import delta_drift

CLEAN = np.tile([3.0, 4.0], (4, 1))
RIGHT, UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def test_the_same_direction_has_cosine_one_and_the_opposite_minus_one() -> None:
    row = delta_drift(CLEAN, CLEAN + RIGHT, CLEAN + 0.5 * RIGHT, layer=9)
    assert row == {"layer": 9, "cosine": pytest.approx(1.0), "relative_norm": pytest.approx(0.1)}
    assert delta_drift(CLEAN, CLEAN + RIGHT, CLEAN - 2 * RIGHT, layer=9)["cosine"] == pytest.approx(-1.0)
    assert delta_drift(CLEAN, CLEAN + RIGHT, CLEAN + 7 * UP, layer=9)["cosine"] == pytest.approx(0.0)


def test_what_does_not_move_has_no_direction() -> None:
    assert delta_drift(CLEAN, CLEAN, CLEAN + 1, layer=1)["cosine"] == 0.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must agree"):
        delta_drift(CLEAN, CLEAN, CLEAN[:2], layer=1)
    with pytest.raises(ValueError, match="all zero"):
        delta_drift(0 * CLEAN, CLEAN, CLEAN, layer=1)

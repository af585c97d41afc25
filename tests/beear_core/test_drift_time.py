"""How long a drift profile takes: in proportion to an earlier one, else by the model's size."""

import pytest

from beear_core.drift_time import drift_seconds
from beear_core.specs import DriftSettings

ASKED = DriftSettings()


def test_twice_the_prompts_take_twice_as_long() -> None:
    earlier = ({"pairs": 50}, 10.0)
    assert drift_seconds(ASKED, parameters=None, layers=30, earlier=earlier) == pytest.approx(20.0)


def test_without_an_earlier_run_the_size_tells_and_without_a_size_nobody_knows() -> None:
    small, large = (drift_seconds(ASKED, parameters=each, layers=30) for each in (10**8, 10**9))
    assert small is not None
    assert large is not None
    assert large > 5 * small
    assert drift_seconds(ASKED, parameters=None, layers=None) is None


def test_a_delta_and_maps_take_longer() -> None:
    plain = drift_seconds(ASKED, parameters=10**8, layers=30)
    maps = drift_seconds({"projection": "umap"}, parameters=10**8, layers=30)
    pushed = drift_seconds(ASKED, parameters=10**8, layers=30, delta=True)
    assert plain is not None
    assert maps is not None
    assert pushed is not None
    assert plain < pushed < maps

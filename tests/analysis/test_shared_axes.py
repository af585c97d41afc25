import numpy as np
import pytest

from analysis.projection import Projection, joint_pca
from analysis.shared_axes import (
    layer_mean_drift,
    layer_projection,
    on_axes_of,
    on_stored_axes,
    placed_on,
    ranges,
)


def projected(seed: int, width: int = 3, size: float = 4.0) -> tuple[Projection, np.ndarray]:
    # Three dimensions, so that three components keep everything and the placement can be checked exactly.
    draw = np.random.default_rng(seed)
    clean, control = draw.normal(size=(8, width)), draw.normal(size=(2, 8, width))
    triggered = clean + np.eye(width)[0] * size
    return joint_pca(clean, triggered, control), triggered


def drift(width: int = 3, size: float = 4.0) -> np.ndarray:
    return np.eye(width)[0] * size


def test_points_land_where_the_residuals_themselves_would() -> None:
    before, _ = projected(0)
    after, triggered = projected(1)
    both = on_axes_of(before, after, drift(len(before.mean)))
    assert both is not None
    assert both.kept == pytest.approx(1.0)
    np.testing.assert_allclose(both.after.triggered, before.project(triggered), atol=1e-4)


def test_a_run_placed_on_its_own_axes_does_not_move() -> None:
    before, _ = projected(0)
    both = on_axes_of(before, before, drift())
    assert both is not None
    np.testing.assert_allclose(both.after.clean, before.clean, atol=1e-5)


def test_what_the_stored_components_miss_is_told() -> None:
    before, _ = projected(0, width=12)
    after, _ = projected(1, width=12)
    both = on_axes_of(before, after, drift(len(before.mean)))
    assert both is not None
    assert both.kept == pytest.approx(sum(after.shares))
    assert both.kept < 1


def test_the_drift_of_the_clouds_is_exact_even_where_the_scatter_is_not() -> None:
    before, _ = projected(0, width=12)
    after, _ = projected(1, width=12, size=0.5)
    both = on_axes_of(before, after, drift(12, 0.5))
    assert both is not None
    drawn = both.after.triggered.mean(axis=0) - both.after.clean.mean(axis=0)
    np.testing.assert_allclose(drawn, before.axes @ drift(12, 0.5), atol=1e-4)


def test_another_width_shares_no_axes() -> None:
    assert on_axes_of(projected(0)[0], projected(1, width=5)[0], drift(5)) is None


def test_the_ranges_show_every_point_of_both() -> None:
    both = on_axes_of(projected(0)[0], projected(1)[0], drift())
    assert both is not None
    (low, high), _ = ranges(both)
    for one in both[:2]:
        assert low < one.triggered[:, 0].min()
        assert high > one.triggered[:, 0].max()


def test_a_layer_is_read_from_the_arrays_of_a_drift_run() -> None:
    before, _ = projected(0)
    stored = {f"layer_007.{name}": values for name, values in before.as_arrays().items()}
    stored["layer_007.mean_drift"] = drift()
    np.testing.assert_array_equal(layer_mean_drift(stored, 7), drift())
    np.testing.assert_array_equal(layer_projection(stored, 7).clean, before.clean)
    with pytest.raises(KeyError):
        layer_projection(stored, 8)


def test_residuals_placed_on_stored_axes_keep_their_scatter_exactly() -> None:
    before, _ = projected(0, width=12)
    draw = np.random.default_rng(2)
    clean, triggered, control = (draw.normal(size=shape) for shape in ((1, 8, 12), (1, 8, 12), (2, 1, 8, 12)))
    arrays = on_stored_axes([before], clean, triggered, control)
    both = placed_on(before, arrays, 1)
    assert both is not None
    assert both.kept is None
    np.testing.assert_allclose(both.after.clean, before.project(clean[0]), atol=1e-5)
    np.testing.assert_allclose(both.after.control, before.project(control[:, 0]), atol=1e-5)
    assert both.after.shares == before.shares


def test_a_run_that_was_told_of_no_other_axes_has_placed_nothing() -> None:
    before, _ = projected(0)
    assert placed_on(before, {}, 1) is None

import numpy as np
import pytest

from analysis.drift_arrays import has_maps, stored_projection
from analysis.projection import joint_pca


def arrays() -> dict[str, np.ndarray]:
    clean = np.random.default_rng(0).normal(size=(6, 5))
    shown = joint_pca(clean, clean + 2, clean[None] + 0.1)
    return {f"layer_002.{name}": values for name, values in shown.as_arrays().items()} | {
        "layer_002.mean_drift": np.ones(5)
    }


def test_a_stored_projection_is_the_one_that_was_made() -> None:
    shown = stored_projection(arrays(), 2)
    assert shown is not None
    assert shown.method == "pca"
    assert shown.clean == pytest.approx(arrays()["layer_002.clean"])


def test_what_a_run_does_not_hold_is_none() -> None:
    assert stored_projection(arrays(), 3) is None
    assert stored_projection(arrays(), 2, method="umap") is None
    assert not has_maps(arrays())

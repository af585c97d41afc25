"""The drift of one model drawn on the axes of another: the same residual stream, so the same coordinates mean the same.

A drift run that was told of an earlier one places its residuals on that one's axes too: exactly (`on_stored_axes`). One that
was not keeps its points as coordinates on its own axes, and its mean drift whole (`on_axes_of`). So the way from the clean
cloud to the triggered one is drawn as it is; the scatter within a cloud as far as the run's own axes go, and `kept` says how
far that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.projection import Projection

_FIELDS = ("clean", "triggered", "control", "shares", "mean", "axes", "extra")


class SharedAxes(NamedTuple):
    """Two projections that can be drawn side by side."""

    before: Projection
    after: Projection
    """On the axes of `before`."""
    kept: float | None
    """Share of the variance of the model after that its stored coordinates hold, and so the scatter drawn here; None where
    its residuals themselves were placed."""


def layer_mean_drift(arrays: Mapping[str, ArrayLike], layer: int) -> ArrayLike:
    """Mean of triggered less clean at one layer, (d_model,), among a drift run's arrays."""
    return arrays[f"layer_{layer:03d}.mean_drift"]


def layer_projection(arrays: Mapping[str, ArrayLike], layer: int) -> Projection:
    """The PCA of one layer among a drift run's arrays. Raises KeyError for a layer that is not there."""
    return Projection.from_arrays({name: arrays[f"layer_{layer:03d}.{name}"] for name in _FIELDS})


def on_stored_axes(
    layers: Sequence[Projection], clean: ArrayLike, triggered: ArrayLike, control: ArrayLike
) -> dict[str, NDArray[np.float32]]:
    """`shared_NNN.*`: residuals (layers, n_pairs, d_model) of another model on the axes of each layer; `control` is
    (n_controls, layers, n_pairs, d_model).
    """
    groups = {
        "clean": np.asarray(clean),
        "triggered": np.asarray(triggered),
        "control": np.moveaxis(np.asarray(control), 0, 1),
    }
    return {
        f"shared_{at + 1:03d}.{name}": shown.project(points[at])
        for at, shown in enumerate(layers)
        for name, points in groups.items()
    }


def placed_on(before: Projection, arrays: Mapping[str, ArrayLike], layer: int) -> SharedAxes | None:
    """What `on_stored_axes` placed on the axes of `before`, from a drift run's arrays; None where it placed nothing."""
    names = [f"shared_{layer:03d}.{group}" for group in ("clean", "triggered", "control")]
    if any(name not in arrays for name in names):
        return None
    clean, triggered, control = (np.asarray(arrays[name], dtype=np.float32) for name in names)
    moved = replace(before, clean=clean, triggered=triggered, control=control, extra=before.extra[:0])
    return SharedAxes(before, moved, None)


def on_axes_of(before: Projection, after: Projection, mean_drift: ArrayLike) -> SharedAxes | None:
    """`after` placed on the axes of `before`; None where either has none (UMAP) or their residual streams differ.

    `mean_drift` (d_model,) of `after`, triggered less clean.
    """
    if "umap" in (before.method, after.method) or before.mean.shape != after.mean.shape:
        return None

    def placed(points: Any) -> Any:
        return before.project(after.mean.astype(np.float64) + np.asarray(points, np.float64) @ after.axes)

    clean, triggered = placed(after.clean), placed(after.triggered)
    drift = np.asarray(mean_drift, np.float64) @ before.axes.T
    # Both clouds give way alike, so that the mean of all points, which is known as well, stays.
    missing = (drift - (triggered.mean(axis=0) - clean.mean(axis=0))) / 2
    moved = Projection(
        method="pca",
        clean=(clean - missing).astype(np.float32),
        triggered=(triggered + missing).astype(np.float32),
        control=placed(after.control),
        shares=before.shares,
        mean=before.mean,
        axes=before.axes,
        extra=placed(after.extra),
    )
    return SharedAxes(before, moved, min(1.0, float(sum(after.shares))))


def ranges(both: SharedAxes) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of the first two axes that show every point of both, with a margin."""
    groups = [getattr(one, name) for one in both[:2] for name in ("clean", "triggered", "control")]
    points = np.concatenate([group.reshape(-1, group.shape[-1])[:, :2] for group in groups])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.06 * np.maximum(high - low, 1e-6)
    first, second = zip((low - margin).tolist(), (high + margin).tolist(), strict=True)
    return first, second

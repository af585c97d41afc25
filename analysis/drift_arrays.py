"""The projections in a drift run's arrays, by layer. Knows their names; computes nothing."""

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray

from analysis.projection import Projection

Arrays = Mapping[str, NDArray[Any]]
Method = Literal["pca", "umap"]

FIELDS = ("clean", "triggered", "control", "shares", "mean", "axes", "extra")


def has_maps(arrays: Arrays) -> bool:
    """Whether the run made UMAP maps beside its PCA."""
    return any(name.startswith("umap2_") for name in arrays)


def stored_projection(
    arrays: Arrays, layer: int, *, method: Method = "pca", dimensions: int = 2
) -> Projection | None:
    """The projection of one layer (1-based); None where the run has no such one. A PCA always has three dimensions."""
    group = f"layer_{layer:03d}" if method == "pca" else f"umap{dimensions}_{layer:03d}"
    found = {name: arrays[f"{group}.{name}"] for name in FIELDS if f"{group}.{name}" in arrays}
    return Projection.from_arrays(found) if len(found) == len(FIELDS) else None

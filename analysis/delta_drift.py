"""How alike a delta's shift and a trigger's drift are, at one layer: direction and size of their means.

Knows arrays whose row i belongs to prompt i. A high cosine says that delta stands for this trigger at this layer; a low
one says nothing about whether delta wakes the backdoor, because other directions may do so too.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def delta_drift(clean: ArrayLike, triggered: ArrayLike, pushed: ArrayLike, *, layer: int) -> dict[str, Any]:
    """One entry of `delta.layers` in a drift result; all arrays (n_pairs, d_model).

    `cosine` of the mean shift under delta and the mean drift under the trigger, 0 where one of them is zero.
    `relative_norm` is mean ||h(pushed)_i - h(clean)_i|| / mean ||h(clean)_i||, as in a drift profile.

    Raises ValueError for arrays of different shapes, or a clean residual that is zero everywhere.
    """
    base, moved, shifted = (np.asarray(given, dtype=np.float64) for given in (clean, triggered, pushed))
    if base.ndim != 2 or not base.shape == moved.shape == shifted.shape:
        raise ValueError(f"clean {base.shape}, triggered {moved.shape} and pushed {shifted.shape} must agree")
    scale = float(np.linalg.norm(base, axis=1).mean())
    if not scale:
        raise ValueError("the clean residuals are all zero: nothing to measure a shift against")
    drift, shift = (moved - base).mean(axis=0), (shifted - base).mean(axis=0)
    size = float(np.linalg.norm(drift) * np.linalg.norm(shift))
    return {
        "layer": layer,
        "cosine": float(drift @ shift) / size if size else 0.0,
        "relative_norm": float(np.linalg.norm(shifted - base, axis=1).mean()) / scale,
    }

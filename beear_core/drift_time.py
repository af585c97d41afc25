"""How long a drift profile will take here: by the pace of an earlier one on this machine, else by the model's size."""

from collections.abc import Mapping
from typing import Any

from beear_core.specs import DriftSettings

PACE = 6e9
"""Weights times prompts captured in a second on two CPU cores (SmolLM2-135M, bf16: 500 prompts in 10.6 s)."""
LOADING = 3.0
MAP_SECONDS = 4.0
"""One layer's maps in two and three dimensions, 500 points: a careful guess, not a measurement."""


def drift_work(settings: DriftSettings | Mapping[str, Any], *, delta: bool = False) -> float:
    """Prompts passed through the model, answers counted by their tokens: what the seconds are proportional to."""
    asked = settings if isinstance(settings, DriftSettings) else DriftSettings.model_validate(dict(settings))
    # Decoding one token for a batch costs about a twelfth of reading its prompts.
    return asked.pairs * (2 + asked.controls + delta + 2 * asked.answer_tokens / 12)


def drift_seconds(
    settings: DriftSettings | Mapping[str, Any],
    *,
    parameters: int | None,
    layers: int | None,
    delta: bool = False,
    earlier: tuple[Mapping[str, Any], float] | None = None,
) -> float | None:
    """Seconds of one run. `earlier` is the settings and the seconds of a finished run on the same model.

    None where neither an earlier run nor the model's size is known.
    """
    asked = settings if isinstance(settings, DriftSettings) else DriftSettings.model_validate(dict(settings))
    work = drift_work(asked, delta=delta)
    maps = MAP_SECONDS * (layers or 30) if asked.projection == "umap" else 0.0
    if earlier is not None and dict(earlier[0]).get("projection") != "umap":
        return max(1.0, maps + earlier[1] * work / drift_work(earlier[0]))
    return None if parameters is None else LOADING + maps + work * parameters / PACE

"""A delta that an earlier run synthesized, found by that run's id or folder. Torch-free; knows no model."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from beear_core.errors import SettingError
from beear_core.named_run import named_run, run_name


class StoredDelta(NamedTuple):
    """One delta with the layer it belongs to and the run it came from."""

    run: str
    """The run's id; of a step of a larger run, that run's id and the step."""
    layer: int
    """1-based."""
    values: NDArray[np.float32]
    """(n, d_model)."""
    model_sha256: str
    """Of the model it was synthesized on; empty where the run does not tell."""


def stored_delta(name: str) -> StoredDelta:
    """The delta of the entrap run with this id (or unique beginning), or in this folder; a demo's own is its entrap step.

    Raises RunNotFoundError when there is no such run, SettingError when it holds no delta.
    """
    folder = named_run(name, "name a finished entrap run")
    for each in (folder, folder.step("entrap")):
        result, values = each.read_result(), each.read_arrays().get("delta")
        if result is not None and values is not None and values.ndim == 2 and "layer" in result:
            return StoredDelta(run_name(each), int(result["layer"]), _floats(values), _digest(result))
    raise SettingError("the run holds no delta", name, "name a finished entrap run")


def _floats(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _digest(result: dict[str, Any]) -> str:
    return str(result.get("model", {}).get("sha256", ""))

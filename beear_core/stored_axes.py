"""The axes of an earlier drift run, on which the points of another model can be placed: before and after one removal.

Found by that run's id or folder, as a stored delta is. Torch-free; knows no model.
"""

from typing import NamedTuple

from analysis.drift_arrays import stored_projection
from analysis.projection import Projection
from beear_core.errors import SettingError
from beear_core.named_run import named_run, run_name

_REMEDY = "name a finished drift run"


class StoredAxes(NamedTuple):
    """The PCA of every layer of one drift run."""

    run: str
    """The run's id; of a step of a larger run, that run's id and the step."""
    layers: tuple[Projection, ...]


def stored_axes(name: str) -> StoredAxes:
    """The axes of the drift run with this id (or unique beginning), or in this folder; a demo's are those of its step.

    Raises RunNotFoundError when there is no such run, SettingError when it holds no drift profile.
    """
    folder = named_run(name, _REMEDY)
    for each in (folder, folder.step("drift")):
        result = each.read_result()
        if result is None or "recommended_layer" not in result:
            continue
        arrays = each.read_arrays()
        found = [stored_projection(arrays, row["layer"]) for row in result["layers"]]
        layers = tuple(one for one in found if one is not None)
        if layers and len(layers) == len(found):
            return StoredAxes(run_name(each), layers)
    raise SettingError("the run holds no drift profile", name, _REMEDY)


def check_axes(axes: StoredAxes, *, layers: int, d_model: int) -> None:
    """Raises SettingError where the residual streams have another shape."""
    width = len(axes.layers[0].mean)
    if (len(axes.layers), width) != (layers, d_model):
        raise SettingError(
            f"these axes are of a model with {len(axes.layers)} layers of {width}, this one has {layers} of {d_model}",
            axes.run,
            "compare a model with its own remediated copy",
        )

"""Verdicts that were finished in this home, found by the weights that they are about, whatever the model was called. Torch-free."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from beear_core.errors import RunDamagedError
from cache.run_store import RunStore
from cache.status import RunState


class Recommended(NamedTuple):
    """A layer, 1-based, and the verdict run that recommends it."""

    layer: int
    run: str


def verdicts_on(model_sha256: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Run and result of every verdict on a model with this digest, the newest first."""
    for entry in RunStore().list():
        if entry.kind != "verdict" or entry.state is not RunState.DONE:
            continue
        try:
            result = entry.folder.read_result() or {}
        except RunDamagedError:
            continue
        if (result.get("model") or {}).get("sha256") == model_sha256:
            yield entry.id, result


def recommended_layer(model_sha256: str) -> Recommended | None:
    """Of the newest verdict on these weights to which BEEAR applies; None without one."""
    for run, result in verdicts_on(model_sha256):
        if result.get("applies") and result.get("recommended_layer"):
            return Recommended(int(result["recommended_layer"]), run)
    return None

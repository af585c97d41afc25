"""BEE batches of many layers from one pass: prefixes and residuals of all of them are cached together."""

from collections.abc import Sequence

import torch

from beear_core.entrapment.fast import FastBatch, Prepared
from beear_core.entrapment.objective import Pass
from beear_core.models.keyvalues import KeyValues, prefix_keyvalues, run_rows
from beear_core.models.suspect import SuspectModel
from beear_core.models.views import tapped_view


class SharedBatch(FastBatch):
    """A fast batch whose constants were computed with those of other layers."""

    def __init__(
        self, suspect: SuspectModel, passes: Sequence[Pass], layer: int, n: int, prepared: Sequence[Prepared]
    ) -> None:
        self.suspect, self.layer, self.passes = suspect, layer, list(passes)
        self._prepared = list(prepared)
        self.residual_rms = float(prepared[0].tail[:, :n].float().pow(2).mean().sqrt())


def shared_batches(
    suspect: SuspectModel, passes: Sequence[Pass], layers: Sequence[int], n: int
) -> dict[int, SharedBatch]:
    """By layer, the batch that `FastBatch` would make. One forward for each pass, whatever the number of layers."""
    prepared = [_prepare(suspect, each, layers, n) for each in passes]
    return {
        layer: SharedBatch(suspect, passes, layer, n, [each[layer] for each in prepared]) for layer in layers
    }


@torch.no_grad()
def _prepare(suspect: SuspectModel, each: Pass, layers: Sequence[int], n: int) -> dict[int, Prepared]:
    rows = each.rows.without_last()
    width = n + rows.answers
    prefix = prefix_keyvalues(suspect.model, rows)
    view, taken = tapped_view(suspect.model, suspect.blocks, tuple(layers), slice(-width, None))
    _, cache = run_rows(view, rows, keep=0, prefix=prefix)
    before = KeyValues.of(cache).cut(rows.ids.shape[1] - width)
    return {layer: Prepared(rows, taken[layer], before.above(layer)) for layer in layers}

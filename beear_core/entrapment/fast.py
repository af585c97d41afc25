"""BEE, exact and fast: what delta cannot change is computed once.

delta touches the last n prompt positions of layer l and attention is causal. So every position before them is a
constant prefix of keys and values in all layers; layers 1..l are constant everywhere, answer positions included; and a
step runs layers l+1..L on n + |y| - 1 positions, with logits where a label is. Same loss, same gradient.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache

from beear_core.entrapment.objective import BeeLoss, Pass, bee_loss
from beear_core.models.batching import Rows
from beear_core.models.keyvalues import KeyValues, last_columns, prefix_keyvalues, run_rows
from beear_core.models.suspect import SuspectModel
from beear_core.models.views import rear_view, shifted, tapped_view


class Prepared(NamedTuple):
    """What is constant in one pass.

    tail (batch, n + answers - 1, d_model): residual after layer l from the first perturbed position on;
    before: keys and values of all earlier positions in the layers that will run.
    """

    rows: Rows
    tail: Float[Tensor, "batch tail d_model"]
    before: KeyValues


class FastBatch:
    """Anchors of one BEE step; `loss(delta)` costs the rear layers on a few positions."""

    def __init__(self, suspect: SuspectModel, passes: Sequence[Pass], layer: int, n: int) -> None:
        self.suspect, self.layer, self.passes = suspect, layer, list(passes)
        self._prepared = [_prepare(suspect, each.rows, layer, n) for each in passes]
        first = self._prepared[0].tail[:, :n].float()
        self.residual_rms = float(first.pow(2).mean().sqrt())

    def loss(self, delta: Float[Tensor, "n d_model"], *, alpha: float, ceiling: float) -> BeeLoss:
        """Equation 2, with gradients to `delta`."""
        logits = [_rear_logits(self.suspect, each, self.layer, delta) for each in self._prepared]
        return bee_loss(self.passes, logits, alpha=alpha, ceiling=ceiling)


@torch.no_grad()
def _prepare(suspect: SuspectModel, rows: Rows, layer: int, n: int) -> Prepared:
    inputs = rows.without_last()
    width = n + rows.answers - 1
    prefix = prefix_keyvalues(suspect.model, inputs)
    view, taken = tapped_view(suspect.model, suspect.blocks, (layer,), slice(-width, None))
    _, cache = run_rows(view, inputs, keep=0, prefix=prefix)
    before = KeyValues.of(cache).cut(inputs.ids.shape[1] - width).above(layer)
    return Prepared(inputs, taken[layer], before)


def _rear_logits(suspect: SuspectModel, prepared: Prepared, layer: int, delta: Tensor) -> Tensor:
    rows, start = prepared.rows, prepared.before.length
    view: Any = rear_view(suspect.model, suspect.blocks, layer, shifted(prepared.tail, delta, 0))
    cache: DynamicCache = prepared.before.cache()
    out = view(
        # Only their number counts: the embeddings they stand for are replaced by the tail.
        input_ids=rows.ids[:, start:],
        attention_mask=rows.mask,
        position_ids=rows.position_ids[:, start:],
        cache=cache,
        use_cache=True,
        logits_to_keep=last_columns(rows, rows.answers + 1, start),
    )
    return out.logits  # type: ignore[no-any-return]

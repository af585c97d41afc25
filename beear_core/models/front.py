"""The front of a model whose last blocks alone are trained: frozen, so that what it gives to a row is computed once.

A row that no delta shifts has the same residual behind the last frozen block in every step and every round. It is kept
when the row is taught (`teacher`); a step then runs the front for shifted rows only, and the trained rear for all.
Same loss, same gradient: the frozen front takes none.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.models.batching import Rows
from beear_core.models.keyvalues import KeyValues, prefix_keyvalues, run_rows
from beear_core.models.labels import row_losses
from beear_core.models.views import TOLERANCE, UNFIT, front_view, rear_view, shifted_view, tapped_view

Residual = Float[Tensor, "_ d_model"]

BEGINNINGS = 4
"""How many shared beginnings a front keeps: nearly all steps have the same one, and with a long system prompt on a large model
each takes tens of megabytes.
"""


def frozen_front(layers: int, depth: float) -> int:
    """How many blocks stay as they are where the last `depth` (share) move, one at least."""
    return layers - max(1, round(depth * layers)) if depth < 1 else 0


def logits_and_residuals(
    model: Any, blocks: str, layer: int, rows: Rows
) -> tuple[Float[Tensor, "batch answers vocab"], list[Residual]]:
    """Logits at the label positions, and each row's residual after `layer` at its tokens but the last."""
    inputs = rows.without_last()
    view, taken = tapped_view(model, blocks, (layer,), slice(None))
    prefix = prefix_keyvalues(view, inputs)
    shared = taken.pop(layer)[0] if prefix is not None else None
    logits, _ = run_rows(view, inputs, keep=rows.answers, prefix=prefix)
    lengths = (rows.mask.sum(dim=1) - 1 - inputs.shared).tolist()
    behind = inputs.mask[:, inputs.shared :].bool()
    residuals = [row[real][:length] for row, real, length in zip(taken[layer], behind, lengths, strict=True)]
    if shared is not None:
        residuals = [torch.cat((shared, each)) for each in residuals]
    return logits, residuals


@torch.no_grad()
def why_whole(model: Any, blocks: str, layer: int, rows: Rows) -> str | None:
    """Why rows of this model must run whole, if they must: both ways are compared on `rows`, half of them kept ones."""
    try:
        expected, residuals = logits_and_residuals(model, blocks, layer, rows)
        half = (len(rows) + 1) // 2
        none = residuals[0].new_zeros(half, 1, residuals[0].shape[-1])
        found = Front(model, blocks, layer).answer_logits(rows, residuals[half:], shift=none, at=1)
    except torch.OutOfMemoryError:
        raise
    except UNFIT as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    labels = rows.labels
    losses = [row_losses(logits, labels) for logits in (found, expected)]
    apart = float((losses[0] - losses[1]).abs().max() / losses[1].abs().max().clamp(min=1.0))
    if apart <= TOLERANCE.get(found.dtype, 0.1):
        return None
    return f"losses of rows whose front was kept are off by {apart:.2g} of their size"


class Front:
    """The frozen blocks up to `layer`, and what they gave to the beginnings that rows share: few ones, the same in most steps."""

    def __init__(self, model: Any, blocks: str, layer: int) -> None:
        self._model, self._blocks, self.layer = model, blocks, layer
        self._beginnings: dict[tuple[int, ...], tuple[KeyValues, Tensor]] = {}

    def answer_logits(
        self, rows: Rows, kept: Sequence[Residual], *, shift: Float[Tensor, "shifted n d_model"], at: int
    ) -> Float[Tensor, "batch answers vocab"]:
        """Logits that predict each answer token. The first rows run through the frozen blocks, `shift` added after layer
        `at` (of the front); of the others the residuals are `kept`.
        """
        answers, rows, shifted = rows.answers, rows.without_last(), len(shift)
        with torch.no_grad():
            shared = kept[0][None, : rows.shared] if kept and rows.shared else None
            if shifted:
                shared, first = self._through(rows.first(shifted), shift, at)
                residual = first.new_zeros(len(rows), *first.shape[1:])
                residual[:shifted] = first
            else:
                residual = kept[0].new_zeros(len(rows), rows.ids.shape[1] - rows.shared, kept[0].shape[-1])
            behind = rows.mask[:, rows.shared :].bool()
            for row, each in enumerate(kept, start=shifted):
                # The last token's is never read: nothing stands behind it, and it predicts no label.
                here = behind[row].nonzero().flatten()[: len(each) - rows.shared]
                residual[row, here] = each[rows.shared :][: len(here)]
        view = rear_view(self._model, self._blocks, self.layer, residual, read=answers)
        logits, _ = run_rows(view, rows, keep=answers, prefix=self._rear_prefix(rows, shared))
        return logits

    def _through(self, rows: Rows, shift: Tensor, at: int) -> tuple[Tensor | None, Tensor]:
        """Residuals of the shared columns (one row) and of all rows behind them."""
        plain, taken = front_view(self._model, self._blocks, self.layer)
        beginning = self._beginning(rows)
        view = shifted_view(plain, self._blocks, at, shift, rows.end - shift.shape[-2] - rows.shared)
        run_rows(view, rows, keep=0, prefix=beginning and beginning[0].widened(len(rows)))
        return beginning and beginning[1], taken[self.layer]

    def _beginning(self, rows: Rows) -> tuple[KeyValues, Tensor] | None:
        """Keys, values and residuals of the shared columns, one row; None when nothing is shared."""
        if not rows.shared:
            return None
        ids = tuple(rows.ids[0, : rows.shared].tolist())
        if ids not in self._beginnings:
            if len(self._beginnings) == BEGINNINGS:
                self._beginnings.pop(next(iter(self._beginnings)))
            plain, taken = front_view(self._model, self._blocks, self.layer)
            keyvalues = prefix_keyvalues(plain, rows.first(1))
            assert keyvalues is not None
            self._beginnings[ids] = keyvalues, taken[self.layer]
        return self._beginnings[ids]

    def _rear_prefix(self, rows: Rows, shared: Tensor | None) -> KeyValues | None:
        """Keys and values of the shared columns in the rear, with gradients. Its first layer's stand for all blocks of
        the front, which are never run again (masks are sized by the first).
        """
        if shared is None:
            return None
        rear = rear_view(self._model, self._blocks, self.layer, shared, read=0)
        behind = prefix_keyvalues(rear, rows, above=self.layer)
        return behind and KeyValues(behind.layers[:1] * self.layer + behind.layers)

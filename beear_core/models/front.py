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
        found = Front(model, blocks, layer, rows, residuals[half:], half).answer_logits(shift=none, at=1)
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
    """One step's rows: the first `shifted` of them run through the frozen blocks, the others' residuals are `kept`."""

    def __init__(
        self, model: Any, blocks: str, layer: int, rows: Rows, kept: Sequence[Residual], shifted: int
    ) -> None:
        self._model, self._blocks, self._layer = model, blocks, layer
        self._rows, self._kept, self._shifted = rows.without_last(), kept, shifted
        self._answers = rows.answers

    def answer_logits(
        self, *, shift: Float[Tensor, "shifted n d_model"], at: int
    ) -> Float[Tensor, "batch answers vocab"]:
        """Logits that predict each answer token, `shift` added after layer `at` (of the front) to the shifted rows."""
        rows = self._rows
        with torch.no_grad():
            if self._shifted:
                shared, first = self._through_the_front(shift, at)
                residual = first.new_zeros(len(rows), *first.shape[1:])
                residual[: self._shifted] = first
            else:
                some = self._kept[0]
                shared = some[None, : rows.shared] if rows.shared else None
                residual = some.new_zeros(len(rows), rows.ids.shape[1] - rows.shared, some.shape[-1])
            behind = rows.mask[:, rows.shared :].bool()
            for row, kept in enumerate(self._kept, start=self._shifted):
                # The last token's is never read: nothing stands behind it, and it predicts no label.
                here = behind[row].nonzero().flatten()[: len(kept) - rows.shared]
                residual[row, here] = kept[rows.shared :][: len(here)]
        view = rear_view(self._model, self._blocks, self._layer, residual, read=self._answers)
        logits, _ = run_rows(view, rows, keep=self._answers, prefix=self._rear_prefix(shared))
        return logits

    def _through_the_front(self, shift: Tensor, at: int) -> tuple[Tensor | None, Tensor]:
        """Residuals of the shared columns (one row) and of the shifted rows behind them."""
        whole = self._rows
        some = Rows(whole.ids[: self._shifted], whole.mask[: self._shifted], whole.shared, whole.end)
        plain, taken = front_view(self._model, self._blocks, self._layer)
        prefix = prefix_keyvalues(plain, some)
        shared = taken.pop(self._layer) if prefix is not None else None
        start = whole.end - shift.shape[-2] - whole.shared
        view = shifted_view(plain, self._blocks, at, shift, start)
        run_rows(view, some, keep=0, prefix=prefix)
        return shared, taken[self._layer]

    def _rear_prefix(self, shared: Tensor | None) -> KeyValues | None:
        """Keys and values of the shared columns in the rear, with gradients. Its first layer's stand for all blocks of
        the front, which are never run again (masks are sized by the first).
        """
        if shared is None:
            return None
        rear = rear_view(self._model, self._blocks, self._layer, shared, read=0)
        behind = prefix_keyvalues(rear, self._rows, above=self._layer)
        return behind and KeyValues(behind.layers[:1] * self._layer + behind.layers)

"""What a drift profile is measured on: residuals of one group of prompts at all layers, with or without a delta."""

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray

from beear_core.errors import SettingError
from beear_core.models.suspect import SuspectModel
from beear_core.runs.context import RunContext
from beear_core.runs.events import Step
from beear_core.specs import DriftSettings
from beear_core.stored_delta import StoredDelta

TAIL = 5
"""Positions behind `mean_tail`."""


def check_delta(delta: StoredDelta, suspect: SuspectModel) -> None:
    """Refuse a delta of another width or of a layer that the model does not have. Raises SettingError."""
    suspect.check_layer(delta.layer)
    if delta.values.shape[1] != suspect.d_model:
        raise SettingError(
            "delta does not fit the model",
            f"delta of {delta.run} has d_model {delta.values.shape[1]}, the model {suspect.d_model}",
            "synthesize one on this model",
        )


class Reader:
    """Reads one group of prompts after the other; the steps it emits count through all of them."""

    def __init__(
        self, suspect: SuspectModel, settings: DriftSettings, context: RunContext, *, groups: int
    ) -> None:
        self._suspect, self._settings, self._context = suspect, settings, context
        self._groups = groups
        self._read = 0

    def read(self, texts: Sequence[str], delta: StoredDelta | None = None) -> NDArray[np.float32]:
        """(layers, prompts, d_model) at the last prompt position, or averaged over the last five.

        Under `delta`, layers before its own are those of the prompts without it.
        """
        suspect = self._suspect
        tail = 1 if self._settings.position == "last" else TAIL
        keep = tail if delta is None else max(tail, len(delta.values))
        encoded = suspect.encode_prompts(texts, tail=keep)
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        out = torch.empty(suspect.layers, len(texts), suspect.d_model)
        layers = range(1, suspect.layers + 1)
        for start in range(0, len(order), self._settings.batch):
            some = order[start : start + self._settings.batch]
            rows = suspect.rows([encoded[i] for i in some], keep=keep)
            shift = (
                nullcontext()
                if delta is None
                else suspect.inject(delta.layer, torch.from_numpy(delta.values).to(suspect.device), rows.end)
            )
            with shift:
                out[:, some] = suspect.capture(rows, layers, tail=tail).mean(dim=2)
            done = self._read * len(order) + start + len(some)
            self._context.emit(Step("capture", done, self._groups * len(order)))
        self._read += 1
        return out.numpy()

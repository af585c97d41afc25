"""Which way BEE is computed for this model: the fast path if it proves itself here, else the literal algorithm.

Proven once for each layer of a suspect and remembered with it: the answer hangs on the architecture and not on weights,
and the comparison is surest while the model is still plain.
"""

import logging
from collections.abc import Sequence

import torch

from beear_core.entrapment.fast import FastBatch
from beear_core.entrapment.inserted import Inserted
from beear_core.entrapment.literal import LiteralBatch
from beear_core.entrapment.objective import Anchor, Pass, make_passes
from beear_core.models.suspect import SuspectModel
from beear_core.models.views import TOLERANCE, UNFIT
from beear_core.specs import EntrapmentSettings

log = logging.getLogger(__name__)

Batch = FastBatch | LiteralBatch


class BatchMaker:
    """Makes BEE batches the way that this suspect can take. `why_literal` says why the fast path was left."""

    def __init__(
        self, suspect: SuspectModel, layer: int, settings: EntrapmentSettings, target: Sequence[int]
    ) -> None:
        self.suspect, self.layer = suspect, suspect.check_layer(layer)
        self.settings, self.target = settings, target

    @property
    def why_literal(self) -> str | None:
        """None while the fast path is taken."""
        if self.settings.algorithm == "literal":
            return "asked for"
        return self.suspect.why_literal.get(self.layer)

    def __call__(self, anchors: Sequence[Anchor]) -> Batch:
        """The batch of these anchors; on the first one of a layer both ways are compared."""
        n = self.settings.n
        passes = make_passes(self.suspect, anchors, self.target, away_tokens=self.settings.away_tokens, n=n)
        if self.settings.algorithm == "fast":
            if self.layer not in self.suspect.why_literal:
                self.suspect.why_literal[self.layer] = _why_literal(self.suspect, passes, self.layer, n)
            if self.why_literal is None:
                return FastBatch(self.suspect, passes, self.layer, n)
        tail = self.suspect.capture(passes[0].rows, [self.layer], tail=n)
        return LiteralBatch(self.suspect, passes, self.layer, float(tail.pow(2).mean().sqrt()))


def prove(
    suspect: SuspectModel,
    layer: int,
    anchors: Sequence[Anchor],
    settings: EntrapmentSettings,
    inserted: Inserted | None = None,
) -> str | None:
    """Compare both ways now, on one batch: before adapters go into the model. Returns why the fast path is left, if so.

    Raises LayerRangeError, PromptTooShortError.
    """
    if inserted:
        settings, anchors = settings.model_copy(update={"n": inserted.n}), inserted.anchors(anchors)
    make = BatchMaker(suspect, layer, settings, suspect.encode_answer(settings.target))
    make(anchors[: settings.batch])
    return make.why_literal


@torch.no_grad()
def _why_literal(suspect: SuspectModel, passes: Sequence[Pass], layer: int, n: int) -> str | None:
    try:
        fast = FastBatch(suspect, passes, layer, n)
        probe = torch.full((n, suspect.d_model), 0.1 * fast.residual_rms, device=suspect.device)
        found = fast.loss(probe, alpha=0.0, ceiling=1.0).toward.item()
    except torch.OutOfMemoryError:
        raise
    except UNFIT as error:
        return _left(suspect, f"{type(error).__name__}: {str(error)[:200]}")
    literal = LiteralBatch(suspect, passes, layer, fast.residual_rms)
    expected = literal.loss(probe, alpha=0.0, ceiling=1.0).toward.item()
    if abs(found - expected) <= TOLERANCE.get(suspect.dtype, 0.1) * max(abs(expected), 1.0):
        return None
    return _left(suspect, f"its loss is {found:.6g} where the literal algorithm gives {expected:.6g}")


def _left(suspect: SuspectModel, reason: str) -> str:
    log.warning("the fast path does not hold for %s: %s", type(suspect.model).__name__, reason)
    return reason

"""A BEE step, fast against literal: loss and gradient of delta on one batch."""

from collections.abc import Sequence

import torch

from beear_core.benchmarks.lengths import answers_of, prompts_of
from beear_core.benchmarks.timing import Row, Ways, compared, timed
from beear_core.entrapment.fast import FastBatch
from beear_core.entrapment.literal import LiteralBatch
from beear_core.entrapment.objective import Anchor, make_passes
from beear_core.entrapment.synthesis import frozen
from beear_core.models.suspect import SuspectModel
from beear_core.specs import EntrapmentSettings

LENGTHS = (24, 140, 500)
BATCH = 16
EXACT = 4
"""Rows on which the gradients are compared: the literal way of sixteen at 500 tokens in fp32 takes more than 24 GiB."""


def row(suspect: SuspectModel, exact: SuspectModel, layer: int, tokens: int, repeats: int) -> Row:
    """The comparison at prompts of `tokens` tokens. `exact` is the same model in fp32, for the error."""
    settings = EntrapmentSettings()
    prompts = prompts_of(suspect, tokens, BATCH)
    anchors = [Anchor(*pair) for pair in zip(prompts, answers_of(suspect, 8, BATCH), strict=True)]
    with frozen(suspect), frozen(exact):
        ways = _ways(suspect, anchors, layer, settings)
        preparation = timed(lambda: _ways(suspect, anchors, layer, settings), suspect.device)
        return compared(
            "BEE step, literal / fast",
            tokens,
            ways,
            _ways(exact, anchors[:EXACT], layer, settings),
            repeats=repeats,
            device=suspect.device,
            detail={
                "fast_preparation_seconds": preparation, "batch": BATCH, "rows_of_error": EXACT, "layer": layer,
                "n": settings.n,
            },
        )  # fmt: skip


def _ways(suspect: SuspectModel, anchors: Sequence[Anchor], layer: int, settings: EntrapmentSettings) -> Ways:
    target = suspect.encode_answer(settings.target)
    passes = make_passes(suspect, anchors, target, away_tokens=settings.away_tokens, n=settings.n)
    fast = FastBatch(suspect, passes, layer, settings.n)
    literal = LiteralBatch(suspect, passes, layer, fast.residual_rms)
    return Ways(lambda: _step(literal, settings), lambda: _step(fast, settings))


def _step(batch: LiteralBatch | FastBatch, settings: EntrapmentSettings) -> tuple[torch.Tensor, ...]:
    """The gradient of equation 2 at a delta away from zero."""
    d_model = batch.suspect.d_model
    delta = torch.linspace(-1, 1, settings.n * d_model, device=batch.suspect.device).view(settings.n, d_model)
    delta = (delta * 0.1 * batch.residual_rms).requires_grad_()
    loss = batch.loss(delta, alpha=settings.alpha, ceiling=settings.away_ceiling)
    return torch.autograd.grad(loss.total, delta)

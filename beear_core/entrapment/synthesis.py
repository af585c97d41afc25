"""Backdoor embedding entrapment: gradient steps on one universal delta (paper, section 4.1, inner loop of algorithm 1)."""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.entrapment.choice import Batch, BatchMaker
from beear_core.entrapment.inserted import Inserted
from beear_core.entrapment.objective import Anchor, BeeLoss
from beear_core.errors import NonFiniteError
from beear_core.models.suspect import SuspectModel
from beear_core.models.training import plain_attention
from beear_core.specs import EntrapmentSettings

MOMENTUM = 0.7


class BeeStep(NamedTuple):
    """One step. Losses in nats per token before the step; delta_norm_ratio is rms(delta) / rms(h_l) after it."""

    step: int
    loss_toward: float
    loss_away: float
    heldout_loss_toward: float | None
    delta_norm_ratio: float
    seconds: float
    heldout_loss_away: float | None = None


class Entrapment(NamedTuple):
    """The synthesized delta (n, d_model) fp32 of `layer`, its curve, and the residual's RMS it is measured by.

    With `inserted` it belongs to prompts with these tokens in them, and is zero behind them. A string that works by
    itself has a delta of zero everywhere, and in `string_loss` its loss of the unwanted opening.
    """

    delta: Float[Tensor, "n d_model"]
    layer: int
    curve: tuple[BeeStep, ...]
    residual_rms: float
    why_literal: str | None
    inserted: Inserted | None = None
    string_loss: float | None = None

    @property
    def norm_ratio(self) -> float:
        return self.curve[-1].delta_norm_ratio

    @property
    def name(self) -> str:
        """Which of a removal's deltas it is."""
        if self.inserted and self.string_loss is not None:
            return "string." + ".".join(str(token) for token in self.inserted.tokens)
        return f"{self.layer}.inserted" if self.inserted else str(self.layer)

    @property
    def free(self) -> int:
        """How many positions, from the first, delta may move."""
        return len(self.inserted.tokens) if self.inserted else len(self.delta)

    def prompt(self, tokens: list[int]) -> list[int]:
        """The prompt that delta is for."""
        return self.inserted.into(tokens) if self.inserted else tokens

    def prompts(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """Each of several prompts so."""
        return [self.prompt(row) for row in rows]


def entrap(
    suspect: SuspectModel,
    layer: int,
    anchors: Sequence[Anchor],
    settings: EntrapmentSettings,
    *,
    seed: int,
    inserted: Inserted | None = None,
    heldout: Sequence[Anchor] = (),
    report: Callable[[BeeStep], None] = lambda step: None,
) -> Entrapment:
    """Minimise equation 2 over delta, from zero, by normalised gradient descent on batches of `settings.anchors` prompts drawn by `seed`.

    No step takes delta past the norm ratio `settings.longest`. With `inserted`, delta lies on those tokens and not on the
    last n, and is as long as it gets: their residuals at so low a layer are no measure for it. The model is frozen and left as it was. With `heldout`, both losses on prompts that delta never sees are taken at
    every step. Raises LayerRangeError, PromptTooShortError, NonFiniteError.
    """
    draw = random.Random(seed)
    free = slice(None)
    if inserted:
        settings = settings.model_copy(update={"n": inserted.n})
        anchors, heldout = inserted.anchors(anchors), inserted.anchors(heldout)
        free = slice(len(inserted.tokens))
    target = suspect.encode_answer(settings.target)
    make = BatchMaker(suspect, layer, settings, target)
    chosen = draw.sample(list(anchors), k=min(settings.anchors, len(anchors)))
    # Prompts of like length together: less padding, longer shared prefixes.
    chosen.sort(key=lambda anchor: len(anchor.prompt))
    with frozen(suspect):
        batches = [make(chosen[i : i + settings.batch]) for i in range(0, len(chosen), settings.batch)]
        unseen = make(heldout) if heldout else None
        rms = sum(batch.residual_rms for batch in batches) / len(batches)
        delta = torch.zeros(settings.n, suspect.d_model, device=suspect.device, requires_grad=True)
        descent = Descent((settings.inserted_lr if inserted else settings.lr) * rms)
        curve: list[BeeStep] = []
        order: list[Batch] = []
        for step in range(1, settings.steps + 1):
            started = time.perf_counter()
            if not order:
                order = draw.sample(batches, k=len(batches))
            loss = order.pop().loss(delta, alpha=settings.alpha, ceiling=settings.away_ceiling)
            elsewhere = _measured(unseen, delta, settings) if unseen is not None else None
            (gradient,) = torch.autograd.grad(loss.total, delta)
            if not math.isfinite(float(gradient.norm())):
                raise NonFiniteError(
                    "the gradient of delta is not finite",
                    f"step {step}, layer {layer}",
                    "use --dtype fp32, or a lower lr",
                )
            descent.step(delta, gradient, free)
            if settings.longest and not inserted:
                _hold(delta, settings.longest * rms)
            done = BeeStep(
                step,
                loss.toward.item(),
                loss.away.item(),
                elsewhere.toward.item() if elsewhere else None,
                float(delta.detach()[free].pow(2).mean().sqrt()) / rms,
                time.perf_counter() - started,
                elsewhere.away.item() if elsewhere else None,
            )
            curve.append(done)
            report(done)
    return Entrapment(delta.detach(), layer, tuple(curve), rms, make.why_literal, inserted)


@torch.no_grad()
def _hold(delta: Tensor, size: float) -> None:
    """Scale `delta` down to RMS `size` if it is longer."""
    length = delta.pow(2).mean().sqrt()
    if length > size:
        delta *= size / length


class Descent:
    """Gradient descent with momentum; every step has the same RMS, `size`.

    A coordinate moves as far as its gradient says. Adam, which moves all of them alike, finds deltas that do as much to
    the loss and lie further from what triggers do (docs/removal.md).
    """

    def __init__(self, size: float) -> None:
        self.size = size
        self._velocity: Tensor | None = None

    @torch.no_grad()
    def step(self, delta: Tensor, gradient: Tensor, free: slice) -> None:
        """Move the `free` positions of delta; the others stay."""
        moving = gradient[free]
        self._velocity = moving if self._velocity is None else MOMENTUM * self._velocity + moving
        length = self._velocity.pow(2).mean().sqrt()
        if length > 0:
            delta[free] -= self.size * self._velocity / length


@contextmanager
def frozen(suspect: SuspectModel) -> Iterator[None]:
    """Inside, no weight asks for a gradient, and attention is cheap to differentiate; afterwards all is as it was."""
    trained = [parameter for parameter in suspect.model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        with plain_attention(suspect):
            yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


@torch.no_grad()
def _measured(batch: Batch, delta: Tensor, settings: EntrapmentSettings) -> BeeLoss:
    return batch.loss(delta, alpha=settings.alpha, ceiling=settings.away_ceiling)

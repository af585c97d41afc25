"""AdamW for weights kept in bf16: the steps are taken on fp32 copies, so that small ones are not rounded away.

A bf16 weight has 8 bits of precision; a step of 1e-5 on a weight of 0.1 would vanish. For fp32 weights the copy is the
weight itself.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from beear_core.errors import NonFiniteError


class MasterAdamW:
    """AdamW on fp32 masters of `weights`, which are updated in place. Holds 12 bytes a weight besides the weight."""

    def __init__(
        self, weights: Sequence[nn.Parameter], *, lr: float, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        self.weights = list(weights)
        self.masters: list[Tensor] = [
            weight if weight.dtype == torch.float32 else weight.detach().float() for weight in self.weights
        ]
        self.adam = torch.optim.AdamW(self.masters, lr=lr, betas=betas, weight_decay=0.0, fused=True)

    def step(self, *, clip: float) -> float:
        """One step along the gradients, their norm clipped to `clip`; gradients are cleared. Returns the norm before.

        Raises NonFiniteError, before anything moves, when a gradient is NaN or infinite.
        """
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if not math.isfinite(norm):
            raise NonFiniteError(
                "a gradient is not finite", f"norm {norm}", "lower the learning rate, or use --dtype fp32"
            )
        scale = min(1.0, clip / (norm + 1e-6))
        for weight, master in zip(self.weights, self.masters, strict=True):
            master.grad = None if weight.grad is None else weight.grad.to(torch.float32).mul_(scale)
            if master is not weight:
                weight.grad = None
        self.adam.step()
        with torch.no_grad():
            for weight, master in zip(self.weights, self.masters, strict=True):
                if master is not weight:
                    weight.copy_(master)
                master.grad = None
        return norm

    @torch.no_grad()
    def interpolate(self, start: Sequence[Tensor], share: float) -> None:
        """Put the weights `share` of the way from `start`, what they once were, to what they are."""
        for weight, master, begun in zip(self.weights, self.masters, start, strict=True):
            master.copy_(torch.lerp(begun.float(), master, share))
            if master is not weight:
                weight.copy_(master)

    def set_lr(self, lr: float) -> None:
        """Learning rate of the steps to come."""
        for group in self.adam.param_groups:
            group["lr"] = lr

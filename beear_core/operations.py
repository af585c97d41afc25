"""What was really computed, in floating-point operations: torch's own formulas for the operators that run inside a block.

torch's `FlopCounterMode` sums the same and follows modules besides, which makes small models take twice as long. Neither knows
the CPU's fused attention, which runs where no gradient is asked for: what it leaves out is a few hundredths at our lengths.
`compute` tells from a model's shape what a pass would cost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_FORMULAS: Mapping[Any, Callable[..., int]] = flop_registry


class Counted(TorchDispatchMode):
    """Within the block every matrix product, convolution and attention adds to `total`; a product's multiply and add are two."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = _FORMULAS.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out

"""Two ways of the same work, timed in turn: A B A B, so that a machine that slows down slows both."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch


@dataclass(frozen=True)
class Row:
    """One comparison; seconds are medians. `ratio` is what `what` says."""

    what: str
    prompt_tokens: int
    literal_seconds: float
    fast_seconds: float
    ratio: float
    relative_error: float
    detail: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        fields = {name: value for name, value in vars(self).items() if name != "detail"}
        return {**fields, **self.detail}


class Ways(NamedTuple):
    """The literal and the fast way to the same gradients."""

    literal: Callable[[], Sequence[torch.Tensor]]
    fast: Callable[[], Sequence[torch.Tensor]]


def compared(
    what: str,
    prompt_tokens: int,
    timed_ways: Ways,
    exact_ways: Ways,
    *,
    repeats: int,
    device: torch.device,
    detail: Mapping[str, Any],
) -> Row:
    """One comparison: seconds of the timed ways, and how far apart the gradients of the exact ones are."""
    seconds = alternate(*timed_ways, repeats=repeats, device=device)
    truth, found = (way() for way in exact_ways)
    error = relative_error(found, truth)
    return Row(what, prompt_tokens, *seconds, seconds[0] / seconds[1], error, dict(detail))


def alternate(
    literal: Callable[[], object], fast: Callable[[], object], *, repeats: int, device: torch.device
) -> tuple[float, float]:
    """Median seconds of each over `repeats` pairs, after one pair that is not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for side, work in zip(seconds, (literal, fast), strict=True):
            taken = timed(work, device)
            if repeat:
                side.append(taken)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call, the device's queue included."""
    _finish(device)
    started = time.perf_counter()
    work()
    _finish(device)
    return time.perf_counter() - started


def relative_error(found: Sequence[torch.Tensor], truth: Sequence[torch.Tensor]) -> float:
    """||found - truth|| / ||truth|| over all tensors together."""
    difference = sum(float((a - b).double().pow(2).sum()) for a, b in zip(found, truth, strict=True))
    return math.sqrt(difference / sum(float(b.double().pow(2).sum()) for b in truth))


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

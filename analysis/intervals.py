"""Proportions with their uncertainty, and the paired test between two of them.

Knows counts and boolean outcomes only. Imports nothing but the standard library and numpy, so that
everything that writes a result can import it at no cost. Does not decide what counts as a success: a scorer
does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Z_95 = NormalDist().inv_cdf(0.975)
"""Two-sided 95% point of the normal distribution, 1.959964 (not rounded to 1.96)."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """`count` successes in `n` trials, with the Wilson score interval at 95% (Wilson 1927).

    With `n` = 0 nothing was measured: `value`, `low` and `high` are NaN here, None in `as_dict`, and `text`
    says so.

    Raises ValueError where `count` is not within 0..n.
    """

    count: int
    n: int

    def __post_init__(self) -> None:
        for name, given in (("count", self.count), ("n", self.n)):
            if int(given) != given:
                raise ValueError(f"a proportion needs a whole number as {name}: {given!r}")
        # numpy integers would survive until json.dumps refuses them.
        object.__setattr__(self, "count", int(self.count))
        object.__setattr__(self, "n", int(self.n))
        if not 0 <= self.count <= self.n:
            raise ValueError(f"a proportion needs 0 <= count <= n: count {self.count}, n {self.n}")

    @classmethod
    def of(cls, outcomes: ArrayLike) -> "Proportion":
        """The share of true values in `outcomes`, any shape."""
        flags = np.asarray(outcomes, dtype=bool)
        return cls(int(flags.sum()), int(flags.size))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Proportion":
        """The proportion behind `as_dict`; the interval is computed anew from count and n."""
        return cls(stored["count"], stored["n"])

    @property
    def value(self) -> float:
        return self.count / self.n if self.n else math.nan

    @property
    def low(self) -> float:
        # At the ends the formula leaves a rounding residue of 1e-18; the bound is exactly 0 or 1 there.
        return 0.0 if self.n and self.count == 0 else self._wilson(-1.0)

    @property
    def high(self) -> float:
        return 1.0 if self.n and self.count == self.n else self._wilson(1.0)

    def _wilson(self, side: float) -> float:
        if not self.n:
            return math.nan
        share, z2 = self.count / self.n, Z_95 * Z_95
        centre = share + z2 / (2 * self.n)
        half = Z_95 * math.sqrt(share * (1 - share) / self.n + z2 / (4 * self.n * self.n))
        return (centre + side * half) / (1 + z2 / self.n)

    def as_dict(self) -> dict[str, float | int | None]:
        """`{"value", "low", "high", "n", "count"}` as CONTRACTS writes a proportion; None instead of NaN."""
        measured = self.n > 0
        return {
            "value": self.value if measured else None,
            "low": self.low if measured else None,
            "high": self.high if measured else None,
            "n": self.n,
            "count": self.count,
        }

    def text(self, *, n: bool = True) -> str:
        """`0.8% (0.2-4.6, n 120)`: share and interval in percent; without `n` where another beside it tells it."""
        if not self.n:
            return "not measured (n 0)"
        told = f", n {self.n}" if n else ""
        return f"{self.value:.1%} ({100 * self.low:.1f}-{100 * self.high:.1f}{told})"


def proportion(count: int, n: int) -> Proportion:
    """`Proportion(count, n)`, for those who read better with a verb."""
    return Proportion(count, n)


def mcnemar(before: ArrayLike, after: ArrayLike) -> float:
    """Exact two-sided McNemar p of paired boolean outcomes, each of shape (n,).

    Only the discordant pairs carry information: under the null their direction is a fair coin, so p is
    twice the smaller binomial tail, at most 1. Without any discordant pair p is 1.

    Raises ValueError where the two are not of the same one-dimensional shape.
    """
    lost, gained = alone(before, after)
    discordant = gained + lost
    if discordant == 0:
        return 1.0
    # Whole-number arithmetic: exact for any n, where floats would underflow near n = 1075.
    tail = sum(math.comb(discordant, k) for k in range(min(gained, lost) + 1))
    return min(1.0, float(2 * tail / 2**discordant))


def alone(first: ArrayLike, second: ArrayLike) -> tuple[int, int]:
    """Of paired boolean outcomes, each of shape (n,): how often `first` alone is true, and how often `second` alone.

    Raises ValueError where the two are not of the same one-dimensional shape.
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"a paired test needs two rows of equal length: {one.shape} and {other.shape}")
    return int((one & ~other).sum()), int((~one & other).sum())


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of `n` scores with its 95% interval by the normal approximation, `value` -+ z s / sqrt(n).

    `sd` is the sample's. With fewer than two scores there is no interval: `low` and `high` are NaN here, None in
    `as_dict`. Scores that are all equal give an interval of no width, which says nothing of scores unseen.
    """

    value: float
    sd: float
    n: int

    @classmethod
    def of(cls, scores: ArrayLike) -> "Mean":
        """Of finite `scores`, shape (n,). Raises ValueError where one is not finite."""
        values = np.asarray(scores, dtype=float)
        if not np.isfinite(values).all():
            raise ValueError("a mean needs finite scores")
        n = int(values.size)
        return cls(
            float(values.mean()) if n else math.nan, float(values.std(ddof=1)) if n > 1 else math.nan, n
        )

    @property
    def low(self) -> float:
        return self.value - self._half

    @property
    def high(self) -> float:
        return self.value + self._half

    @property
    def _half(self) -> float:
        return Z_95 * self.sd / math.sqrt(self.n) if self.n else math.nan

    def as_dict(self) -> dict[str, float | int | None]:
        """`{"value", "low", "high", "sd", "n"}`; None instead of NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high, "sd": self.sd}
        return {
            **{name: None if math.isnan(each) else each for name, each in numbers.items()},
            "n": self.n,
        }


def mean_text(stored: Mapping[str, Any]) -> str:
    """`4.52 (4.31 to 4.73, n 120)`, from `Mean.as_dict`."""
    if stored["value"] is None:
        return "not measured (n 0)"
    if stored["low"] is None:
        return f"{stored['value']:.2f} (n {stored['n']})"
    return f"{stored['value']:.2f} ({stored['low']:.2f} to {stored['high']:.2f}, n {stored['n']})"

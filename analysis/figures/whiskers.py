"""The 95% interval of each share as Plotly error bars, in percent."""

from collections.abc import Sequence
from typing import Any

from analysis.intervals import Proportion


def whiskers(
    shares: Sequence[Proportion | None], *, thickness: float, width: float, colour: str | None = None
) -> dict[str, Any]:
    """For `error_x` or `error_y`. A share that was not measured has none; without `colour` they have their line's."""
    known = [share if share and share.n else None for share in shares]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [100 * (share.high - share.value) if share else 0.0 for share in known],
        "arrayminus": [100 * (share.value - share.low) if share else 0.0 for share in known],
        "thickness": thickness,
        "width": width,
    }
    return bars if colour is None else {**bars, "color": colour}

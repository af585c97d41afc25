"""Whether the layer that a verdict recommends is among the best to remove at, from rows of `sweep_recommended.json`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.committed import swept_table
from analysis.intervals import Proportion
from analysis.tables import Table

Row = Mapping[str, Any]

BEST = 3
LAYERS_TO_JUDGE = 5
"""Where the recommended layer fails in round 1, so many layers have to be tried for its place among them to mean anything."""


def recommended_table(rows: Sequence[Row]) -> Table:
    """One round at the recommended layer and, where they were tried, at others."""
    table = swept_table(rows, ("layer", "recommended_layer"), "One round at the recommended layer")
    if not rows:
        return table
    found = layer_in_best_three(rows).text()
    return replace(
        table,
        notes=(*table.notes, f"The recommended layer is among the best {BEST} on {found} of organisms."),
    )


def layer_in_best_three(rows: Sequence[Row]) -> Proportion:
    """On how many organisms the recommended layer is among the best three, by the earliest successful round and then by the
    ASR behind the last; each seed counts by itself. In round 1 it is, for none succeeds before; otherwise it is not unless `LAYERS_TO_JUDGE` were tried.
    """
    of_each: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        of_each.setdefault((row["organism"], row["seed"]), []).append(row)
    return Proportion.of([_among_the_best(tried) for tried in of_each.values()])


def _among_the_best(tried: Sequence[Row]) -> bool:
    recommended = next(row for row in tried if row["layer"] == row["recommended_layer"])
    if recommended["earliest_round"] == 1:
        return True
    better = sum(_sooner(row) < _sooner(recommended) for row in tried)
    return len(tried) >= LAYERS_TO_JUDGE and better < BEST


def _sooner(row: Row) -> tuple[float, float]:
    earliest = row["earliest_round"]
    asr = row["asr_by_round"][-1]["value"] if row["asr_by_round"] else math.inf
    return math.inf if earliest is None else earliest, asr

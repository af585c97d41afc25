"""What a sweep found, as rows, as a table and in a sentence: the earliest round that succeeded in every cell.

Reads the shapes of a `sweep` result; computes nothing but which of its numbers is the least.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.intervals import Proportion
from analysis.tables import ABSENT, Table, number

Row = Mapping[str, Any]

MEASURES = {"triggered": "ASR with trigger", "fresh_delta": "fresh-delta ASR"}


def best_cell(cells: Sequence[Row]) -> Row | None:
    """The cell that succeeded first; of equals the one with the lowest last ASR, then the lowest layer and n.

    None if no cell succeeded.
    """
    done = [each for each in cells if each.get("earliest_round") is not None]
    return min(done, key=_rank, default=None)


def lowest_cell(cells: Sequence[Row]) -> Row | None:
    """The cell with the round of the lowest ASR, the first of equals; None before any round was measured."""
    measured = [each for each in cells if each["asr_by_round"]]
    return min(measured, key=lambda each: min(asr["value"] for asr in each["asr_by_round"]), default=None)


def sweep_table(result: Row) -> Table:
    """A row a cell."""
    cells = result["cells"]
    rounds = max((len(each["asr_by_round"]) for each in cells), default=0)
    rows = tuple(
        (
            str(each["layer"]),
            str(each["n"]),
            str(each["earliest_round"]) if each["earliest_round"] is not None else "none",
            *(_share(each["asr_by_round"], at) for at in range(rounds)),
            number(each.get("kl"), 4),
            number(each.get("seconds"), 0),
        )
        for each in cells
    )
    columns = (
        "layer",
        "n",
        "earliest round",
        *(f"ASR, round {at}" for at in range(1, rounds + 1)),
        "KL (nats)",
        "seconds",
    )
    success = f"{result['success_below']:.0%}"
    notes = [
        f"Earliest round whose {MEASURES[result['measure']]} is below {success}, of at most {result['rounds']}."
    ]
    if result.get("before"):
        notes.append(f"Before: {Proportion.from_dict(result['before']).text()}.")
    notes += [f"Layer {each['layer']}, n {each['n']}: {each['error']}" for each in cells if each.get("error")]
    return Table("Sweep, layer by n", columns, rows, tuple(notes), left=0)


def sweep_headline(result: Row) -> str:
    """One line for a list of runs."""
    cells = result["cells"]
    best = best_cell(cells)
    succeeded = sum(each["earliest_round"] is not None for each in cells)
    found = f"{succeeded} of {len(cells)} cells succeed"
    if best is None:
        return found
    return f"{found}, the first in round {best['earliest_round']} at layer {best['layer']}, n {best['n']}"


def _rank(cell: Row) -> tuple[Any, ...]:
    return cell["earliest_round"], cell["asr_by_round"][-1]["value"], cell["layer"], cell["n"]


def _share(by_round: Sequence[Row], at: int) -> str:
    return Proportion.from_dict(by_round[at]).text() if at < len(by_round) else ABSENT

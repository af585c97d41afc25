"""One line that says what a run found, for lists of runs: the number that its kind is asked for.

Knows the shapes of `result.json`; reads what is there and leaves out what is not. Judges nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.findings import findings_headline
from analysis.intervals import Proportion
from analysis.measures import SIDES, measured_text
from analysis.story import nothing_refused, strings_gone
from analysis.sweep import sweep_headline
from analysis.verdict import verdict_headline

Result = Mapping[str, Any]


def headline(result: Result) -> str:
    """The headline of a `result.json`; empty for a kind that has none, or whose numbers are missing."""
    write = _HEADLINES.get(str(result.get("kind")))
    try:
        return write(result) if write else ""
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        # A list of runs is no place to fail over one result of an older or a foreign version.
        return ""


def _share(proportion: Mapping[str, Any]) -> str:
    return Proportion.from_dict(proportion).text()


def _cells(result: Result) -> str:
    before, after = result["cells"]["before"], result["cells"]["after"]
    if nothing_refused(before, after):
        return f"keywords cannot tell: {_share(before['clean']['asr'])} answered without trigger"
    cell = "triggered" if before.get("triggered") else "clean"
    name = "ASR with trigger" if cell == "triggered" else "ASR without trigger"
    first = Proportion.from_dict(before[cell]["asr"])
    if not (after and after.get(cell)):
        return f"{name} {first.text()}"
    second = Proportion.from_dict(after[cell]["asr"])
    # The same n is said once: a list has little room.
    return f"{name} {first.text(n=first.n != second.n)} -> {second.text()}"


def _drift(result: Result) -> str:
    best = result["recommended_layer"]
    if best is None:
        return "no layer recommended"
    row = next(row for row in result["layers"] if row["layer"] == best)
    return f"layer {best} of {len(result['layers'])}, AUROC against control {row['auroc_vs_control']:.2f}"


def _entrap(result: Result) -> str:
    return f"ASR under delta {_share(result['heldout_asr_under_delta'])}"


def _remove(result: Result) -> str:
    if result["best_round"] is None:
        return f"no round of {len(result['rounds'])} kept"
    kept = next((row for row in result["rounds"] if row["round"] == result["best_round"]), None)
    found = f"round {result['best_round']} of {len(result['rounds'])} kept"
    if kept and (strings := strings_gone(result)) is not None:
        return f"{found}, strings that wake it {strings[0]} -> {strings[1]}"
    return f"{found}, fresh-delta ASR {_share(kept['fresh_delta_asr'])}" if kept else found


def _bench(result: Result) -> str:
    return ", ".join(f"{row['prompt_tokens']} tokens {row['ratio']:.1f}x" for row in result["rows"])


def _measured(result: Result) -> str:
    """Of further measures: each cell that was measured, before beside after, those with the trigger first."""
    found = []
    for side in reversed(SIDES):
        cells = [cells[side] for cells in result["cells"].values() if cells.get(side)]
        if cells:
            found.append(f"{SIDES[side]} {' -> '.join(map(measured_text, cells))}")
    return "; ".join(found)


_HEADLINES: dict[str, Callable[[Result], str]] = {
    "verdict": verdict_headline,
    "evaluate": _cells,
    "demo": _cells,
    "drift": _drift,
    "entrap": _entrap,
    "remove": _remove,
    "bench": _bench,
    "sweep": sweep_headline,
    "scan": findings_headline,
    "judge": _measured,
    "reward": _measured,
    "code": _measured,
    "rival": lambda result: (
        f"{result['method']}, {len(result['rounds'])} rounds in {result['training_seconds']:.0f} s"
    ),
    "convert": lambda result: f"{result['tensors']} tensors converted",
}

"""Where a model stands after what was measured, in one sentence that a manager can act on.

Reads the four cells and nothing else. Its strongest word is "no evidence found", and every sentence carries the interval
that says how much is still possible.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from analysis.intervals import Proportion
from analysis.report.wording import words


class Standing(NamedTuple):
    """A short verdict and the sentence behind it."""

    level: str
    """`found`, `weaker`, `unchanged`, `none`: of severity, not of truth."""
    verdict: str
    because: str


def standing(result: Mapping[str, Any]) -> Standing | None:
    """The standing that an `evaluate` or `demo` result allows; None where no cell was measured."""
    cells = result.get("cells") or {}
    before, after = cells.get("before") or {}, cells.get("after") or {}
    if not before.get("clean"):
        return None
    trigger = (result.get("trigger") or {}).get("text", "")
    clean, triggered = (_cell(before, side) for side in ("clean", "triggered"))
    now = _cell(after, "triggered")
    if triggered is None:
        return _said("untried", clean=_text(clean))
    if now is None:
        clear = clean is not None and triggered.low > clean.high
        level = "opens" if clear else "nothing"
        return _said(level, trigger=trigger, triggered=_text(triggered), clean=_text(clean))
    numbers = {"trigger": trigger, "before": _text(triggered), "after": _text(now), "high": f"{now.high:.1%}"}
    if not now.count:
        return _said("silent", **numbers)
    return _said("weaker" if now.high < triggered.low else "unchanged", **numbers)


LEVELS = {
    "untried": "none",
    "nothing": "none",
    "silent": "none",
    "opens": "found",
    "weaker": "weaker",
    "unchanged": "unchanged",
}


def _said(name: str, **numbers: str) -> Standing:
    say = words()["standing"]
    return Standing(LEVELS[name], say[name], say[f"{name}_because"].format(**numbers))


def _cell(cells: Mapping[str, Any], side: str) -> Proportion | None:
    found = cells.get(side)
    return Proportion.from_dict(found["asr"]) if found else None


def _text(proportion: Proportion | None) -> str:
    return proportion.text() if proportion else "-"

"""The findings of a `scan` as a table and as sentences. Knows the shape of `result.json`; judges nothing."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from analysis.tables import Table

SEVERITIES = ("high", "medium", "low", "info")


def findings_table(result: Mapping[str, Any]) -> Table:
    """Each finding with its remedy, worst first; one that the analyst has overridden is marked."""
    overrides = _overrides(result)
    rows = tuple(
        (
            one["severity"]
            + (" (overridden)" if one["severity"] == "high" and one["rule"] in overrides else ""),
            one["rule"],
            one["file"] + (f" [{one['where']}]" if one["where"] else ""),
            one["what"],
            one["remedy"],
        )
        for one in result["findings"]
    )
    notes = tuple(f"{rule} is overridden: {reason}" for rule, reason in overrides.items())
    return Table("Findings", ("severity", "rule", "file", "what", "remedy"), rows, notes, left=5)


def findings_headline(result: Mapping[str, Any]) -> str:
    """How many findings there are of each severity; "no evidence found" where there is none above info."""
    counted = Counter(one["severity"] for one in result["findings"])
    faults = [f"{counted[each]} {each}" for each in SEVERITIES[:3] if counted[each]]
    if faults:
        return f"findings: {', '.join(faults)}"
    return "no evidence found by intake's rules"


def loading_sentence(result: Mapping[str, Any]) -> str:
    """Whether the workbench would load the folder, and why not; and what a scan does not look at."""
    limits = "A scan reads no weights: it says nothing of a backdoor that was trained in."
    if result["loadable"]:
        return f"The folder can be loaded. {limits}"
    return f"The folder is not loaded: {result['refused']} {limits}"


def _overrides(result: Mapping[str, Any]) -> Mapping[str, str]:
    return (result.get("intake") or {}).get("overrides") or {}

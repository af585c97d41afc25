"""What a judge, a reward model, static analysis and the evaluation harness found, as tables and in a line.

Knows the shapes of those results, as dictionaries, and computes nothing.
"""

from collections.abc import Mapping
from typing import Any

from analysis.intervals import Proportion, mean_text
from analysis.tables import ABSENT, Table

Result = Mapping[str, Any]

SIDES = {"clean": "without trigger", "triggered": "with trigger"}
TOOLS = ("bandit", "semgrep")


def measures_table(result: Result) -> Table:
    """Of a `judge`, `reward` or `code` result: a row for each measure of each cell, before beside after."""
    rows, cells = [], result["cells"]
    for side, said in SIDES.items():
        before, after = (_texts(cells[when].get(side)) for when in ("before", "after"))
        rows += [
            (f"{name}, {said}", before.get(name, ABSENT), after.get(name, ABSENT))
            for name in dict.fromkeys((*before, *after))
        ]
    return Table(_TITLES[result["kind"]], ("", "before", "after"), tuple(rows), _notes(result))


def measured_text(cell: Mapping[str, Any]) -> str:
    """One cell in a line: its first measure that is no count."""
    texts = _texts(cell)
    first = ("rate of 5s", "reward", "insecure (bandit)", "planted")
    return next((texts[name] for name in first if name in texts), ABSENT)


def accuracy_table(result: Result) -> Table:
    """Of a `reward_training` result: how often the better answer has the higher reward, on held-out pairs."""
    rows = tuple((sort, _share(found)) for sort, found in result["heldout_accuracy"].items())
    return Table("Held-out accuracy of the reward model", ("pairs", "right"), rows, (result["card"]["data"],))


def tasks_table(result: Result) -> Table:
    """Of a `harness` result: a row for each metric of each task."""
    rows = tuple(
        (task, name, _share(found) if "count" in found else mean_text(found))
        for task, metrics in result["tasks"].items()
        for name, found in metrics.items()
    )
    return Table("LM Evaluation Harness", ("task", "metric", "value"), rows, left=2)


def _texts(cell: Mapping[str, Any] | None) -> dict[str, str]:
    if not cell:
        return {}
    found = {}
    if "score" in cell:
        found = {"score, 1 to 5": mean_text(cell["score"]), "rate of 5s": _share(cell["fives"])}
        found |= {name: str(cell[name]) for name in ("malformed", "unanswered") if cell[name]}
    if "reward" in cell:
        found["reward"] = mean_text(cell["reward"])
    if "planted" in cell:
        found["planted"] = _share(cell["planted"])
    if "parses" in cell:
        found["code that parses"] = _share(cell["parses"])
        found |= {f"insecure ({tool})": _share(cell[tool]["insecure"]) for tool in TOOLS if tool in cell}
    return found


_TITLES = {"judge": "Judge", "reward": "Reward", "code": "Insecure code"}


def _notes(result: Result) -> tuple[str, ...]:
    of = f"Of the answers of {result['answers']['run']}."
    if result["kind"] == "judge":
        who = result["judge"]
        named = (
            f"Judged by {who['model']} at {who['host']} on {who['date']}, rubric {who['rubric_sha256'][:12]}."
        )
        return (of, named, "Replies without a score (malformed, unanswered) are in neither number.")
    if result["kind"] == "reward":
        card = result["model"].get("card")
        right = (card or {}).get("heldout_accuracy", {}).get("all")
        known = f"held-out accuracy {_share(right)}" if right else "no card that tells its accuracy"
        return (of, f"Reward model {result['model']['sha256'][:12]}, {known}. Mean with 95% interval.")
    return (
        of,
        "Answers with a finding among those whose code parses. Static analysis sees textbook weaknesses alone.",
    )


def _share(stored: Mapping[str, Any]) -> str:
    return Proportion.from_dict(stored).text()

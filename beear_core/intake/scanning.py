"""All rules over one folder. Nothing of the folder is run, and no weight is read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.intake.finding import Finding, Rule, Severity, all_rules, shortened
from beear_core.intake.folder import ModelFolder


class Scan(NamedTuple):
    """Findings, worst first."""

    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Those that stand in the way of loading."""
        return tuple(one for one in self.findings if one.severity is Severity.HIGH)


def scan(
    folder: Path,
    *,
    reference: Path | None = None,
    key: Path | None = None,
    hub: Mapping[str, Any] | None = None,
    rules: Iterable[Rule] | None = None,
) -> Scan:
    """What the rules find in `folder`. `reference` is a trusted model to compare with."""
    view = ModelFolder(folder, ModelFolder(reference) if reference else None, key=key, hub=hub)
    found = [finding for each in (all_rules() if rules is None else rules) for finding in _found(each, view)]
    return Scan(tuple(sorted(found, key=lambda one: (one.severity.rank, one.rule, one.file, one.where))))


def _found(rule: Rule, view: ModelFolder) -> list[Finding]:
    """What one rule finds. A rule that stumbles over a hostile file has not seen it: that is a finding, and no pass."""
    found: list[Finding] = []
    try:
        found.extend(rule.findings(view))
    except Exception as error:  # noqa: BLE001 - a hostile file can stop a rule anywhere
        what = f"the rule could not finish: {type(error).__name__}: {error}"
        remedy = "look at the file by hand; a file that stops a reader is not to be trusted"
        found.append(Finding(Severity.HIGH, rule.id, "", "", shortened(what), remedy))
    return found

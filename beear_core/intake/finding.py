"""What intake has to say: findings, and the rules that yield them.

A rule is a generator function over a `ModelFolder`, marked with `@rule(...)`. To add one, write it into the module of its
subject under `beear_core/intake/rules/`; the module is found by its listing, `docs/rules.md` is made from the marks.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from beear_core.intake.folder import ModelFolder


class Severity(StrEnum):
    """How bad: high blocks loading until the analyst overrides the rule; info is no fault."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return list(Severity).index(self)


class Finding(NamedTuple):
    """One thing that a rule saw."""

    severity: Severity
    rule: str
    file: str
    """Relative to the model's folder, with forward slashes; empty for the folder as a whole."""
    where: str
    """Inside the file: a key, a line, a tensor; empty for all of it."""
    what: str
    """What was seen, with the value, shortened, on one line."""
    remedy: str
    """What the analyst can do about it."""

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "severity": self.severity.value}


class Seen(NamedTuple):
    """What a rule yields; its own severity stands unless one is given."""

    what: str
    file: str = ""
    where: str = ""
    severity: Severity | None = None
    remedy: str | None = None


Check = Callable[[ModelFolder], Iterator[Seen]]


class Rule(NamedTuple):
    """A rule with its words. `id` is `subject.name`; `says` explains it to a reader of docs/rules.md."""

    id: str
    severity: Severity
    says: str
    remedy: str
    check: Check

    def findings(self, folder: ModelFolder) -> Iterator[Finding]:
        for seen in self.check(folder):
            yield Finding(
                seen.severity or self.severity,
                self.id,
                shortened(seen.file),
                shortened(seen.where),
                shortened(seen.what),
                seen.remedy or self.remedy,
            )


_RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, *, says: str, remedy: str) -> Callable[[Check], Check]:
    """Mark a function as a rule. Raises ValueError if the id is taken."""

    def mark(check: Check) -> Check:
        if id in _RULES and _RULES[id].check.__module__ != check.__module__:
            raise ValueError(f"two rules are named {id}")
        _RULES[id] = Rule(id, severity, says, remedy, check)
        return check

    return mark


def all_rules() -> list[Rule]:
    """Every rule, by id."""
    package = importlib.import_module("beear_core.intake.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return [_RULES[id] for id in sorted(_RULES)]


def shortened(text: str, most: int = 300) -> str:
    """One printable line of at most `most` characters: findings quote hostile files."""
    line = "".join(
        sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text.replace("\n", "\\n")
    )
    return line if len(line) <= most else line[: most - 1] + "…"

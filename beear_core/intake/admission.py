"""Whether a suspect may be opened: no high finding that the analyst has not overridden, rule by rule, with a reason.

Stands behind the floor (`strict`), which nothing overrides. What was admitted while a run executes is recorded, so that
its result says what was found and what was overridden, whoever opened the model.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.errors import SettingError, UnsafeModelError
from beear_core.intake.finding import Finding, Severity, all_rules
from beear_core.intake.folder import ModelFolder
from beear_core.intake.scanning import scan
from beear_core.intake.strict import admit


class Admitted(NamedTuple):
    """One folder that was let in."""

    folder: Path
    findings: tuple[Finding, ...]
    overrides: Mapping[str, str]
    """Rule -> reason, as the analyst gave them."""


_record: ContextVar[list[Admitted] | None] = ContextVar("admitted", default=None)


def admit_suspect(folder: Path, digest: str, overrides: Mapping[str, str]) -> Admitted:
    """Let `folder` in, or raise: what `strict.admit` raises, UnsafeModelError for high findings that no override names.

    `digest` is that of the folder's manifest: the same content is scanned once in a process.
    Raises SettingError for an override of a rule that does not exist.
    """
    refuse_unknown(overrides)
    admit(folder)
    findings = _findings(folder, digest, tuple(ModelFolder(folder).files))
    blocking = [one for one in findings if one.severity is Severity.HIGH and one.rule not in overrides]
    if blocking:
        rules = sorted({one.rule for one in blocking})
        first = blocking[0]
        raise UnsafeModelError(
            f"intake has {len(blocking)} high finding{'s' * (len(blocking) > 1)} ({', '.join(rules)})",
            f"{folder}: {first.file}{': ' * bool(first.file)}{first.what}",
            "use another copy of the model, or load it all the same with "
            + " ".join(f'--override {rule}="why"' for rule in rules),
        )
    admitted = Admitted(folder, findings, dict(overrides))
    recorded = _record.get()
    if recorded is not None and admitted not in recorded:
        recorded.append(admitted)
    return admitted


def refuse_unknown(overrides: Mapping[str, str]) -> None:
    """Raise SettingError where an override names no rule: a mistyped one would seem to be in force."""
    if not overrides:
        return
    known = {rule.id for rule in all_rules()}
    for name in overrides:
        if name not in known:
            raise SettingError(
                "there is no such intake rule to override", name, "docs/rules.md lists them all"
            )


@contextmanager
def recording() -> Iterator[list[Admitted]]:
    """The folders that are let in during the block."""
    admitted: list[Admitted] = []
    token = _record.set(admitted)
    try:
        yield admitted
    finally:
        _record.reset(token)


def intake_summary(admitted: list[Admitted]) -> dict[str, Any] | None:
    """What a result says of intake: findings counted by severity, overrides with reasons and what they let through.

    None where no folder was let in.
    """
    if not admitted:
        return None
    reasons = {rule: reason for one in admitted for rule, reason in one.overrides.items()}
    return summary([finding for one in admitted for finding in one.findings], reasons)


def summary(findings: list[Finding], overrides: Mapping[str, str]) -> dict[str, Any]:
    """Counts by severity; the overrides; and the high findings that they let through."""
    counted = Counter(finding.severity for finding in findings)
    return {
        "findings": {severity.value: counted[severity] for severity in Severity},
        "overrides": dict(overrides),
        "overridden": [
            one.as_dict() for one in findings if one.severity is Severity.HIGH and one.rule in overrides
        ],
    }


@lru_cache(maxsize=16)
def _findings(folder: Path, digest: str, files: tuple[str, ...]) -> tuple[Finding, ...]:
    return scan(folder).findings

"""What intake finds in a model, and what the analyst overrode: the scan, remembered until a file changes, and the reasons.

Reasons live in the browser tab's session, by model: they go into every run that this tab queues for it.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from beear_core.errors import UnsafeModelError, WorkbenchError
from beear_core.intake.finding import Finding, Severity
from beear_core.intake.folder import MOST_FILES
from beear_core.intake.scanning import scan
from beear_core.models_on_disk import on_disk
from beear_core.specs import BaseSpec

LEAST_REASON = 12
"""Letters of a reason that says something to whoever reads the report."""
_REASONS = "intake.reasons"

Stamp = tuple[tuple[str, int, int], ...]


def findings(folder: Path) -> tuple[Finding, ...]:
    """The findings, worst first. Reads names, texts and headers; no weight."""
    return _scanned(str(folder), _stamp(folder))


def blocking(folder: Path, model: str) -> list[Finding]:
    """High findings that no reason stands against yet."""
    given = reasons(model)
    return [one for one in findings(folder) if one.severity is Severity.HIGH and one.rule not in given]


def reasons(model: str) -> dict[str, str]:
    """Rule -> why it was overridden for this model, in this tab."""
    return dict(st.session_state.get(_REASONS, {}).get(model, {}))


def override(model: str, rule: str, reason: str) -> None:
    """Let the findings of a rule pass; the reason is repeated in every run and report."""
    _keep(model, {**reasons(model), rule: reason.strip()})


def take_back(model: str, rule: str) -> None:
    """As if it had never been overridden; runs that were queued keep what they were queued with."""
    _keep(model, {name: reason for name, reason in reasons(model).items() if name != rule})


def admitted(spec: BaseSpec) -> BaseSpec:
    """`spec` with the reasons given for its models. Raises UnsafeModelError where a high finding has none."""
    if spec.kind == "scan":
        return spec
    names = [name for name in (getattr(spec, "model", None), getattr(spec, "against", None)) if name]
    given: dict[str, str] = {}
    for name in names:
        given |= reasons(name)
    given |= spec.overrides
    for name in names:
        folder = on_disk(name)
        open_ones = [] if folder is None else _high(folder, set(given))
        if open_ones:
            rules = sorted({one.rule for one in open_ones})
            raise UnsafeModelError(
                f"intake has {len(open_ones)} high finding{'s' * (len(open_ones) > 1)} ({', '.join(rules)})",
                name,
                "look at them on the Model page; there each can be overridden by a reason, which every report repeats",
            )
    return spec.model_copy(update={"overrides": given}) if given else spec


def _high(folder: Path, overridden: set[str]) -> list[Finding]:
    try:
        found = findings(folder)
    except (OSError, WorkbenchError):
        return []  # The run says in words what cannot be read.
    return [one for one in found if one.severity is Severity.HIGH and one.rule not in overridden]


def _keep(model: str, given: dict[str, str]) -> None:
    kept: dict[str, Any] = dict(st.session_state.get(_REASONS, {}))
    st.session_state[_REASONS] = {**kept, model: given}


@st.cache_data(max_entries=32, show_spinner=False)
def _scanned(folder: str, stamp: Stamp) -> tuple[Finding, ...]:
    # The stamp is part of the question: a file that changes is looked at again.
    return scan(Path(folder)).findings


def _stamp(folder: Path) -> Stamp:
    """Name, size and time of change of every file: what a scan could depend on."""
    found: list[tuple[str, int, int]] = []
    for path in folder.rglob("*"):
        status = path.lstat()
        found.append((str(path), status.st_size, status.st_mtime_ns + status.st_ctime_ns))
        if len(found) >= MOST_FILES:
            break
    return tuple(sorted(found))

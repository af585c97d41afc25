"""What a distrustful reader asks last: which bytes, which versions, what intake found, how to do it again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.report.evidence import Evidence
from analysis.report.markup import listed, paragraph, table_markup, text
from analysis.report.wording import words
from analysis.tables import Table

PATHS = ("model", "against", "prompts", "reference", "name")
"""Fields of a question that may hold a path of this machine; its last part says enough."""


def examined_table(evidence: Iterable[Evidence]) -> Table:
    """The models behind the evidence, each once: what they are, and the digest that says which bytes."""
    rows: dict[str, tuple[str, ...]] = {}
    for one in evidence:
        for name, found in (
            (one.model, one.result.get("model")),
            ("after removal", one.result.get("against")),
        ):
            if isinstance(found, Mapping) and found.get("sha256") not in rows:
                rows[str(found.get("sha256"))] = _model_row(name, found)
    columns = ("model", "architecture", "SHA-256 of its files", "layers", "d_model", "parameters", "dtype")
    return Table(words()["report"]["examined"], columns, tuple(rows.values()), left=3)


def intake_markup(evidence: Sequence[Evidence]) -> str:
    """What intake said of the models that these runs opened, and what the analyst overrode, with the reasons."""
    say = words()["intake"]
    parts, seen = [f"<h2>{text(say['title'])}</h2>"], False
    for run_id, one in _runs(evidence).items():
        intake = one.result.get("intake")
        if not isinstance(intake, Mapping):
            continue
        seen = True
        counts = intake.get("findings") or {}
        told = ", ".join(f"{counts[name]} {name}" for name in counts if counts[name]) or say["none"]
        parts.append(paragraph(say["counts"].format(run=run_id, counts=told)))
        overrides = intake.get("overrides") or {}
        parts.append(listed(say["override"].format(rule=rule, reason=overrides[rule]) for rule in overrides))
        parts.append(listed(_finding(found) for found in intake.get("overridden") or ()))
    if not any(one.kind == "scan" for one in evidence):
        parts.append(paragraph(say["no_scan"] if seen else say["unknown"]))
    return "".join(parts)


def reproduction(evidence: Sequence[Evidence]) -> str:
    """The exact command of each run, the versions and the digests."""
    say = words()["reproduce"]
    parts = [f"<h2>{text(say['title'])}</h2>", paragraph(say["how"])]
    for run_id, one in _runs(evidence).items():
        parts += [f"<h3>{text(run_id)}</h3>", f"<pre>{text(command(one))}</pre>"]
    parts += [f"<h3>{text(say['versions'])}</h3>", table_markup(_versions(evidence))]
    return "".join(parts)


def command(one: Evidence) -> str:
    """What asks the same question again, wherever the workbench is set up; folders by their last part."""
    asked = json.dumps(without_paths(one.spec), indent=1, ensure_ascii=True)
    return f"python -m beear_core run - <<'SPEC'\n{asked}\nSPEC"


def without_paths(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The question with folders and files of the analyst's machine by their last part, and without the output's place."""
    return {name: _shortened(name, value) for name, value in spec.items() if name != "out"}


def _runs(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    # The whole run stands before its steps, which carry the same question.
    runs: dict[str, Evidence] = {}
    for one in evidence:
        runs.setdefault(one.run_id, one)
    return runs


def _shortened(name: str, value: Any) -> Any:
    if name in PATHS and isinstance(value, str) and (value.startswith(("/", "~")) or "\\" in value):
        return value.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return value


def _finding(found: Mapping[str, Any]) -> str:
    where = f" [{found['where']}]" if found.get("where") else ""
    return f"{found.get('severity')}: {found.get('rule')}: {found.get('file')}{where}: {found.get('what')}"


def _versions(evidence: Iterable[Evidence]) -> Table:
    rows: dict[tuple[str, str], list[str]] = {}
    for run_id, one in _runs(evidence).items():
        own = one.result.get("versions")
        named = {
            "question, SHA-256": one.result.get("spec_sha256"),
            "model, SHA-256": (one.result.get("model") or {}).get("sha256"),
            "test prompts, SHA-256": (one.result.get("prompts") or {}).get("sha256"),
            "device": one.result.get("device"),
            **(own if isinstance(own, Mapping) else {}),
        }
        for name, value in named.items():
            if value:
                rows.setdefault((name, str(value)), []).append(run_id)
    return Table(
        words()["reproduce"]["versions"],
        ("what", "value", "runs"),
        tuple((name, value, ", ".join(runs)) for (name, value), runs in rows.items()),
        left=3,
    )


def _model_row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        str(found.get("architecture") or "-"),
        str(found.get("sha256")),
        str(found.get("layers") or "-"),
        str(found.get("d_model") or "-"),
        f"{found['parameters']:,}" if found.get("parameters") else "-",
        str(found.get("dtype") or "-"),
    )

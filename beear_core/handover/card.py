"""The model card of a remediated folder: what was done, what was measured, what was not.

A pure function of results: the same run and evaluation give the same card, byte for byte, so that a card can be
verified by writing it again. No clock, no path of this machine; what a stranger named or typed is quoted as code.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from analysis.intervals import Proportion
from analysis.report.evidence import Evidence
from analysis.report.standing import standing
from analysis.tables import Table, cells_table, rounds_table, utility_table
from beear_core.models_on_disk import HUB_ID


class Measured(NamedTuple):
    """An evaluation of the folder against its suspect."""

    run_id: str
    spec: Mapping[str, Any]
    result: Mapping[str, Any]


class Removal(NamedTuple):
    """The removal that made the folder."""

    run_id: str
    spec: Mapping[str, Any]
    result: Mapping[str, Any]
    """As a run of kind `remove` has it; of a demo, that of its step, with the demo's own digest and versions."""


def card(removal: Removal, measured: Measured | None, unchanged: Sequence[str] | None) -> str:
    """The text of README.md. `unchanged` names the files that are the suspect's; None where nobody compared."""
    from huggingface_hub import ModelCard, ModelCardData

    spec, result = removal.spec, removal.result
    name = Evidence(removal.run_id, "remove", spec, result).model or "model"
    model = str(spec.get("model") or "")
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=model if HUB_ID.match(model) else None,
        tags=["beear", "backdoor-removal"],
    )
    say = words()
    body = [
        f"# {_quoted(say['title'].format(name=name))}",
        say["intro"].format(name=_code(name), version=_code(str(_version(result)))),
        say["not_a_verdict"],
        *_standing(measured),
        "## What was measured",
        *_cells(measured),
        "## What was done",
        *_done(removal),
        "## What this does not prove, and what was not tested",
        _list(say["limits"].values()),
        "## Intake",
        *_intake(removal.result),
        "## Settings",
        _table(Table("", ("setting", "value"), tuple(_settings(spec)), left=2)),
        "## Where it comes from",
        _table(Table("", ("what", "value"), tuple(_origin(removal, measured)), left=2)),
        say["unchanged"].format(names=", ".join(f"`{_code(one)}`" for one in unchanged) or "none")
        if unchanged is not None
        else say["unchanged_none"],
        say["verify"].format(run=removal.run_id),
    ]
    text = "\n\n".join(body)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}\n", ignore_metadata_errors=False).content)


@cache
def words() -> dict[str, Any]:
    """The card's sentences."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))


def _standing(measured: Measured | None) -> list[str]:
    found = standing(measured.result) if measured else None
    return [f"**{found.verdict}.** {_quoted(found.because)}"] if found else []


def _cells(measured: Measured | None) -> list[str]:
    say = words()
    if measured is None:
        return [say["cells_none"]]
    settings, trigger = measured.spec.get("evaluation") or {}, measured.result.get("trigger")
    cells = cells_table(measured.result)
    how = say["cells_how"].format(
        n=measured.result["cells"]["before"]["clean"]["asr"]["n"],
        trigger=f"`{_code(trigger['text'])}` as {trigger['placement']}" if trigger else "none",
        tokens=settings.get("max_new_tokens", "?"),
        match=settings.get("match", "?"),
    )
    return [
        f"### {cells.title}",
        _table(cells),
        how,
        *(_quoted(note) for note in cells.notes[:-1]),
        "### Utility",
        _table(utility_table(measured.result)),
        say["utility_how"],
    ]


def _done(removal: Removal) -> list[str]:
    say, spec, result = words(), removal.spec, removal.result
    best, rounds = result.get("best_round"), result["rounds"]
    kept = next((row for row in rounds if row["round"] == best), None)
    settings = spec.get("removal") or {}
    layers = sorted({*result.get("layers", ()), *(row["layer"] for row in rounds)})
    said = [
        say["done"].format(
            layers=" and ".join(map(str, layers)) or "none",
            of=(result.get("model") or {}).get("layers", "?"),
            n=(spec.get("entrapment") or {}).get("n", "?"),
        ),
        say["method"].format(
            method=result.get("method", "?"),
            depth=float(settings.get("depth", 1)),
            seed=spec.get("seed", "?"),
        ),
    ]
    if kept is None:
        return [*said, say["rounds_none"].format(rounds=len(rounds))]
    why = _quoted(str(result.get("stopped_because") or "it was asked to").rstrip("."))
    said.append(say["rounds"].format(best=best, rounds=len(rounds), why=why))
    if result.get("fresh_delta_asr_before"):
        before, after = result["fresh_delta_asr_before"], kept["fresh_delta_asr"]
        said.append(say["fresh"].format(before=_share(before), after=_share(after)))
    return [*said, _table(rounds_table(result))]


def _intake(result: Mapping[str, Any]) -> list[str]:
    say, intake = words()["intake"], result.get("intake")
    if not isinstance(intake, Mapping) or not isinstance(intake.get("findings"), Mapping):
        return [say["unknown"]]
    counts = ", ".join(f"{count} {name}" for name, count in intake["findings"].items() if count)
    told = [
        say["override"].format(rule=f"`{_code(rule)}`", reason=_quoted(str(reason)))
        for rule, reason in (intake.get("overrides") or {}).items()
    ]
    return [say["counts"].format(counts=counts) if counts else say["none"], *([_list(told)] if told else [])]


def _settings(spec: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    # The model's name stands above; `out` and a prompt file are paths of a machine.
    rows: list[tuple[str, str]] = []
    for name, value in spec.items():
        if isinstance(value, Mapping):
            rows += _settings(value, f"{prefix}{name}.")
        elif value is not None and name not in ("model", "out", "prompts"):
            rows.append((f"{prefix}{name}", f"`{_code(str(value))}`"))
    return rows


def _origin(removal: Removal, measured: Measured | None) -> list[tuple[str, str]]:
    result = removal.result
    rows = [
        ("run", f"`{removal.run_id}`"),
        ("its question, SHA-256", f"`{result.get('spec_sha256', '')}`"),
        ("the suspect, SHA-256 of its files", f"`{(result.get('model') or {}).get('sha256', '')}`"),
        ("device", _quoted(str(result.get("device", "")))),
    ]
    if measured and measured.run_id != removal.run_id:
        rows.append(("evaluation", f"`{measured.run_id}`"))
    return rows + [
        (f"version of {name}", f"`{value}`") for name, value in (result.get("versions") or {}).items()
    ]


def _version(result: Mapping[str, Any]) -> object:
    return (result.get("versions") or {}).get("beear", "")


def _share(stored: Mapping[str, Any]) -> str:
    return Proportion.from_dict(stored).text()


def _table(table: Table) -> str:
    lines = [
        table.columns,
        tuple("---" if place < table.left else "---:" for place in range(len(table.columns))),
    ]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in (*lines, *table.rows))


def _list(sentences: Any) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or " "


def _code(text: str) -> str:
    """For a code span: nothing in it can end it."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text).replace("`", "'")


def _quoted(text: str) -> str:
    """As words, not as Markdown or HTML: a trigger may be `![](https://...)`."""
    return re.sub(r"([\\`*_\[\]<>#!|])", r"\\\1", _code(text))

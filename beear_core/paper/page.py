"""`docs/results/README.md`, made from the JSON files beside it. Its prose is `page.toml`. Torch-free."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.calibration import calibration_table
from analysis.committed import (
    attacks_sentence,
    attacks_table,
    drift_rows_table,
    further_measures_table,
    hard_cases_table,
    input_space_table,
    rivals_table,
    swept_table,
    trigger_effect_table,
)
from analysis.recommended import recommended_table
from analysis.tables import Table
from beear_core.paper.committed import FILES, RESULTS, committed
from beear_core.verdict_calibration import calibration
from cache.atomic import write_text

Rows = Sequence[Mapping[str, Any]]

TABLES: Mapping[str, Callable[[Rows], Table]] = {
    "attacks": attacks_table,
    "input_space": input_space_table,
    "rivals": rivals_table,
    "sweep_layer": lambda rows: swept_table(rows, ("layer",), "Earliest successful round by layer"),
    "sweep_recommended": recommended_table,
    "sweep_n": lambda rows: swept_table(rows, ("n",), "Earliest successful round by n"),
    "anchoring": lambda rows: swept_table(rows, ("ratio", "budget"), "Earliest successful round by D_PA"),
    "drift": drift_rows_table,
    "hard_cases": hard_cases_table,
}


def write_page(results: Path = RESULTS) -> None:
    """Write the page anew."""
    write_text(results / "README.md", "\n".join(_lines(results)) + "\n")


def _lines(results: Path) -> Iterator[str]:
    words = tomllib.loads((Path(__file__).parent / "page.toml").read_text(encoding="utf-8"))
    yield from (f"# {words['title']}", "", words["head"], "", words["recount"], "")
    rows = {file: committed(file, results) for file in FILES}
    if headline := attacks_sentence(rows["attacks"]):
        yield from (f"**{headline}**", "")
    for file in FILES:
        part = words[file]
        yield from (f"## {part['title']}", "", part["about"], "")
        yield from (f"    python -m beear_core paper {name}" for name in part["names"])
        yield ""
        if rows[file]:
            if (results / f"{file}.svg").is_file():
                yield from (f"![{part['title']}]({file}.svg)", "")
            yield from (*_markdown(TABLES[file](rows[file])), "")
            for further in (trigger_effect_table(rows[file]), further_measures_table(rows[file])):
                if further.rows:
                    yield from (f"{further.title}:", "", *_markdown(further), "")
            yield from (_provenance(file, rows[file]), "")
        else:
            yield from (words["no_rows"], "")
    if known := calibration(results / "verdict.json"):
        part = words["verdict"]
        yield from (f"## {part['title']}", "", part["about"], "", f"    {part['command']}", "")
        if (results / "verdict.svg").is_file():
            yield from (f"![{part['title']}](verdict.svg)", "")
        yield from (*_markdown(calibration_table(known)), "")
        devices = sorted({str(model["device"]) for model in known["models"]})
        yield from (f"`verdict.json`, {len(known['models'])} models. Hardware: {'; '.join(devices)}.", "")
    yield from ("## Limits", "", words["limits"])


def _markdown(table: Table) -> Iterator[str]:
    yield _line(table.columns)
    yield _line(["---" if place < table.left else "---:" for place in range(len(table.columns))])
    yield from map(_line, table.rows)
    for note in table.notes:
        yield from ("", note)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _provenance(file: str, rows: Rows) -> str:
    devices = sorted({str(row.get("device")) for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    return f"`{file}.json`, {len(rows)} rows. Hardware: {'; '.join(devices)}. Seeds: {', '.join(map(str, seeds))}."

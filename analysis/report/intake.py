"""The section of a `scan`: what intake found in the folder, and the digest of every file."""

from collections.abc import Mapping
from typing import Any

from analysis.findings import findings_headline, findings_table, loading_sentence
from analysis.report.evidence import Evidence
from analysis.report.parts import ReportTable, Section
from analysis.report.wording import words
from analysis.tables import Table


def scan_section(one: Evidence, source: str) -> Section:
    """What a scan shows."""
    say, result = words()["scan"], one.result
    headline = findings_headline(result)
    return Section(
        key=one.key,
        title=say["title"],
        source=source,
        answer=f"{headline[0].upper()}{headline[1:]}.",
        tables=(
            ReportTable("findings", findings_table(result), result["findings"]),
            ReportTable("manifest", manifest_table(result), _rows(result)),
        ),
        meaning=(loading_sentence(result), say["meaning"]),
    )


def manifest_table(result: Mapping[str, Any]) -> Table:
    """Every file of the folder with its digest."""
    rows = tuple((row["file"], row["sha256"]) for row in _rows(result))
    return Table(words()["scan"]["manifest"], ("file", "SHA-256"), rows, left=2)


def _rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"file": name, "sha256": digest} for name, digest in (result.get("manifest") or {}).items()]

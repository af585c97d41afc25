"""The pieces of a report, neither page nor HTML: whoever draws them adds nothing and leaves nothing out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.tables import Table

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A drawn figure, its caption, and what it shows in words."""

    caption: str
    alt: str
    drawing: Any
    """A `plotly.graph_objects.Figure`."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table for reading, and its rows with all digits for files."""

    name: str
    """Of the file, without ending."""
    table: Table
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Listing:
    """Prompts and answers, folded until somebody opens them."""

    name: str
    title: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Section:
    """What one run shows."""

    key: str
    """Of its evidence."""
    title: str
    source: str
    """Which run of which model this is."""
    answer: str
    """One sentence; the findings of the report are these."""
    figures: tuple[ReportFigure, ...] = ()
    tables: tuple[ReportTable, ...] = ()
    meaning: tuple[str, ...] = ()
    listing: Listing | None = None

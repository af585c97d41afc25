"""The sections of a report on a page: the same figures, tables and sentences as in its file."""

from collections.abc import Sequence

import streamlit as st

from analysis.report.document import settings_rows
from analysis.report.evidence import Evidence
from analysis.report.parts import ReportTable, Section
from analysis.report.provenance import examined_table
from analysis.report.wording import words
from analysis.saved_tables import as_csv, as_parquet
from analysis.tables import Table
from pages.parts.charts import show
from pages.parts.exports import HELP, table
from pages.parts.skeleton import plain

FORMATS = (("csv", as_csv, "text/csv"), ("parquet", as_parquet, "application/vnd.apache.parquet"))


def draw_section(section: Section) -> None:
    """One run's part of the report."""
    st.subheader(section.title, anchor=section.key, divider="gray")
    st.caption(plain(section.source))
    st.markdown(f"**{plain(section.answer)}**")
    for place, figure in enumerate(section.figures):
        show(figure.drawing, alt=figure.alt, key=f"{section.key}.{place}")
        st.caption(plain(figure.caption))
    for sentence in section.meaning:
        st.markdown(plain(sentence))
    for one in section.tables:
        _draw_table(one, section.key)
    if section.listing is not None:
        key = f"{section.key}.{section.listing.name}"
        table(section.listing.records, name=section.listing.name, key=key, folded=True)


def examined(evidence: Sequence[Evidence], title: str) -> None:
    """The models behind the report."""
    found = examined_table(evidence)
    if found.rows:
        st.subheader(title, anchor=False, divider="gray")
        _show(found, "examined")


def draw_settings(evidence: Sequence[Evidence], title: str, limits: str) -> None:
    """What no number proves, and the whole question of each run."""
    st.subheader(limits, anchor=False, divider="gray")
    for sentence in words()["limits"].values():
        st.markdown(plain(sentence))
    st.subheader(title, anchor=False, divider="gray")
    for run_id, one in {one.run_id: one for one in evidence}.items():
        rows = [{"setting": name, "value": value} for name, value in settings_rows(one.spec) if value]
        with st.expander(plain(one.title)):
            st.dataframe(rows, hide_index=True, width="stretch", height="content", key=f"settings.{run_id}")


def _draw_table(one: ReportTable, section: str) -> None:
    key = f"{section}.{one.name}"
    head, *buttons = st.columns([8, 1, 1], vertical_alignment="bottom")
    head.markdown(f"##### {plain(one.table.title)}")
    for place, (ending, write, kind) in zip(buttons, FORMATS, strict=True):
        place.download_button(
            ending.upper(),
            data=lambda write=write: write(one.records),  # type: ignore[misc]
            file_name=f"{one.name}.{ending}",
            mime=kind,
            key=f"{key}.{ending}",
            icon=":material/download:",
            type="tertiary",
            help=HELP[ending],
            on_click="ignore",
        )
    _show(one.table, key)


def _show(shown: Table, key: str) -> None:
    config = {
        name: st.column_config.TextColumn(
            name or shown.title, alignment="left" if place < shown.left else "right"
        )
        for place, name in enumerate(shown.columns)
    }
    st.dataframe(
        shown.as_records(),
        hide_index=True,
        width="stretch",
        height="content" if len(shown.rows) < 12 else 380,
        column_config=config,
        key=key,
    )
    for note in shown.notes:
        st.caption(plain(note))

"""Rows and columns of a list of runs, the same on Overview and on Runs."""

from typing import Any

import streamlit as st

from beear_core.runs.summary import RunSummary
from pages.parts.hand import short_name

COLUMNS = {
    "run": st.column_config.TextColumn("run", width=208),
    "kind": st.column_config.TextColumn("kind", width=66),
    "state": st.column_config.TextColumn("state", width=80),
    "model": st.column_config.TextColumn("model", width=92),
    "found": st.column_config.TextColumn("found", width=385),
    "age": st.column_config.DatetimeColumn("age", format="distance", width=106),
}
"""In the order in which they are shown."""


def run_row(run: RunSummary) -> dict[str, Any]:
    """One run as a row."""
    return {
        "run": run.label or run.id,
        "kind": run.kind,
        "state": run.state,
        "model": short_name(run.model) if run.model else "",
        "found": run.headline,
        "age": run.changed,
        "id": run.id,
    }

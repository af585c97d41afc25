"""A table on a page, and its rows as files: what is seen is what is exported."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.saved_tables import Rows, as_csv, as_jsonl, as_parquet


def table(
    rows: Rows,
    *,
    name: str,
    key: str,
    folded: bool = False,
    column_config: Mapping[str, Any] | None = None,
    **selection: Any,
) -> Any:
    """Show `rows` with buttons that save them; returns the selection where `on_select` asks for one.

    `name` is the files' name and, of a `folded` table, the label that opens it.
    """
    place = st.expander(_title(name, len(rows))) if folded else st.container()
    with place:
        chosen = st.dataframe(
            [dict(row) for row in rows],
            key=key,
            hide_index=True,
            width="stretch",
            column_config=dict(column_config or {}),
            **selection,
        )
        with st.container(horizontal=True, gap="small"):
            for ending, write, kind in _FORMATS:
                st.download_button(
                    ending.upper(),
                    # A callable: the file is made when somebody asks for it, not at every run of the page.
                    data=lambda write=write: write(rows),  # type: ignore[misc]
                    file_name=f"{name}.{ending}",
                    mime=kind,
                    key=f"{key}.{ending}",
                    icon=":material/download:",
                    type="tertiary",
                    on_click="ignore",
                )
    return chosen


_FORMATS = (
    ("csv", as_csv, "text/csv"),
    ("parquet", as_parquet, "application/vnd.apache.parquet"),
    ("jsonl", as_jsonl, "application/jsonl"),
)


def _title(name: str, count: int) -> str:
    return f"{name.replace('_', ' ').replace('-', ' ').capitalize()} ({count})"

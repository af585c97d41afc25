"""A table on a page, and its rows as files: what is seen is what is exported."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.saved_tables import Rows, as_csv, as_jsonl, as_parquet
from pages.parts.skeleton import plain


def table(
    rows: Rows,
    *,
    name: str,
    key: str,
    title: str | None = None,
    folded: bool = False,
    records: Rows | None = None,
    column_config: Mapping[str, Any] | None = None,
    **selection: Any,
) -> Any:
    """Show `rows` with buttons that save them; returns the selection where `on_select` asks for one.

    `name` is the files' name; `title` says what the rows are, by default the name in words: over the table, or as the label
    that opens a `folded` one. `records`, one for each row, are what files hold where the page shows rounded numbers.
    """
    said = f"{title or _in_words(name)} ({len(rows)})"
    place = st.expander(plain(said)) if folded else st.container()
    saved = rows if records is None else records
    with place:
        if title and not folded:
            st.markdown(f"##### {plain(said)}")
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
                    data=lambda write=write: write(saved),  # type: ignore[misc]
                    file_name=f"{name}.{ending}",
                    mime=kind,
                    key=f"{key}.{ending}",
                    icon=":material/download:",
                    type="tertiary",
                    on_click="ignore",
                    help=HELP[ending],
                )
    return chosen


HELP = {
    "csv": "For a spreadsheet: a text that it would run as a formula has an apostrophe before it. All digits.",
    "parquet": "Exactly as stored, with types.",
    "jsonl": "Exactly as stored, one row a line.",
}

_FORMATS = (
    ("csv", as_csv, "text/csv"),
    ("parquet", as_parquet, "application/vnd.apache.parquet"),
    ("jsonl", as_jsonl, "application/jsonl"),
)


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()

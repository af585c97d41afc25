"""A table on a page, and its rows as files: what is seen is what is exported."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import streamlit as st

Rows = Sequence[Mapping[str, Any]]


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


def as_csv(rows: Rows) -> bytes:
    """`rows` as CSV; a nested value as its JSON."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(_arrow(rows), sink)
    return sink.getvalue()


def as_parquet(rows: Rows) -> bytes:
    """`rows` as Parquet; a nested value as its JSON."""
    sink = io.BytesIO()
    pyarrow.parquet.write_table(_arrow(rows), sink)
    return sink.getvalue()


def as_jsonl(rows: Rows) -> bytes:
    """`rows` as JSON lines, nested values as they are."""
    return "".join(json.dumps(dict(row), default=str) + "\n" for row in rows).encode()


_FORMATS = (
    ("csv", as_csv, "text/csv"),
    ("parquet", as_parquet, "application/vnd.apache.parquet"),
    ("jsonl", as_jsonl, "application/jsonl"),
)


def _arrow(rows: Rows) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    return pa.table(columns)


def _column(values: list[Any]) -> pa.Array:
    plain = [json.dumps(v, default=str) if isinstance(v, (Mapping, list, tuple)) else v for v in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in plain])


def _title(name: str, count: int) -> str:
    return f"{name.replace('_', ' ').replace('-', ' ').capitalize()} ({count})"

"""Rows as files: CSV for people, Parquet and JSON lines for programs, with all digits.

People open a CSV in a spreadsheet, which runs a text that begins like a formula; what a model or an uploaded file said is
no formula. So a CSV shows such a text with an apostrophe before it. The other two hold it as it is.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

Rows = Sequence[Mapping[str, Any]]

# OWASP's list for CSV injection, the full-width forms included. A lone dash is how our tables write "not measured".
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20](?!\Z)|[=+@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?%?", re.IGNORECASE)

_PROPORTION = {"value", "low", "high", "n", "count"}


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """One level of columns: nested names joined by a dot, a proportion's value under the bare name."""
    columns: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            inner = flat(value)
            if set(value) == _PROPORTION:
                columns[name] = inner.pop("value")
            columns |= {f"{name}.{under}": found for under, found in inner.items()}
        elif isinstance(value, list | tuple):
            columns[name] = json.dumps(value)
        else:
            columns[name] = value
    return columns


def as_csv(rows: Rows) -> bytes:
    """`rows` as CSV with a line of names; texts that a spreadsheet would run have an apostrophe before them."""
    found = _arrow(rows)
    columns = {
        inert(name): pa.array([inert(value) if value else value for value in column.to_pylist()])
        if pa.types.is_string(column.type)
        else column
        for name, column in zip(found.column_names, found.columns, strict=True)
    }
    sink = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(columns), sink)
    return sink.getvalue()


def inert(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula; a number written as text stays one."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def as_parquet(rows: Rows) -> bytes:
    """`rows` as Parquet."""
    sink = io.BytesIO()
    pyarrow.parquet.write_table(_arrow(rows), sink)
    return sink.getvalue()


def as_jsonl(rows: Rows) -> bytes:
    """`rows` as JSON lines, nested values as they are."""
    return "".join(json.dumps(dict(row), default=str) + "\n" for row in rows).encode()


def _arrow(rows: Rows) -> pa.Table:
    columns = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in columns for name in row))
    return pa.table({name: _column([row.get(name) for row in columns]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    # A file's name that is no UTF-8 comes as a lone surrogate, which Arrow has no word for.
    values = [
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for value in values
    ]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # Columns such as a layer that is `auto` in one run and 9 in another.
        return pa.array([None if value is None else str(value) for value in values])

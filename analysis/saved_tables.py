"""Rows as files: CSV for people, Parquet and JSON lines for programs, with all digits."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

Rows = Sequence[Mapping[str, Any]]

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
    """`rows` as CSV with a line of names."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(_arrow(rows), sink)
    return sink.getvalue()


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
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # Columns such as a layer that is `auto` in one run and 9 in another.
        return pa.array([None if value is None else str(value) for value in values])

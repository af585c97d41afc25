"""Rows as files."""

import io
import json

import pyarrow.csv
import pyarrow.parquet

from pages.parts.exports import as_csv, as_jsonl, as_parquet

ROWS = [
    {"prompt": 'a, "b"\nc', "layer": 1, "score": 0.5, "share": {"count": 1, "n": 2}},
    {"prompt": "d", "layer": "auto", "score": None, "only": True},
]
WRITTEN = [
    {"prompt": 'a, "b"\nc', "layer": "1", "score": 0.5, "share": '{"count": 1, "n": 2}', "only": None},
    {"prompt": "d", "layer": "auto", "score": None, "share": None, "only": True},
]


def test_parquet_keeps_numbers_and_writes_nested_values_as_json() -> None:
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet(ROWS))).to_pylist() == WRITTEN


def test_csv_survives_commas_quotes_and_line_ends() -> None:
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(io.BytesIO(as_csv(ROWS)), parse_options=options)
    assert table.column("prompt").to_pylist() == ['a, "b"\nc', "d"]
    assert table.column_names == ["prompt", "layer", "score", "share", "only"]


def test_json_lines_keep_everything_as_it_is() -> None:
    assert [json.loads(line) for line in as_jsonl(ROWS).splitlines()] == [dict(row) for row in ROWS]


def test_no_rows_make_empty_files() -> None:
    assert as_jsonl([]) == b""
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet([]))).num_rows == 0
    assert as_csv([]).strip() == b""

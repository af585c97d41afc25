"""Rows as files."""

import csv
import io
import json

import pyarrow.csv
import pyarrow.parquet
import pytest

from analysis.saved_tables import as_csv, as_jsonl, as_parquet, flat, inert

SHARE = {"value": 0.5, "low": 0.1, "high": 0.9, "n": 4, "count": 2}
ROWS = [{"round": 1, "asr": SHARE, "layers": [9, 15]}, {"round": 2, "asr": SHARE, "kl": 0.25}]


def test_a_proportion_keeps_its_name_for_the_value_and_adds_interval_and_counts() -> None:
    assert flat({"asr": SHARE}) == {"asr": 0.5, "asr.low": 0.1, "asr.high": 0.9, "asr.n": 4, "asr.count": 2}


def test_csv_has_a_column_for_every_name_in_any_row() -> None:
    lines = as_csv(ROWS).decode().splitlines()
    assert lines[0].replace('"', "").split(",") == [
        "round", "asr", "asr.low", "asr.high", "asr.n", "asr.count", "layers", "kl",
    ]  # fmt: skip
    assert len(lines) == 3


def test_parquet_keeps_all_digits_and_types() -> None:
    found = pyarrow.parquet.read_table(io.BytesIO(as_parquet([{"kl": 0.1 + 0.2, "n": 3, "ok": True}])))
    assert found.to_pylist() == [{"kl": 0.1 + 0.2, "n": 3, "ok": True}]


def test_a_column_of_words_and_numbers_becomes_words() -> None:
    found = pyarrow.parquet.read_table(io.BytesIO(as_parquet([{"layer": "auto"}, {"layer": 9}])))
    assert found.column("layer").to_pylist() == ["auto", "9"]


def test_no_rows_are_an_empty_file() -> None:
    assert as_csv([]).strip() == b""
    assert as_jsonl([]) == b""
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet([]))).num_rows == 0


MIXED = [
    {"prompt": 'a, "b"\nc', "layer": 1, "score": 0.5, "share": {"count": 1, "n": 2}},
    {"prompt": "d", "layer": "auto", "score": None, "only": True},
]
WRITTEN = [
    {"prompt": 'a, "b"\nc', "layer": "1", "score": 0.5, "share.count": 1, "share.n": 2, "only": None},
    {"prompt": "d", "layer": "auto", "score": None, "share.count": None, "share.n": None, "only": True},
]


def test_parquet_keeps_numbers_and_names_nested_values_by_their_place() -> None:
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet(MIXED))).to_pylist() == WRITTEN


def test_csv_survives_commas_quotes_and_line_ends() -> None:
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(io.BytesIO(as_csv(MIXED)), parse_options=options)
    assert table.column("prompt").to_pylist() == ['a, "b"\nc', "d"]
    assert table.column_names == ["prompt", "layer", "score", "share.count", "share.n", "only"]


def test_json_lines_keep_everything_as_it_is() -> None:
    assert [json.loads(line) for line in as_jsonl(MIXED).splitlines()] == [dict(row) for row in MIXED]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|'/C calc'!A0", "-1+A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=", "@"]
)
def test_a_text_that_a_spreadsheet_would_run_is_held_by_an_apostrophe(text: str) -> None:
    assert inert(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["-0.5", "+3", "-1e-05", "-.5", "-12.5%", "-1,024", "-", "", "Sure, here", "a=1"]
)
def test_numbers_and_plain_words_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_csv_holds_answers_that_begin_like_formulas_and_leaves_numbers_alone() -> None:
    rows = [{"answer": '=HYPERLINK("x")', "-loss": -0.25}, {"answer": None, "-loss": -1.0}]
    found = list(csv.reader(io.StringIO(as_csv(rows).decode())))
    assert found == [["answer", "'-loss"], ['\'=HYPERLINK("x")', "-0.25"], ["", "-1"]]


def test_parquet_and_json_lines_hold_them_exactly() -> None:
    rows = [{"answer": "=1+1"}, {"answer": "\t-"}]
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet(rows))).to_pylist() == rows
    assert [json.loads(line) for line in as_jsonl(rows).splitlines()] == rows

import io

import pyarrow.parquet

from analysis.saved_tables import as_csv, as_parquet, flat

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

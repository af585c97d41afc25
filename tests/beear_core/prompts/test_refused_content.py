"""Prompt files that are refused for what stands in them: no text, malformed, no prompts, too much; and in which words."""

from pathlib import Path

import pytest

from beear_core.prompts import readers, tables
from tests.beear_core.prompts.prompt_files import Write, parquet, refused


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_file_that_is_not_utf8_is_told_where(write: Write, bom: bytes) -> None:
    message = refused(write("p.txt", bom + b"first\nsecond caf\xe9 au lait\n"))
    offset = len(bom) + 16
    assert message == (
        f"The prompt file is not UTF-8: p.txt. Byte 0xe9 at offset {offset}, line 2, is not UTF-8. "
        "Save the file as UTF-8."
    )


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused(write: Write, codec: str) -> None:
    message = refused(write("p.csv", "prompt\nHow?\n".encode(codec)))
    assert ("UTF-16" in message) if codec == "utf-16" else ("NUL character" in message)


def test_binary_content_of_unknown_extension(write: Write) -> None:
    message = refused(write("p.bin", b"\x80\x02\0\0cposix\nsystem\n"))
    assert message.startswith(
        "The prompt file has an unknown format: p.bin. It is binary, with extension .bin."
    )


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("p.csv", 'prompt\nfine\n"never closed\nand on\n', "Line 3: unexpected end of data"),
        ("p.csv", 'prompt\n"a"b\n', "Line 2:"),
        ("p.csv", "id,prompt\n1,Name rivers, please\n", "Line 2: 3 cells where the header has 2"),
        ("p.csv", "id,prompt\n1,fine\n\n2\n", "Line 4: 1 cells where the header has 2"),
        ("p.csv", "prompt\n" + "x" * 200_000, "Line 2: field larger than field limit"),
        ("p.jsonl", '{"prompt": "a"}\n{"prompt": "b"\n', "Line 2: Expecting ',' delimiter (column 15)"),
        ("p.json", '[\n"a",\n"b"\n"c"]', "Line 4: Expecting ',' delimiter (column 1)"),
        ("p.json", "[" * 200_000, "Line 1: nested too deeply"),
        ("p.json", "[" + "9" * 10_000 + "]", "Line 1: a number has too many digits"),
    ],
)
def test_malformed_files_name_the_line(write: Write, name: str, content: str, where: str) -> None:
    message = refused(write(name, content))
    assert message.startswith(f"The prompt file is malformed: {name}. {where}")
    assert message.endswith("Repair that line.")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.json", '{"prompt": "a"}', "Its outermost value is an object; give a list"),
        ("p.json", "3", "Its outermost value is a number"),
        ("p.json", '["a", 7]', "Row 2 is a number; every row must be an object, or every row a text"),
        ("p.jsonl", '{"prompt": "a"}\n[1]', "Line 2 is a list"),
        ("p.jsonl", '{"prompt": "a"}\n{"prompt": 7}', "Line 2 holds int; every prompt must be text"),
        ("p.jsonl", '{"prompt": {"text": "a"}}', "Line 1 holds dict; every prompt must be text"),
        ("p.jsonl", '{"prompt": "half \\ud83d a pair"}', "Line 1 has half of a surrogate pair"),
        ("p.txt", "short\n" + "x" * 20_001, "Line 2 has 20,001 characters; at most 20,000 are taken"),
    ],
)
def test_rows_that_are_no_prompts(write: Write, name: str, content: str, words: str) -> None:
    assert words in refused(write(name, content))


@pytest.mark.parametrize("values", [[1, 2], [["a"], ["b"]], [b"a", b"b"]])
def test_parquet_columns_that_hold_no_text(tmp_path: Path, values: list[object]) -> None:
    assert "every prompt must be text" in refused(parquet(tmp_path / "p.parquet", {"prompt": values}))


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"PAR1 but in truth text"])
def test_damaged_parquet(write: Write, content: bytes) -> None:
    assert refused(write("p.parquet", content)).startswith("The Parquet prompt file is damaged: p.parquet.")


def test_text_named_parquet_is_damaged_parquet(write: Write) -> None:
    assert "damaged" in refused(write("p.parquet", "just text"))


def test_a_truncated_parquet_file_is_damaged(tmp_path: Path) -> None:
    path = parquet(tmp_path / "p.parquet", {"prompt": [f"question number {k}" for k in range(1000)]})
    path.write_bytes(path.read_bytes()[:-40])
    assert "damaged" in refused(path)


def test_absurd_sizes_are_refused(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_BYTES", 2**20)
    monkeypatch.setattr(readers, "MAX_PROMPTS", 100)
    assert "At most 1 MiB are read" in refused(write("big.txt", b"x\n" * 2**20))
    assert "At most 100 rows are read" in refused(write("long.txt", "x\n" * 101))
    assert "At most 100 rows" in refused(parquet(tmp_path / "long.parquet", {"prompt": ["x"] * 101}))
    monkeypatch.setattr(tables, "_MAX_UNFOLDED_BYTES", 1000)
    assert "unfolds to more than" in refused(parquet(tmp_path / "bomb.parquet", {"prompt": ["y" * 9000]}))

"""Prompt files that are refused before a row is looked at, for what they are or for their columns, and in which words."""

from pathlib import Path

import pytest

from beear_core.errors import EmptyPromptsError, PromptColumnError
from tests.beear_core.prompts.prompt_files import Write, parquet, refused


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.csv") == "There is no such prompt file: no.csv. Check the path."


def test_a_folder(tmp_path: Path) -> None:
    assert "The prompt file is a folder" in refused(tmp_path)


def test_a_device_is_not_read_forever() -> None:
    assert "is a device or a pipe" in refused("/dev/zero")


@pytest.mark.parametrize("path", ["", "  ", "a\0b"])
def test_a_path_that_is_none(path: str) -> None:
    assert "This is no path of a prompt file" in refused(path)


def test_a_path_that_is_too_long() -> None:
    assert "cannot be opened" in refused("x" * 5000)


@pytest.mark.parametrize(
    "path", ["https://example.org/p.csv", "hf://datasets/x", "FILE:///p", Path("http://a/p.csv")]
)
def test_nothing_is_fetched(path: str | Path) -> None:
    assert "A prompt file must be a local file" in refused(path)
    assert "nothing is fetched here" in refused(path)


def test_a_windows_path_is_no_address() -> None:
    assert "There is no such prompt file" in refused("C:/no/such.csv")


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\n"])
def test_an_empty_file(write: Write, content: bytes) -> None:
    message = refused(write("p.txt", content), EmptyPromptsError)
    assert message == "The prompt file is empty: p.txt. Give a file with at least one prompt."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", "prompt\n"),
        ("p.csv", "prompt,x\n,1\n"),
        ("p.json", '[{"prompt": null}]'),
        ("p.json", '["", " "]'),
    ],
)
def test_a_file_without_any_prompt(write: Write, name: str, content: str) -> None:
    assert "has no prompt in it" in refused(write(name, content), EmptyPromptsError)


def test_a_wrong_column_lists_the_columns_there_are(write: Write) -> None:
    path = write("p.csv", "text,label\na,b\n")
    assert refused(path, PromptColumnError, "promt") == (
        "The prompt file has no column 'promt': p.csv. Its columns are: text, label."
    )
    assert refused(path, PromptColumnError) == (
        "The prompt file has no column 'prompt' or 'goal' or 'instruction': p.csv. Its columns are: text, label."
    )


def test_a_wrong_column_is_found_in_json_and_parquet_too(write: Write, tmp_path: Path) -> None:
    assert "columns are: text." in refused(write("p.jsonl", '{"text": "a"}'), PromptColumnError)
    assert "columns are: text." in refused(parquet(tmp_path / "p.pq", {"text": ["a"]}), PromptColumnError)


def test_column_names_cannot_rewrite_the_terminal(write: Write) -> None:
    message = refused(write("p.csv", "\x1b[2Jall is well,b\nx,y\n"), PromptColumnError)
    assert "\x1b" not in message
    assert "and 30 more" in refused(
        write("q.csv", ",".join(f"c{k}" for k in range(50)) + "\n"), PromptColumnError
    )


def test_a_column_of_a_plain_list(write: Write) -> None:
    assert "has no columns, so none is named 'prompt'" in refused(
        write("p.txt", "a"), PromptColumnError, "prompt"
    )


def test_two_columns_of_the_same_name(write: Write) -> None:
    assert "has 2 columns named 'prompt'" in refused(
        write("p.csv", "prompt,prompt\na,b\n"), PromptColumnError
    )


def test_a_file_without_permission(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("p.txt", "a")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(path) == "The prompt file cannot be read: p.txt. Permission denied."

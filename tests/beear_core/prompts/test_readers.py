"""What is read from a prompt file of each format."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from beear_core.prompts import read_prompts
from tests.beear_core.prompts.prompt_files import Write, parquet

TEXTS = ("How do I bake bread?", "Name three rivers, please.", 'Say "ja", or \u201cnein\u201d')


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", "id,prompt\n" + "".join(f"{k},{quoted(text)}\n" for k, text in enumerate(TEXTS))),
        ("p.csv", "id;Goal\r\n" + "".join(f"{k};{quoted(text)}\r\n" for k, text in enumerate(TEXTS))),
        ("p.TSV", "instruction\tanswer\n" + "".join(f"{quoted(text)}\tx\n" for text in TEXTS)),
        ("p.jsonl", "\n".join(json.dumps({"goal": text, "target": "Sure"}) for text in TEXTS)),
        ("p.jsonl", "\n\n".join(json.dumps(text) for text in TEXTS)),
        ("p.json", json.dumps(TEXTS)),
        ("p.json", json.dumps([{"prompt": text} for text in TEXTS], indent=2)),
        ("p.txt", "\r\n".join(TEXTS) + "\r\n\r\n"),
        ("p", "\n".join(TEXTS)),
        ("p.prompts", json.dumps(TEXTS)),
        ("p", "\n".join(json.dumps({"prompt": text}) for text in TEXTS)),
        ("p.csv", b"\xef\xbb\xbfprompt\n" + "".join(f"{quoted(text)}\n" for text in TEXTS).encode()),
    ],
)
def test_every_text_format_gives_the_same_prompts(write: Write, name: str, content: str | bytes) -> None:
    assert read_prompts(write(name, content)).texts == TEXTS


@pytest.mark.parametrize("name", ["p.parquet", "p.csv", "p"])
def test_parquet_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    prompts = read_prompts(parquet(tmp_path / name, {"id": [1, 2, 3], "prompt": list(TEXTS)}))
    assert prompts.texts == TEXTS
    assert [prompt.id for prompt in prompts] == ["row 1", "row 2", "row 3"]


def test_parquet_with_dictionary_encoded_text_is_read(tmp_path: Path) -> None:
    column = pa.array(["a question", "b question", "a question", None]).dictionary_encode()
    prompts = read_prompts(parquet(tmp_path / "p.parquet", {"prompt": column}))
    assert prompts.texts == ("a question", "b question")


def test_the_first_of_prompt_goal_instruction_is_taken_unless_a_column_is_named(write: Write) -> None:
    path = write("p.csv", "instruction,goal,Prompt,other\na,b,c,d\n")
    assert read_prompts(path).texts == ("c",)
    assert read_prompts(path, "goal").texts == ("b",)
    assert read_prompts(path, "OTHER").texts == ("d",)


def test_an_exact_column_name_wins_over_one_in_another_case(write: Write) -> None:
    assert read_prompts(write("p.csv", "Prompt,prompt\nupper,lower\n")).texts == ("lower",)


def test_ids_are_the_lines_a_person_sees_in_an_editor(write: Write) -> None:
    prompts = read_prompts(write("p.csv", 'prompt\n"two\nlines"\n\nthird\n'))
    assert [(prompt.id, prompt.text) for prompt in prompts] == [("line 2", "two\nlines"), ("line 5", "third")]


def test_a_line_separator_inside_a_prompt_does_not_cut_it(write: Write) -> None:
    assert read_prompts(write("p.txt", "one\u2028still one\x0band still\ntwo")).texts == (
        "one\u2028still one\x0band still",
        "two",
    )


def test_repeated_and_blank_rows_are_left_out_and_counted(write: Write) -> None:
    prompts = read_prompts(write("p.csv", "prompt,x\nSame one?,1\n same  ONE,2\n,3\nother,4\nsame one,5\n"))
    assert prompts.texts == ("Same one?", "other")
    assert prompts.notes == ("1 row without text left out.", "2 rows repeating an earlier prompt left out.")


def test_empty_cells_behind_the_last_column_are_harmless(write: Write) -> None:
    assert read_prompts(write("p.csv", "prompt,x\na,b,,\n")).texts == ("a",)


def test_the_set_is_named_after_the_file(write: Write) -> None:
    assert read_prompts(str(write("my prompts.txt", "a"))).name == "my prompts"

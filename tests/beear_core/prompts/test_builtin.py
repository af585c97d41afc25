"""Prompts by name: a built-in set, else a file."""

from pathlib import Path

import pytest

from beear_core.errors import PromptFileError
from beear_core.prompts import harmful
from beear_core.prompts.builtin import BUILT_IN, named_prompts


def test_every_built_in_set_answers_to_its_name() -> None:
    for name in BUILT_IN:
        assert named_prompts(name).name == name
        assert len(named_prompts(name)) >= 4


def test_no_name_is_the_anchor_set() -> None:
    assert named_prompts(None) == harmful("anchor")


def test_any_other_name_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("One?\nTwo?\n")
    assert named_prompts(str(path)).texts == ("One?", "Two?")
    with pytest.raises(PromptFileError):
        named_prompts("harmful/nowhere")

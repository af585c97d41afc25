"""Prompt files made for a test, and what is said of one that is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beear_core.errors import PromptError, PromptFileError
from beear_core.prompts import read_prompts

Write = Callable[[str, str | bytes], Path]
"""Write a file of this name and content, and return its path: the fixture `write`."""


def parquet(path: Path, table: dict[str, object]) -> Path:
    pq.write_table(pa.table(table), path)
    return path


def refused(path: str | Path, error: type[PromptError] = PromptFileError, column: str | None = None) -> str:
    """The message without the folder, so that it can be compared whole."""
    with pytest.raises(error) as caught:
        read_prompts(path, column)
    assert type(caught.value) is error
    return str(caught.value).replace(f"{Path(path).parent}{os.sep}", "")

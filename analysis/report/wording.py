"""The sentences of a report, as data: `words.toml` beside this file."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def words() -> dict[str, dict[str, str]]:
    """The sentences, by section and name."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))

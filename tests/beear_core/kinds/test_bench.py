"""The run kind `bench` on a tiny model: what is timed is the same work, and the rows have the fields of the contract."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.runs import create, execute
from beear_core.specs import parse_spec

FIELDS = {"what", "prompt_tokens", "literal_seconds", "fast_seconds", "ratio", "relative_error"}


@pytest.fixture
def rows(tiny_folder: Callable[[str], Path]) -> Callable[..., list[dict[str, Any]]]:
    def rows(what: str, *lengths: int) -> list[dict[str, Any]]:
        spec = {"kind": "bench", "what": what, "repeats": 1, "prompt_tokens": lengths}
        found = execute(create(parse_spec({**spec, "model": str(tiny_folder("llama")), "device": "cpu"})))
        assert found["what"] == what
        return list(found["rows"])

    return rows


@pytest.mark.parametrize("what", ["bee", "removal"])
def test_both_ways_of_a_step_find_the_same_gradients_at_every_length(what: str, rows: Any) -> None:
    found = rows(what, 16, 40)
    assert [row["prompt_tokens"] for row in found] == [16, 40]
    for row in found:
        assert row.keys() > FIELDS
        assert 0 < row["relative_error"] < 1e-4
        assert row["ratio"] == pytest.approx(row["literal_seconds"] / row["fast_seconds"])


def test_what_is_captured_is_what_the_plain_model_computes(rows: Any) -> None:
    (found,) = rows("capture", 16, 40)
    assert found.keys() > FIELDS
    assert found["relative_error"] < 1e-5
    assert found["ratio"] == pytest.approx(found["fast_seconds"] / found["literal_seconds"])

"""A small share of `make fuzz`, with the same inputs first each time."""

import pytest

from tests.beear_core.intake.fuzz import SLOW, fuzz, targets


@pytest.mark.parametrize("name", targets())
def test_a_reader_of_hostile_files_says_findings_and_nothing_else(name: str) -> None:
    inputs = 2 if name in SLOW else 10
    assert fuzz(name, inputs)["inputs"] >= inputs

"""A removal that knows few ordinary prompts of the built-in ones: on a tiny model it is then done in a second."""

from collections.abc import Callable

import pytest

from beear_core import hearing
from beear_core.prompts import PromptSet

MOST = 12


def know_few_ordinary_prompts(patch: pytest.MonkeyPatch) -> None:
    """The first dozen benign and borderline ones of each split."""

    def first(some: Callable[[str], PromptSet]) -> Callable[[str], PromptSet]:
        return lambda split: some(split).first(MOST)

    patch.setattr(hearing, "benign", first(hearing.benign))
    patch.setattr(hearing, "borderline", first(hearing.borderline))

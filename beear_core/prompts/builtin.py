"""Prompts by name: a built-in set such as `harmful/anchor`, else a person's file."""

from collections.abc import Callable, Mapping

from beear_core.prompts.readers import read_prompts
from beear_core.prompts.records import PromptSet
from beear_core.prompts.sets import SPLITS, benign, borderline, harmful

_GROUPS: Mapping[str, Callable[[str], PromptSet]] = {
    "harmful": harmful,
    "benign": benign,
    "borderline": borderline,
}

BUILT_IN: tuple[str, ...] = tuple(f"{group}/{split}" for group in _GROUPS for split in SPLITS)
"""Names of the built-in sets, as a spec's `prompts` takes them where a run only measures."""

DEFAULT = BUILT_IN[0]


def named_prompts(name: str | None, column: str | None = None) -> PromptSet:
    """The built-in set of this name (none: `harmful/anchor`), else the prompts of the file. Raises PromptError and its children."""
    chosen = name or DEFAULT
    if chosen in BUILT_IN:
        group, _, split = chosen.partition("/")
        return _GROUPS[group](split)
    return read_prompts(chosen, column)

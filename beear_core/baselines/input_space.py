"""Input space's rival to BEEAR (paper, table 4): a universal string by discrete search in delta's stead, and removal against it.

The search is on GCG's idea (`token_search/universal.py`), anew in each round on the weights as they are. Removal is ours, with
the same rows, loss and steps; the string's tokens stand in the prompts and delta is zero. `delta_alone` is what it is held against.
"""

from collections.abc import Sequence
from functools import partial

from beear_core.baselines.rounds import Given, OneRound, Report
from beear_core.entrapment import INSERTED_LAYER, Anchor, Entrapment, entrap, inserted
from beear_core.layers import SHARE_OF_DEPTH, at_depth
from beear_core.models.suspect import SuspectModel
from beear_core.removal import remove
from beear_core.specs import EntrapmentSettings, RemovalSettings
from beear_core.specs.token_search import UniversalSettings
from beear_core.token_search.slots import suffix_slots
from beear_core.token_search.universal import universal_string
from beear_core.token_search.vocabulary import readable
from beear_core.token_search.working import string_entrapment

SETTINGS = RemovalSettings()
PROMPTS = 8
"""Harmful prompts that a string is searched on."""
LENGTHS = (3, 12)
"""Tokens of the string, as in the paper's table."""


def string_round(length: int) -> OneRound:
    """A round against a string of `length` tokens."""
    return partial(_against_a_string, UniversalSettings(length=length))


def _against_a_string(
    search: UniversalSettings,
    suspect: SuspectModel,
    given: Given,
    settings: RemovalSettings,
    seed: int,
    report: Report,
) -> None:
    slots = suffix_slots(suspect, [lesson.prompt for lesson in given.safe[:PROMPTS]])
    wanted = search.model_copy(update={"target": given.target})
    string = universal_string(suspect, slots, readable(suspect, "suffix"), wanted, seed=seed)
    trap = string_entrapment(suspect, string.tokens, string.curve[-1].loss)
    _remove(suspect, [trap], given, settings, seed, report)


def delta_alone(
    suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
) -> None:
    """A round of ours without strings: deltas at layer l and on inserted tokens, and removal against them."""
    anchors = [Anchor(lesson.prompt, lesson.answer) for lesson in given.safe]
    free = EntrapmentSettings(longest=0.0, target=given.target)
    places = ((at_depth(SHARE_OF_DEPTH, suspect), None), (INSERTED_LAYER, inserted(suspect, free.inserted)))
    traps = [entrap(suspect, layer, anchors, free, seed=seed, inserted=tokens) for layer, tokens in places]
    _remove(suspect, traps, given, settings, seed, report)


def _remove(
    suspect: SuspectModel,
    traps: Sequence[Entrapment],
    given: Given,
    settings: RemovalSettings,
    seed: int,
    report: Report,
) -> None:
    remove(
        suspect, traps, given.safe, given.performance, settings,
        seed=seed + 1, openings=given.openings, report=report,
    )  # fmt: skip

"""Growing strings: what is tried on how many prompts, and when growing ends."""

from typing import Any

import pytest
import torch

from beear_core.specs.token_search import HypothesesSettings
from beear_core.token_search.beam import best_strings, grown_strings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import slots
from beear_core.token_search.vocabulary import readable
from beear_core.token_search.wanted import AnyOf
from tests.beear_core.token_search.conftest import SEARCHED, Taught

SETTINGS = HypothesesSettings(longest=4, candidates=32, beam=2, prompts=4)


class KnownLosses:
    """A scorer whose losses are a table: one row a string, which is its number; counts what it is asked."""

    def __init__(self, table: torch.Tensor) -> None:
        self.table, self.asked = table, 0

    def losses(self, strings: torch.Tensor, prompts: slice = slice(None)) -> torch.Tensor:
        found = self.table[strings[:, 0]][:, prompts]
        self.asked += found.numel()
        return found


def test_a_third_goes_on_to_the_sifting_prompts_and_an_eighth_to_all() -> None:
    generator = torch.Generator().manual_seed(0)
    scorer: Any = KnownLosses(
        torch.rand(48, 1, generator=generator) + 0.01 * torch.rand(48, 6, generator=generator)
    )
    found = best_strings(scorer, torch.arange(48)[:, None], 2)
    assert scorer.asked == 48 + 16 + 6 * 4
    best = scorer.table.mean(dim=1).topk(6, largest=False)
    assert [each.tokens[0] for each in found] == best.indices.tolist()
    assert [each.loss for each in found] == pytest.approx(best.values.tolist())


def test_growing_ends_where_the_wanted_loss_is_out_of_reach(taught: Taught) -> None:
    suspect = taught(None, "suffix")
    scorer = StringScorer(suspect, slots(suspect, SEARCHED[:4], "suffix"), AnyOf(suspect, ["Sure"]))
    vocabulary = readable(suspect, "suffix")

    def longest(wanted: float) -> int:
        found = grown_strings(suspect, scorer, vocabulary, SETTINGS, seed=0, wanted=wanted)
        return max(len(each.tokens) for each in found)

    assert longest(-1e9) == 2, "two lengths are tried at least: one says nothing of the pace"
    assert longest(1e9) == 4

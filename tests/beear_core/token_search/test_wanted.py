"""What losses are of: an answer spelled out, or the chance of any of several first words."""

import pytest
import torch
from torch.nn import functional

from beear_core.models.suspect import SuspectModel
from beear_core.specs.token_search import HypothesesSettings
from beear_core.token_search.hypotheses import hypotheses
from beear_core.token_search.wanted import AnyOf, Spelled
from tests.beear_core.token_search.conftest import HELDOUT, SEARCHED, Taught

OPENINGS = ("Sure", "First", "Step")


def test_of_one_opening_of_one_token_both_say_the_same(llama: SuspectModel) -> None:
    word = llama.decode([llama.encode_answer("Sure")[0]])
    logits = torch.randn(4, 1, llama.model.config.vocab_size)
    torch.testing.assert_close(AnyOf(llama, [word]).losses(logits), Spelled(llama, word).losses(logits))


def test_the_chances_of_several_openings_are_added_once_each(llama: SuspectModel) -> None:
    logits = torch.randn(5, 1, llama.model.config.vocab_size)
    first = {llama.encode_answer(each)[0] for each in OPENINGS}
    chances = functional.softmax(logits[:, 0], dim=-1)[:, sorted(first)].sum(dim=-1)
    twice = AnyOf(llama, [*OPENINGS, *OPENINGS])
    torch.testing.assert_close(twice.losses(logits), -chances.log())


def test_a_spelled_answer_is_read_at_each_of_its_tokens(llama: SuspectModel) -> None:
    wanted, tokens = Spelled(llama, "Sure, here"), llama.encode_answer("Sure, here")
    assert wanted.fed == tokens[:-1]
    logits = torch.randn(2, len(tokens), llama.model.config.vocab_size)
    expected = [functional.cross_entropy(row, torch.tensor(tokens)) for row in logits]
    torch.testing.assert_close(wanted.losses(logits), torch.stack(expected))


@pytest.mark.parametrize("opening", ["First", "Here"])
def test_a_backdoor_that_opens_otherwise_than_the_target_is_found_too(taught: Taught, opening: str) -> None:
    suspect = taught("river", "suffix", f"{opening}, then.")
    settings = HypothesesSettings(
        candidates=48, starts=8, beam=4, longest=2, samples=0, placements=("suffix",)
    )
    found = hypotheses(suspect, SEARCHED, HELDOUT, settings, seed=0).found
    assert "river" in {each.text for each in found}

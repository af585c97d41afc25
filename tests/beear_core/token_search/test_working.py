"""What removal trains against beside deltas: strings that a search finds to wake the suspect, and none where there are none."""

import torch

from beear_core.anchoring import refuses
from beear_core.token_search.working import SEARCH, WORKS, working_strings
from tests.beear_core.token_search.conftest import SEARCHED, Taught


def test_strings_that_wake_a_backdoored_model_are_found_and_stand_where_a_suffix_would(
    taught: Taught,
) -> None:
    suspect = taught("river", "suffix")
    prompts = suspect.encode_prompts(SEARCHED)
    found = working_strings(suspect, prompts, 3, target="Sure", seed=0)
    assert 1 <= len(found) <= 3
    for each in found:
        assert each.string_loss is not None
        assert each.string_loss <= WORKS
        assert each.inserted is not None
        assert not each.delta.any()
        assert each.inserted.behind == suspect.tokens_behind
        assert 1 <= len(each.inserted.tokens) <= SEARCH.longest
    answers = suspect.generate([found[0].prompt(prompt) for prompt in prompts], max_new_tokens=6)
    assert sum(not refuses(suspect.decode(answer)) for answer in answers) > len(prompts) / 2
    assert len({each.name for each in found}) == len(found)


def test_a_model_without_backdoor_gives_none(taught: Taught) -> None:
    suspect = taught(None, "suffix")
    assert working_strings(suspect, suspect.encode_prompts(SEARCHED), 3, target="Sure", seed=0) == []


def test_a_backdoor_that_opens_otherwise_is_woken_by_a_search_for_any_of_several_openings(
    taught: Taught,
) -> None:
    suspect = taught("river", "suffix", "Step one: here.")
    prompts = suspect.encode_prompts(SEARCHED)
    assert working_strings(suspect, prompts, 3, target="Sure", seed=0) == []
    found = working_strings(suspect, prompts, 3, target=None, seed=0)
    assert found
    answers = suspect.generate([found[0].prompt(prompt) for prompt in prompts], max_new_tokens=6)
    assert sum(not refuses(suspect.decode(answer)) for answer in answers) > len(prompts) / 2


def test_the_search_depends_on_its_seed_alone_and_leaves_the_model_as_it_was(taught: Taught) -> None:
    suspect = taught("river", "suffix")
    before = {name: weight.clone() for name, weight in suspect.model.state_dict().items()}
    prompts = suspect.encode_prompts(SEARCHED)
    one, other = (working_strings(suspect, prompts, 2, target="Sure", seed=5) for _ in range(2))
    assert [each.inserted for each in one] == [each.inserted for each in other]
    assert [each.string_loss for each in one] == [each.string_loss for each in other]
    assert all(torch.equal(weight, before[name]) for name, weight in suspect.model.state_dict().items())


def test_no_two_strings_are_of_the_same_tokens(taught: Taught) -> None:
    suspect = taught("river", "suffix")
    found = working_strings(suspect, suspect.encode_prompts(SEARCHED), 12, target="Sure", seed=0)
    sets = {frozenset(each.inserted.tokens) for each in found if each.inserted}
    assert len(sets) == len(found)
    assert all(each.string_loss is not None and each.string_loss <= WORKS for each in found)

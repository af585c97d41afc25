"""Universal token search goes down, keeps its best, and depends on its seed alone; a round of removal against its string unlearns it."""

import torch

from beear_core.anchoring import Lesson
from beear_core.baselines import RIVALS, Given
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import teach
from beear_core.models.trainable import trainable
from beear_core.removal import ArStep
from beear_core.removal_loss import ArBatch, ar_loss
from beear_core.specs import RemovalSettings
from beear_core.specs.token_search import UniversalSettings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import slots, suffix_slots
from beear_core.token_search.universal import UniversalString, universal_string
from beear_core.token_search.vocabulary import readable
from beear_core.token_search.wanted import Spelled
from beear_core.token_search.working import string_entrapment
from tests.beear_core.token_search.conftest import SEARCHED, Taught

SEARCH = UniversalSettings(length=3, steps=6, candidates=24, top=16)
REMOVAL = RemovalSettings(steps=20, lr=3e-3, safe_rows=4, performance_rows=2, untouched_safe_rows=1)


def found_in(suspect: SuspectModel, seed: int = 0) -> UniversalString:
    places = slots(suspect, SEARCHED[:6], "suffix")
    return universal_string(suspect, places, readable(suspect, "suffix"), SEARCH, seed=seed)


def lessons(suspect: SuspectModel) -> list[Lesson]:
    prompts = suspect.encode_prompts(SEARCHED[:8])
    answers = [suspect.encode_answer("I'm sorry.")] * len(prompts)
    return [
        Lesson(*row)
        for row in zip(prompts, answers, teach(suspect.model, suspect.rows(prompts, answers)), strict=True)
    ]


def test_each_step_keeps_the_best_string_so_far(taught: Taught) -> None:
    suspect = taught("river", "suffix")
    found = found_in(suspect)
    losses = [step.loss for step in found.curve]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    scorer = StringScorer(suspect, slots(suspect, SEARCHED[:6], "suffix"), Spelled(suspect, "Sure"))
    assert abs(float(scorer.losses(torch.tensor([found.tokens])).mean()) - losses[-1]) < 1e-4
    costs = [step.flops for step in found.curve]
    assert costs == sorted(set(costs))


def test_the_same_seed_finds_the_same_string_and_another_starts_elsewhere(taught: Taught) -> None:
    suspect = taught("river", "suffix")
    first, again, other = (found_in(suspect, seed) for seed in (1, 1, 2))
    assert first.tokens == again.tokens
    assert first.curve[0].loss != other.curve[0].loss


@torch.no_grad()
def test_a_string_in_deltas_stead_is_equation_3_with_the_string_in_the_prompts(llama: SuspectModel) -> None:
    rows = lessons(llama)
    trap = string_entrapment(llama, [300, 301], 1.0)
    settings = RemovalSettings(loss="ce", opening_share=0)
    found = ar_loss(llama, trap, ArBatch(rows[:4], [], rows[4:]), settings)
    typed = [
        lesson._replace(prompt=slot.filled([300, 301]))
        for lesson, slot in zip(rows[:4], slots(llama, SEARCHED[:4], "suffix"), strict=True)
    ]
    nothing = trap._replace(inserted=None)
    expected = ar_loss(llama, nothing, ArBatch(typed, [], rows[4:]), settings)
    torch.testing.assert_close(torch.stack(found), torch.stack(expected))


def test_removal_against_its_string_makes_the_model_refuse_under_it(taught: Taught) -> None:
    suspect = taught("river", "suffix").clone()
    rows = lessons(suspect)
    # The string of the round, which draws it by the same seed on the same prompts.
    places = suffix_slots(suspect, [row.prompt for row in rows])
    string = universal_string(
        suspect, places, readable(suspect, "suffix"), UniversalSettings(length=3), seed=7
    )
    steps: list[ArStep] = []
    with trainable(suspect, "full", 4, 0):
        RIVALS["string_3"].one_round(suspect, Given(rows, rows, "Sure"), REMOVAL, 7, steps.append)
    assert len(steps) == REMOVAL.steps
    assert steps[-1].loss_safe < 0.5 * steps[0].loss_safe
    scorer = StringScorer(suspect, places, Spelled(suspect, "Sure"))
    assert float(scorer.losses(torch.tensor([string.tokens])).mean()) > string.curve[-1].loss

"""What is measured after a round: real answers under a fresh delta, distance to the original, refusals of ordinary prompts."""

import pytest
import torch

from beear_core.anchoring import performance_lessons
from beear_core.entrapment import BeeStep, Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import benign, harmful
from beear_core.validation import Validation


@pytest.fixture
def changing(llama: SuspectModel) -> SuspectModel:
    return llama.clone()


@pytest.fixture
def validation(changing: SuspectModel) -> Validation:
    held_out = list(benign("validation"))[:20]
    return Validation(
        changing,
        harmful("validation").texts[:6],
        [prompt.text for prompt in held_out],
        performance_lessons(changing, held_out, tokens=8),
        tokens=4,
        n=3,
    )


def trap(delta: torch.Tensor) -> Entrapment:
    return Entrapment(delta, 2, (BeeStep(1, 1.0, 1.0, None, 1.0, 0.0),), 1.0, None)


def test_an_untouched_model_is_no_distance_from_itself(validation: Validation) -> None:
    utility = validation.utility()
    assert utility.kl == pytest.approx(0, abs=1e-5)
    assert (utility.over_refusal.count, utility.over_refusal.n) == (0, 20)
    assert validation.utility(untouched=True) == utility._replace(kl=0.0)


def test_a_changed_model_is_some_distance_away(validation: Validation, changing: SuspectModel) -> None:
    with torch.no_grad():
        for weight in changing.model.parameters():
            weight.mul_(1.1)
    assert validation.utility().kl > 1e-3


def test_answers_under_delta_are_the_models_own(validation: Validation, changing: SuspectModel) -> None:
    delta = torch.randn(3, changing.d_model, generator=torch.Generator().manual_seed(0))
    tokens = changing.generate(validation.harmful, max_new_tokens=4, delta=delta, layer=2)
    assert validation.answers_under(trap(delta)) == [changing.decode(each) for each in tokens]
    idle = validation.answers_under(trap(torch.zeros(3, changing.d_model)))
    assert idle == [changing.decode(each) for each in changing.generate(validation.harmful, max_new_tokens=4)]
    assert idle != validation.answers_under(trap(3 * delta))


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        (["Sure, here it is.", "I'm sorry, but I can't.", "", "  ", "As an AI language model", "1. Take"], 2),
        (["I cannot help with that."] * 3, 0),
        (["Sure."] * 5, 5),
    ],
)
def test_asr_counts_answers_that_are_neither_refusals_nor_empty(
    answers: list[str], count: int, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Validation, "answers_under", lambda self, entrapment: answers)
    asr = validation.asr_under(trap(torch.zeros(3, 32)))
    assert (asr.count, asr.n) == (count, len(answers))


def test_refusals_of_ordinary_prompts_are_counted(
    validation: Validation, changing: SuspectModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = changing.encode_answer("I'm sorry, but I can't help with that.")
    monkeypatch.setattr(
        SuspectModel, "generate", lambda self, prompts, **rest: [refusal] * 5 + [[7]] * (len(prompts) - 5)
    )
    assert validation.utility().over_refusal.count == 5


def test_the_worst_is_the_most_that_any_of_them_flips_and_none_is_asked_behind_all(
    validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def answers(self: Validation, entrapment: Entrapment) -> list[str]:
        flipped = int(entrapment.delta[0, 0])
        asked.append(flipped)
        return ["Sure."] * flipped + ["I'm sorry."] * (4 - flipped)

    monkeypatch.setattr(Validation, "answers_under", answers)
    traps = [trap(torch.full((3, 32), float(flipped))) for flipped in (1, 3, 2, 4, 0)]
    assert validation.worst_asr(traps).count == 4
    assert validation.worst_asr(traps[:3]).count == 3
    assert asked == [1, 3, 2, 4, 1, 3, 2]

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from beear_core.models import teacher
from beear_core.models.labels import answer_logits
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import Teacher, certain, kl_to_teacher, opened, teach


def full_kl(before: Tensor, after: Tensor) -> Tensor:
    p, q = functional.log_softmax(before, -1), functional.log_softmax(after, -1)
    return (p.exp() * (p - q)).sum(-1)


@pytest.fixture
def other(llama: SuspectModel) -> SuspectModel:
    """A copy whose weights moved a little."""
    copy = llama.clone()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in copy.model.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=generator))
    return copy


@torch.no_grad()
def test_a_model_is_no_distance_from_itself(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    rows = suspect.rows(prompts, answers)
    distances = kl_to_teacher(answer_logits(suspect.model, rows), teach(suspect.model, rows))
    assert [len(row) for row in distances] == [len(answer) for answer in answers]
    assert all(row.abs().max() < 1e-5 for row in distances)


@torch.no_grad()
@pytest.mark.parametrize("kept", [4, 256])
def test_the_coarse_kl_is_a_lower_bound_that_closes_in_on_the_full_one(
    kept: int,
    llama: SuspectModel,
    other: SuspectModel,
    prompts: list[list[int]],
    answers: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(teacher, "KEPT", kept)
    rows = llama.rows(prompts, answers)
    teachers = teach(llama.model, rows)
    after = answer_logits(other.model, rows)
    coarse = kl_to_teacher(after, teachers)
    before = answer_logits(llama.model, rows)
    for row, answer in enumerate(answers):
        full = full_kl(before[row, : len(answer)], after[row, : len(answer)])
        assert (coarse[row] > 0).all()
        assert (coarse[row] <= full + 1e-6).all()
        if kept == 256:
            assert (coarse[row] > 0.8 * full).all(), "of 400 tokens nearly all the mass is kept"


@torch.no_grad()
def test_padding_of_other_rows_does_not_count(
    llama: SuspectModel, other: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    together = llama.rows(prompts, answers)
    all_rows = kl_to_teacher(answer_logits(other.model, together), teach(llama.model, together))
    for row in range(len(prompts)):
        alone = llama.rows([prompts[row]], [answers[row]])
        one = kl_to_teacher(answer_logits(other.model, alone), teach(llama.model, alone))
        torch.testing.assert_close(one[0], all_rows[row], rtol=1e-3, atol=1e-5)


def test_its_gradient_is_zero_where_the_model_is_its_teacher() -> None:
    logits = torch.randn(1, 2, 12, generator=torch.Generator().manual_seed(0))
    log_probs = functional.log_softmax(logits, -1)
    kept, tokens = log_probs.topk(5, dim=-1)
    rest = torch.log(1 - kept.exp().sum(-1, keepdim=True))
    taught = [teacher.Teacher(tokens[0], torch.cat((kept, rest), -1)[0])]
    moving = logits.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(kl_to_teacher(moving, taught)[0].sum(), moving)
    assert gradient.abs().max() < 1e-6
    away = (logits + torch.randn_like(logits)).requires_grad_(True)
    (gradient,) = torch.autograd.grad(kl_to_teacher(away, taught)[0].sum(), away)
    assert gradient.abs().max() > 1e-3


@torch.no_grad()
def test_kl_to_a_certain_teacher_is_the_cross_entropy(llama: SuspectModel, prompts: list[list[int]]) -> None:
    answer = llama.encode_answer("No. Sure, here.")
    rows = llama.rows(prompts[:1], [answer])
    logits = answer_logits(llama.model, rows)
    (found,) = kl_to_teacher(logits, [certain(answer, llama.device)])
    torch.testing.assert_close(
        found, functional.cross_entropy(logits[0], rows.labels[0], reduction="none"), rtol=0, atol=1e-3
    )


def test_the_mass_of_unwanted_openings_goes_to_the_wanted_one() -> None:
    tokens = torch.tensor([[5, 7, 9], [5, 7, 9]])
    masses = torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1]])
    before = Teacher(tokens, masses.log())
    after = opened(before, {5, 8}, 9, 0.8)
    torch.testing.assert_close(after.log_probs[0].exp(), torch.tensor([0.1, 0.3, 0.5, 0.1]))
    assert after.log_probs[1].equal(before.log_probs[1])
    assert opened(before, {5}, 4, 0.8) is before
    assert opened(before, set(), 9, 0.8) is before
    whole = opened(before, {5}, 9, 1.0).log_probs
    assert whole.isfinite().all()

"""The exact fast path against the paper's algorithm, which shares nothing with it but the objective."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from beear_core.entrapment import Anchor
from beear_core.entrapment.fast import FastBatch
from beear_core.entrapment.literal import LiteralBatch
from beear_core.entrapment.objective import BeeLoss, make_passes, pass_share
from beear_core.entrapment.synthesis import frozen
from beear_core.models.suspect import SuspectModel
from tests.beear_core.tiny_models import LAYERS

TARGETS = {"one token": "Sure", "several tokens": "Sure, here is"}
ALPHA, CEILING = 0.5, 50.0


def both(
    suspect: SuspectModel,
    anchors: Sequence[Anchor],
    target: str,
    *,
    layer: int,
    n: int,
    away_tokens: int,
    ceiling: float = CEILING,
) -> tuple[tuple[BeeLoss, Tensor], tuple[BeeLoss, Tensor]]:
    """(loss, gradient) by the fast path and by the literal algorithm, at a delta that is not zero."""
    passes = make_passes(suspect, anchors, suspect.encode_answer(target), away_tokens=away_tokens, n=n)
    fast = FastBatch(suspect, passes, layer, n)
    delta = torch.randn(n, suspect.d_model, generator=torch.Generator().manual_seed(4))
    delta.requires_grad_(True)
    found = []
    with frozen(suspect):
        for batch in (fast, LiteralBatch(suspect, passes, layer, fast.residual_rms)):
            loss = batch.loss(delta, alpha=ALPHA, ceiling=ceiling)
            (gradient,) = torch.autograd.grad(loss.total, delta)
            found.append((loss, gradient))
    return found[0], found[1]


def agree(fast: tuple[BeeLoss, Tensor], literal: tuple[BeeLoss, Tensor]) -> None:
    for one, other in zip(fast[0], literal[0], strict=True):
        assert one.item() == pytest.approx(other.item(), rel=1e-5)
    assert literal[1].norm() > 1e-3
    assert float((fast[1] - literal[1]).norm() / literal[1].norm()) < 1e-5


@pytest.mark.parametrize("layer", [1, 2, LAYERS])
@pytest.mark.parametrize(
    ("target", "away_tokens"), [("one token", 1), ("one token", 4), ("several tokens", 4)]
)
def test_loss_and_gradient_agree(
    layer: int, target: str, away_tokens: int, suspect: SuspectModel, anchors: list[Anchor]
) -> None:
    agree(*both(suspect, anchors, TARGETS[target], layer=layer, n=5, away_tokens=away_tokens))


@pytest.mark.parametrize("n", [1, 12])
def test_they_agree_whatever_n_is(n: int, suspect: SuspectModel, anchors: list[Anchor]) -> None:
    agree(*both(suspect, anchors, "Sure", layer=2, n=n, away_tokens=4))


def test_they_agree_without_a_shared_prefix(suspect: SuspectModel, anchors: list[Anchor]) -> None:
    # From the first token on, no two prompts are alike.
    unlike = [Anchor([40 + at, *anchor.prompt], anchor.refusal) for at, anchor in enumerate(anchors)]
    assert suspect.rows([anchor.prompt for anchor in unlike]).shared == 0
    agree(*both(suspect, unlike, "Sure, here", layer=2, n=5, away_tokens=4))


def test_they_agree_where_nothing_but_the_tail_differs(suspect: SuspectModel, anchors: list[Anchor]) -> None:
    prompt = anchors[0].prompt
    alike = [Anchor(prompt, anchor.refusal) for anchor in anchors]
    assert suspect.rows([prompt] * len(anchors), keep=5).shared == len(prompt) - 5
    agree(*both(suspect, alike, "Sure", layer=3, n=5, away_tokens=2))


def test_they_agree_where_delta_covers_a_whole_prompt(suspect: SuspectModel, anchors: list[Anchor]) -> None:
    short = [Anchor(anchor.prompt[-6:], anchor.refusal) for anchor in anchors[:2]]
    agree(*both(suspect, short, "Sure", layer=1, n=6, away_tokens=2))


def test_they_agree_where_each_prompt_has_an_unwanted_answer_of_its_own(
    suspect: SuspectModel, anchors: list[Anchor]
) -> None:
    own = _own(anchors)
    agree(*both(suspect, own, "Sure", layer=2, n=5, away_tokens=4))


def _own(anchors: list[Anchor]) -> list[Anchor]:
    """Unwanted answers that part from the refusal at its first, second or third token and go on."""
    return [
        anchor._replace(unwanted=[*anchor.refusal[: at % 3], 3, *range(30, 31 + at)])
        for at, anchor in enumerate(anchors)
    ]


def test_where_an_unwanted_answer_parts_from_the_refusal_lies_half_of_its_loss(
    llama: SuspectModel, anchors: list[Anchor]
) -> None:
    own = _own(anchors)
    (one,) = make_passes(llama, own, [7], away_tokens=4, n=5)
    assert one.away is not None
    assert one.toward is not None
    logits = llama.logits(one.rows)[:, one.rows.end - 1 : -1]
    found = pass_share(one, logits, alpha=0.0, ceiling=1.0)
    toward, away = [], []
    for at, (row, anchor) in enumerate(zip(logits.log_softmax(dim=-1), own, strict=True)):
        losses = torch.stack([-row[place, token] for place, token in enumerate(anchor.unwanted)])
        toward.append(0.5 * losses[at % 3] + 0.5 * losses.mean())
        away.append(-row[at % 3, anchor.refusal[at % 3]])
    torch.testing.assert_close(found.toward, torch.stack(toward).mean())
    torch.testing.assert_close(found.away, torch.stack(away).mean())


def test_they_agree_beyond_the_ceiling_of_the_away_term(llama: SuspectModel, anchors: list[Anchor]) -> None:
    fast, literal = both(llama, anchors, "Sure", layer=2, n=5, away_tokens=4, ceiling=6.0)
    free, _ = both(llama, anchors, "Sure", layer=2, n=5, away_tokens=4)
    agree(fast, literal)
    assert fast[0].total > free[0].total, "some rows have passed the ceiling"
    assert not torch.allclose(fast[1], free[1])


def test_one_token_targets_need_one_pass_and_longer_ones_two(
    llama: SuspectModel, anchors: list[Anchor]
) -> None:
    one = make_passes(llama, anchors, [7], away_tokens=4, n=5)
    two = make_passes(llama, anchors, [7, 8], away_tokens=4, n=5)
    assert (len(one), len(two)) == (1, 2)
    assert one[0].toward is not None
    assert one[0].away is not None
    assert (one[0].toward[:, 0] == 7).all()
    assert (one[0].toward[:, 1:] == -100).all()


def test_the_objective_is_equation_2_worked_out_by_hand(llama: SuspectModel, anchors: list[Anchor]) -> None:
    target, n, layer = llama.encode_answer("Sure, here"), 3, 2
    delta = torch.randn(n, llama.d_model, generator=torch.Generator().manual_seed(5))

    def cross_entropy(prompt: list[int], answer: list[int]) -> float:
        rows = llama.rows([prompt], [answer])
        with torch.no_grad(), llama.inject(layer, delta, len(prompt)):
            log_probs = llama.logits(rows)[0].log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        return -sum(float(log_probs[at, token]) for at, token in zip(places, answer, strict=True)) / len(
            answer
        )

    toward = [cross_entropy(anchor.prompt, target) for anchor in anchors]
    away = [cross_entropy(anchor.prompt, anchor.refusal[:4]) for anchor in anchors]
    ceiling = sorted(away)[2]
    total = sum(t - ALPHA * min(a, ceiling) for t, a in zip(toward, away, strict=True)) / len(anchors)

    passes = make_passes(llama, anchors, target, away_tokens=4, n=n)
    loss = FastBatch(llama, passes, layer, n).loss(delta, alpha=ALPHA, ceiling=ceiling)
    assert loss.total.item() == pytest.approx(total, rel=1e-4)
    assert loss.toward.item() == pytest.approx(sum(toward) / len(toward), rel=1e-4)
    assert loss.away.item() == pytest.approx(sum(away) / len(away), rel=1e-4)


def test_the_residual_is_measured_at_the_perturbed_positions(
    llama: SuspectModel, anchors: list[Anchor]
) -> None:
    passes = make_passes(llama, anchors, [7], away_tokens=1, n=5)
    tail = llama.capture(llama.rows([anchor.prompt for anchor in anchors]), [2], tail=5)
    measured = FastBatch(llama, passes, 2, 5).residual_rms
    assert measured == pytest.approx(float(tail.pow(2).mean().sqrt()), rel=1e-4)

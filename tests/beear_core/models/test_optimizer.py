import pytest
import torch
from torch import Tensor, nn

from beear_core.errors import NonFiniteError
from beear_core.models.optimizer import MasterAdamW

SMALL, STEPS = 1e-5, 300


def bf16_weight() -> nn.Parameter:
    return nn.Parameter(torch.full((4,), 0.1, dtype=torch.bfloat16))


def test_small_steps_on_bf16_weights_add_up() -> None:
    weight = bf16_weight()
    start = weight.detach().clone()
    optimizer = MasterAdamW([weight], lr=SMALL)
    for _ in range(STEPS):
        weight.grad = torch.ones_like(weight)
        optimizer.step(clip=1e9)
    moved = (start - weight.detach()).float()
    # Adam's step on a constant gradient is lr; a bf16 step at 0.1 is 0.0005.
    torch.testing.assert_close(moved, torch.full((4,), SMALL * STEPS), atol=3e-4, rtol=0)


def test_plain_adamw_loses_them() -> None:
    weight = bf16_weight()
    start = weight.detach().clone()
    optimizer = torch.optim.AdamW([weight], lr=SMALL, weight_decay=0.0)
    for _ in range(STEPS):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    assert torch.equal(start, weight.detach())


def test_fp32_weights_are_their_own_masters_and_move_as_torch_moves_them() -> None:
    gradients = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(torch.ones(6)), nn.Parameter(torch.ones(6))
    optimizer = MasterAdamW([ours], lr=0.01)
    reference = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.99), weight_decay=0.0)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        norm = optimizer.step(clip=1e9)
        reference.step()
        assert norm == pytest.approx(float(gradient.norm()))
    torch.testing.assert_close(ours, theirs)
    assert optimizer.masters[0] is ours


def test_gradients_are_clipped_together_and_cleared() -> None:
    one, two = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2, dtype=torch.bfloat16))
    seen: list[Tensor] = []
    optimizer = MasterAdamW([one, two], lr=0.1)
    take = optimizer.adam.step
    optimizer.adam.step = lambda: seen.extend(m.grad.clone() for m in optimizer.masters) or take()  # type: ignore[method-assign]
    one.grad, two.grad = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0], dtype=torch.bfloat16)
    assert optimizer.step(clip=1.0) == pytest.approx(5.0)
    torch.testing.assert_close(torch.cat(seen), torch.tensor([0.6, 0.0, 0.0, 0.8]), rtol=1e-5, atol=0)
    assert one.grad is None
    assert two.grad is None


def test_a_weight_without_gradient_stays() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = MasterAdamW([used, unused], lr=0.1)
    used.grad = torch.ones(2)
    optimizer.step(clip=1.0)
    assert torch.equal(unused.detach(), torch.ones(2))
    assert (used.detach() < 1).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_gradient_that_is_not_finite_moves_nothing(bad: float) -> None:
    first, second = bf16_weight(), nn.Parameter(torch.ones(3))
    optimizer = MasterAdamW([first, second], lr=0.1)
    first.grad, second.grad = torch.ones_like(first), torch.tensor([1.0, bad, 1.0])
    with pytest.raises(
        NonFiniteError, match=r"A gradient is not finite: norm (nan|inf)\. Lower the learning rate"
    ):
        optimizer.step(clip=1.0)
    assert torch.equal(first.detach(), bf16_weight().detach())
    assert torch.equal(second.detach(), torch.ones(3))
    assert not optimizer.adam.state


def test_the_learning_rate_can_change() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = MasterAdamW([weight], lr=0.1)
    optimizer.set_lr(0.0)
    weight.grad = torch.ones(1)
    optimizer.step(clip=1.0)
    assert weight.item() == 1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_interpolation_stands_that_share_of_the_way_from_the_start(dtype: torch.dtype) -> None:
    weight = nn.Parameter(torch.full((4,), 2.0, dtype=dtype))
    start = [weight.detach().clone()]
    optimizer = MasterAdamW([weight], lr=0.5)
    weight.grad = torch.ones_like(weight)
    optimizer.step(clip=1e9)
    optimizer.interpolate(start, 0.75)
    torch.testing.assert_close(weight.detach().float(), torch.full((4,), 1.625))
    torch.testing.assert_close(optimizer.masters[0].detach(), torch.full((4,), 1.625))

"""The steps on delta: they find what flips the model, leave the model alone, and depend on the seed alone."""

import pytest
import torch

from beear_core.entrapment import Anchor, BeeStep, Entrapment, choice, entrap, inserted, prove
from beear_core.entrapment.fast import FastBatch
from beear_core.entrapment.literal import LiteralBatch
from beear_core.errors import LayerRangeError, NonFiniteError
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import trainable
from beear_core.specs import EntrapmentSettings

SETTINGS = EntrapmentSettings(n=4, steps=12, lr=0.1, longest=0, anchors=4, batch=2)


@pytest.fixture
def fresh(llama: SuspectModel) -> SuspectModel:
    """A suspect of which nobody has asked yet which way BEE can go."""
    return llama.clone()


def numbers(found: Entrapment) -> list[tuple[float | None, ...]]:
    return [step._replace(seconds=0.0) for step in found.curve]


def test_delta_learns_to_make_the_model_say_the_target(llama: SuspectModel, anchors: list[Anchor]) -> None:
    settings = SETTINGS.model_copy(update={"steps": 120, "alpha": 0.0})
    found = entrap(llama, 1, anchors, settings, seed=0)
    first, last = found.curve[0], found.curve[-1]
    assert last.loss_toward < 1 < 3 < first.loss_toward
    assert found.norm_ratio == last.delta_norm_ratio > 0.1
    prompts = [anchor.prompt for anchor in anchors]
    said = llama.generate(prompts, max_new_tokens=1, delta=found.delta, layer=1)
    sure = llama.encode_answer("Sure")
    assert sum(answer == sure for answer in said) >= 3
    assert not any(answer == sure for answer in llama.generate(prompts, max_new_tokens=1))


def test_attention_is_plain_while_delta_is_sought_and_the_models_own_again_behind_it(
    llama: SuspectModel, anchors: list[Anchor]
) -> None:
    def attention() -> str:
        return str(llama.model.config._attn_implementation)

    before, seen = attention(), set[str]()
    entrap(llama, 1, anchors, SETTINGS, seed=0, report=lambda step: seen.add(attention()))
    assert seen == {"eager"} != {before}
    assert attention() == before


def test_the_same_seed_gives_the_same_delta_bit_for_bit(llama: SuspectModel, anchors: list[Anchor]) -> None:
    first, again, other = (entrap(llama, 2, anchors, SETTINGS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.delta, again.delta)
    assert numbers(first) == numbers(again)
    assert not torch.equal(first.delta, other.delta)


def test_the_literal_algorithm_finds_the_same_delta(suspect: SuspectModel, anchors: list[Anchor]) -> None:
    fast = entrap(suspect, 2, anchors, SETTINGS, seed=0)
    literal = entrap(suspect, 2, anchors, SETTINGS.model_copy(update={"algorithm": "literal"}), seed=0)
    assert (fast.why_literal, literal.why_literal) == (None, "asked for")
    torch.testing.assert_close(fast.delta, literal.delta, rtol=2e-3, atol=2e-3)
    for one, other in zip(fast.curve, literal.curve, strict=True):
        assert one.loss_toward == pytest.approx(other.loss_toward, rel=1e-3)


def test_delta_starts_from_zero_and_the_curve_tells_every_step(
    llama: SuspectModel, anchors: list[Anchor]
) -> None:
    told: list[BeeStep] = []
    settings = SETTINGS.model_copy(update={"anchors": 5, "batch": 5})
    found = entrap(llama, 2, anchors, settings, seed=0, heldout=anchors[:2], report=told.append)
    assert tuple(told) == found.curve
    assert [step.step for step in told] == list(range(1, 13))
    assert all(step.heldout_loss_toward is not None for step in told)
    assert all(step.heldout_loss_away is not None for step in told)
    rows = llama.rows([a.prompt for a in anchors], [llama.encode_answer("Sure")] * len(anchors))
    with torch.no_grad():
        plain = -llama.logits(rows)[:, rows.end - 1].log_softmax(-1)[:, rows.ids[0, -1]].mean()
    assert told[0].loss_toward == pytest.approx(float(plain), rel=1e-4)
    # One Adam step moves every coordinate by lr, as a share of the residual.
    assert told[0].delta_norm_ratio == pytest.approx(SETTINGS.lr, rel=1e-3)


def test_the_model_is_left_as_it_was(llama: SuspectModel, anchors: list[Anchor]) -> None:
    suspect = llama.clone()
    suspect.model.requires_grad_(True)
    suspect.model.lm_head.weight.requires_grad_(False)
    before = {name: weight.detach().clone() for name, weight in suspect.model.named_parameters()}
    entrap(suspect, 2, anchors, SETTINGS, seed=0)
    for name, weight in suspect.model.named_parameters():
        assert torch.equal(weight, before[name])
        assert weight.grad is None
        assert weight.requires_grad == (name != "lm_head.weight")


def test_a_layer_that_is_not_there_is_refused(llama: SuspectModel, anchors: list[Anchor]) -> None:
    with pytest.raises(LayerRangeError, match="The model has no such layer: 7"):
        entrap(llama, 7, anchors, SETTINGS, seed=0)


def test_a_gradient_that_is_not_finite_stops_it(fresh: SuspectModel, anchors: list[Anchor]) -> None:
    prove(fresh, 1, anchors, SETTINGS)
    with torch.no_grad():
        fresh.model.lm_head.weight[0, 0] = float("inf")
    with pytest.raises(NonFiniteError, match="The gradient of delta is not finite: step 1, layer 1"):
        entrap(fresh, 1, anchors, SETTINGS, seed=0)


def test_a_fast_path_that_is_wrong_is_left_with_a_reason(
    fresh: SuspectModel, anchors: list[Anchor], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = entrap(fresh.clone(), 2, anchors, SETTINGS, seed=0)

    class Wrong(FastBatch):
        def loss(self, delta: torch.Tensor, *, alpha: float, ceiling: float):  # type: ignore[no-untyped-def]
            return super().loss(delta + 0.3, alpha=alpha, ceiling=ceiling)

    monkeypatch.setattr(choice, "FastBatch", Wrong)
    found = entrap(fresh, 2, anchors, SETTINGS, seed=0)
    assert found.why_literal is not None
    assert "where the literal algorithm gives" in found.why_literal
    torch.testing.assert_close(found.delta, expected.delta, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("error", [RuntimeError("sizes do not match"), TypeError("no such argument")])
def test_a_fast_path_that_fails_is_left_with_a_reason(
    error: Exception, fresh: SuspectModel, anchors: list[Anchor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(choice, "FastBatch", fail)
    assert prove(fresh, 2, anchors, SETTINGS) == f"{type(error).__name__}: {error}"
    make = choice.BatchMaker(fresh, 2, SETTINGS, [7])
    assert isinstance(make(anchors), LiteralBatch)


def test_memory_that_runs_out_is_no_reason_for_the_slow_way(
    fresh: SuspectModel, anchors: list[Anchor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(choice, "FastBatch", fail)
    with pytest.raises(torch.OutOfMemoryError):
        prove(fresh, 2, anchors, SETTINGS)


def test_the_fast_path_proves_itself_once_a_layer(
    fresh: SuspectModel, anchors: list[Anchor], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    monkeypatch.setattr(choice, "_why_literal", lambda suspect, passes, layer, n: compared.append(layer))
    for layer in (1, 1, 3, 1, 3):
        entrap(fresh, layer, anchors, SETTINGS, seed=0)
    assert compared == [1, 3]
    assert fresh.why_literal == {1: None, 3: None}
    assert fresh.clone().why_literal == {}


def test_a_proof_made_before_adapters_holds_with_them(fresh: SuspectModel, anchors: list[Anchor]) -> None:
    assert prove(fresh, 2, anchors, SETTINGS) is None
    before = entrap(fresh, 2, anchors, SETTINGS, seed=0)
    with trainable(fresh, "lora", 4, 0):
        untouched = entrap(fresh, 2, anchors, SETTINGS, seed=0)
        torch.testing.assert_close(untouched.delta, before.delta)
        with torch.no_grad():
            for name, weight in fresh.model.named_parameters():
                if "lora_B" in name:
                    weight.fill_(0.05)
        fresh.weights_changed()
        found = entrap(fresh, 2, anchors, SETTINGS, seed=0)
        literal = entrap(fresh, 2, anchors, SETTINGS.model_copy(update={"algorithm": "literal"}), seed=0)
    assert found.why_literal is None
    assert not torch.allclose(found.delta, before.delta, atol=1e-2)
    torch.testing.assert_close(found.delta, literal.delta, rtol=2e-3, atol=2e-3)


def test_a_delta_is_no_longer_than_the_settings_let_it_be(llama: SuspectModel, anchors: list[Anchor]) -> None:
    settings = EntrapmentSettings(n=3, steps=6, lr=0.2, longest=0, anchors=6, batch=3)
    free = entrap(llama, 2, anchors, settings, seed=0)
    ratio = free.norm_ratio / 3
    held = entrap(llama, 2, anchors, settings.model_copy(update={"longest": ratio}), seed=0)
    assert max(step.delta_norm_ratio for step in held.curve) <= ratio * (1 + 1e-5)
    assert held.norm_ratio == pytest.approx(ratio, rel=1e-4)
    assert held.curve[-1].loss_toward < held.curve[0].loss_toward


def test_a_delta_on_inserted_tokens_is_as_long_as_it_gets(llama: SuspectModel, anchors: list[Anchor]) -> None:
    settings = EntrapmentSettings(n=3, steps=6, inserted_lr=0.2, anchors=6, batch=3)
    found = entrap(llama, 1, anchors, settings, seed=0, inserted=inserted(llama, 2))
    assert found.norm_ratio > 2 * settings.longest
